"""By which names the org lets itself be asked.

A page of the web may make its visitor's browser ask this machine under a name of the page's own,
whose address it has changed to 127.0.0.1 meanwhile; the browser then lets it read the answers. Such
a request carries the foreign name as its `Host`, so only this machine's own names are answered, and
those that the org was started with (`--allow-host`).
"""

import ipaddress
import re

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(:[0-9]{1,5})?")


class WrongHost(Exception):
    """A text that cannot be the name of a host."""


def host_name(text: str) -> str:
    """A name or address to be asked by, as it is compared.

    Raises:
        WrongHost: it is neither; a port or a whole URL, for instance.
    """
    name = text.strip().lower()
    try:
        return str(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        if _NAME.fullmatch(name) is None:
            raise WrongHost(
                f"--allow-host takes a name or an address without scheme and port, not {text!r}"
            ) from None
        return name


def is_answered(host: str, allowed: frozenset[str]) -> bool:
    """Whether a request with this `Host` is answered; the port does not matter."""
    match = _HOST.fullmatch(host.strip().lower())
    if match is None:
        return False
    name = match[1].strip("[]")
    if name == "localhost" or name in allowed:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or str(address) in allowed
