"""What only SOAP can do: bring deleted records back.

There is no REST resource that undeletes; the partner API's ``undelete`` takes 200 Ids a call
(https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from pipelines.salesforce.rows import RowError, RowResult

if TYPE_CHECKING:
    from lxml.etree import _Element

    from pipelines.salesforce.session import Session

PARTNER = "urn:partner.soap.sforce.com"
AT_ONCE = 200
"""Ids that one call may name."""


def undelete(session: Session, ids: Sequence[str]) -> list[RowResult]:
    """Bring up to 200 records back from the recycle bin; one result each, in their order.

    What was deleted with a record comes back with it.

    Raises:
        SalesforceError: the call as a whole was refused, or its answer was lost.
    """
    from lxml import etree

    listed = "".join(f"<ids>{escape(sf_id)}</ids>" for sf_id in ids)
    content = session.soap(f'<undelete xmlns="{PARTNER}">{listed}</undelete>')
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return [_result(one) for one in etree.fromstring(content, parser).iter(f"{{{PARTNER}}}result")]


def _result(element: _Element) -> RowResult:
    success = _text(element, "success") == "true"
    return RowResult(
        id=_text(element, "id"),
        success=success,
        created=False,
        errors=() if success else tuple(_errors(element)),
    )


def _errors(element: _Element) -> Iterator[RowError]:
    for error in element.iterfind(f"{{{PARTNER}}}errors"):
        fields = tuple(field.text or "" for field in error.iterfind(f"{{{PARTNER}}}fields"))
        yield RowError(_text(error, "statusCode") or "", _text(error, "message") or "", fields)


def _text(element: _Element, name: str) -> str | None:
    return element.findtext(f"{{{PARTNER}}}{name}") or None
