"""Which addresses are an org's own: nowhere else does a token go.

An org logs us in at one host and may answer at another: ``login.salesforce.com`` sends us to the
org's My Domain, such as ``example.my.salesforce.com``. All of these are Salesforce's domains, of
which one cloud has others than the next:
https://help.salesforce.com/s/articleView?id=sf.domain_name_url_formats.htm
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from pipelines.salesforce.connection import Connection
from pipelines.salesforce.errors import AddressRefused

FAMILIES = (("salesforce.com", "force.com"), ("salesforce.mil", "force.mil"), ("sfcrmproducts.cn",))
"""Domains of one cloud each: everybody's, the American government's, China's."""

_ORIGIN = re.compile(r"https://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?")
"""Nothing that two parsers of URLs could read in two ways, such as a user or a backslash."""


def own_origin(connection: Connection, attempt: str, address: str) -> str:
    """The address at which an org says that it answers, if it is one of its own.

    Args:
        connection: which org was asked for.
        attempt: what was tried, for the message.
        address: as a log-in names it; a slash at its end does not count.

    Raises:
        AddressRefused: it is not https, or it is somebody else's as far as we know.
    """
    origin = address.rstrip("/")
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise AddressRefused(attempt, f"the org's address {address!r} is not https and a host")
    host, login = match["host"].lower(), urlsplit(connection.login_url)
    if not (
        urlsplit(origin).netloc.lower() in (login.netloc.lower(), connection.instance_host)
        or (connection.is_local and _is_loopback(host))
        or _of_one_family(host, login.hostname or "")
    ):
        raise AddressRefused(attempt, f"the answer sends us to {origin}, away from {login.netloc}")
    return origin


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs lead to the same server in the same way."""
    parts = [urlsplit(url) for url in (one, other)]
    return len({(part.scheme.lower(), part.netloc.lower()) for part in parts}) == 1


def _of_one_family(host: str, login: str) -> bool:
    return any(_is_of(host, family) and _is_of(login, family) for family in FAMILIES)


def _is_of(host: str, family: tuple[str, ...]) -> bool:
    return host.endswith(tuple(f".{domain}" for domain in family))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
