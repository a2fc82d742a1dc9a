"""How a file is written, in words."""

from __future__ import annotations

from pipelines.sources.readers.delimited import Delimited
from pipelines.sources.readers.reader import Reader
from pipelines.sources.readers.text import encoding_of

_SIGNS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "bar"}


def facts(reader: Reader) -> dict[str, str]:
    """Kind, encoding, delimiter and sheet, as far as a file of the kind has them."""
    found = {"format": _KINDS.get(type(reader).__name__, type(reader).__name__)}
    if isinstance(reader, Delimited):
        found["encoding"] = encoding_of(reader.path, reader.form.encoding)[0]
        found["delimiter"] = _SIGNS.get(reader.delimiter, repr(reader.delimiter))
    if name := getattr(reader, "name", ""):
        found["sheet"] = str(name)
    return found


_KINDS = {
    "Delimited": "delimited text",
    "Grid": "workbook or table",
    "JsonFile": "JSON",
    "VCards": "vCard",
    "Parquet": "Parquet",
}
