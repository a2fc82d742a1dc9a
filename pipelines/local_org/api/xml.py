"""Text inside XML answers."""

import re
from xml.sax.saxutils import escape

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(value: object) -> str:
    """A value as XML 1.0 can hold it: escaped, without the characters that it forbids."""
    return escape(_FORBIDDEN.sub("", str(value)))
