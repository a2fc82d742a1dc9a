"""SOAP envelopes: what a call holds, who makes it, and the answer to it."""

from dataclasses import replace

from lxml import etree

from pipelines.local_org.api.router import Answer, Call
from pipelines.local_org.api.xml import xml_text
from pipelines.local_org.dml.outcome import RowError

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" {names} '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
)
Element = etree._Element


class Fault(Exception):
    """A refused SOAP call."""

    def __init__(self, code: str, message: str, kind: str = "UnexpectedErrorFault") -> None:
        super().__init__(message)
        self.code, self.message, self.kind = code, message, kind


def read_envelope(body: bytes) -> tuple[Element | None, Element]:
    """Header and first element of the body.

    Raises:
        Fault: the body is no SOAP envelope.
    """
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise Fault("MALFORMED_XML", f"Unable to parse the request: {error}") from error
    parts = {etree.QName(part).localname: part for part in root if isinstance(part.tag, str)}
    body_element = parts.get("Body")
    if body_element is None or not len(body_element):
        raise Fault("MALFORMED_XML", "The envelope has no body")
    return parts.get("Header"), body_element[0]


def with_user(call: Call, header: Element | None) -> Call:
    """The call with the user of its session header.

    Raises:
        Fault: there is no such session.
    """
    token = ""
    for element in header.iter() if header is not None else ():
        if isinstance(element.tag, str) and etree.QName(element).localname == "sessionId":
            token = (element.text or "").strip()
    user = call.org.sessions.user_of(token)
    if user is None:
        raise Fault(
            "INVALID_SESSION_ID",
            "Invalid Session ID found in SessionHeader: Illegal Session",
        )
    call.org.usage.count("DailyApiRequests")
    return replace(call, user=user, token=token)


def children(element: Element, name: str) -> list[Element]:
    """The inner elements of that local name."""
    return [e for e in element if isinstance(e.tag, str) and etree.QName(e).localname == name]


def text_of(element: Element, name: str) -> str | None:
    """The text of an inner element; None where it is missing, empty or nil."""
    elements = children(element, name)
    if not elements or elements[0].get(f"{{{XSI}}}nil") == "true":
        return None
    return (elements[0].text or "").strip() or None


def flag_of(element: Element, name: str) -> bool:
    """Whether an inner element says so; a missing one says no."""
    return (text_of(element, name) or "false").lower() in {"true", "1"}


def tag(name: str, value: object) -> str:
    """A value as an element; None as nil."""
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    text = str(value).lower() if isinstance(value, bool) else xml_text(value)
    return f"<{name}>{text}</{name}>"


def errors_of(errors: tuple[RowError, ...]) -> str:
    """Errors as elements of a result."""
    return "".join(
        "<errors>"
        + "".join(tag("fields", field) for field in error.fields)
        + tag("message", error.message)
        + tag("statusCode", error.code)
        + "</errors>"
        for error in errors
    )


def soap_answer(body: str, namespace: str) -> Answer:
    """An answer whose elements stand in a namespace, unprefixed."""
    return _xml(200, f'xmlns="{namespace}"', body)


def fault_answer(fault: Fault) -> Answer:
    """The answer to a refused call."""
    return _xml(500, 'xmlns:sf="urn:fault.partner.soap.sforce.com"', _fault(fault))


def _xml(status: int, names: str, body: str) -> Answer:
    text = _ENVELOPE.replace("{names}", names).replace("{body}", body)
    return Answer(status, raw=text.encode(), media_type="text/xml;charset=UTF-8")


def _fault(fault: Fault) -> str:
    message = fault.message
    return (
        f"<soapenv:Fault><faultcode>sf:{fault.code}</faultcode>"
        f"<faultstring>{fault.code}: {xml_text(message)}</faultstring><detail>"
        f'<sf:{fault.kind} xsi:type="sf:{fault.kind}">'
        f"<sf:exceptionCode>{fault.code}</sf:exceptionCode>"
        f"<sf:exceptionMessage>{xml_text(message)}</sf:exceptionMessage>"
        f"</sf:{fault.kind}></detail></soapenv:Fault>"
    )
