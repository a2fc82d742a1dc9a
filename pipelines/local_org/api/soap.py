"""The partner SOAP API, as far as it does what REST cannot: login, convertLead, merge."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from lxml import etree

from pipelines.local_org import unconfirmed
from pipelines.local_org.api.oauth import check_password, user_record
from pipelines.local_org.api.router import Answer, Call, Router
from pipelines.local_org.api.xml import xml_text
from pipelines.local_org.dml.convert import MOST as MOST_CONVERTS
from pipelines.local_org.dml.convert import LeadConvert, convert_lead
from pipelines.local_org.dml.merge import MOST as MOST_MERGES
from pipelines.local_org.dml.merge import MergeRequest, merge
from pipelines.local_org.dml.outcome import Outcome, RowError
from pipelines.local_org.dml.records import JsonTypeError
from pipelines.local_org.dml.undelete import MOST as MOST_IDS
from pipelines.local_org.dml.undelete import empty_bin, undelete

router = Router()
LAST_LOGIN_VERSION = 64.0
SESSION_SECONDS = 7200
PARTNER = "urn:partner.soap.sforce.com"
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


@router.route("POST", "/services/Soap/u/{version}", login=False)
@router.route("POST", "/services/Soap/u/{version}/{organization}", login=False)
def partner(call: Call) -> Answer:
    """Answer one SOAP call."""
    try:
        return soap_answer(_run(call, *read_envelope(call.body)), PARTNER)
    except Fault as fault:
        return fault_answer(fault)


def _run(call: Call, header: Element | None, request: Element) -> str:
    name = etree.QName(request).localname
    if name == "login":
        return _login(call, request)
    handler = _HANDLERS.get(name)
    if handler is None:
        raise Fault("INVALID_OPERATION", f"No operation available for request {name}")
    return handler(with_user(call, header), request)


# -- reading and writing ---------------------------------------------------------------------------


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


def _text(element: Element, name: str) -> str | None:
    elements = children(element, name)
    if not elements or elements[0].get(f"{{{XSI}}}nil") == "true":
        return None
    return (elements[0].text or "").strip() or None


def _flag(element: Element, name: str) -> bool:
    return (_text(element, name) or "false").lower() in {"true", "1"}


def tag(name: str, value: object) -> str:
    """A value as an element; None as nil."""
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    text = str(value).lower() if isinstance(value, bool) else xml_text(value)
    return f"<{name}>{text}</{name}>"


def _errors(errors: tuple[RowError, ...]) -> str:
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


# -- the calls -------------------------------------------------------------------------------------


def _login(call: Call, request: Element) -> str:
    if float(call.version) > LAST_LOGIN_VERSION:
        raise Fault(
            "UNSUPPORTED_API_VERSION",
            f"SOAP login is not available in API version {call.version}; use OAuth",
        )
    username, password = _text(request, "username") or "", _text(request, "password") or ""
    user = check_password(call, username, password)
    if user is None:
        raise Fault(
            "INVALID_LOGIN",
            "Invalid username, password, security token; or user locked out.",
            "LoginFault",
        )
    short = call.org.organization_id[:15]
    soap = f"{call.base_url}/services/Soap"
    return (
        "<loginResponse><result>"
        + tag("metadataServerUrl", f"{soap}/m/{call.version}/{short}")
        + tag("passwordExpired", value=False)
        + tag("sandbox", call.org.setup.organization.sandbox)
        + tag("serverUrl", f"{soap}/u/{call.version}/{short}")
        + tag("sessionId", call.org.sessions.open(user))
        + tag("userId", user)
        + f"<userInfo>{_user_info(call, user)}</userInfo></result></loginResponse>"
    )


def _logout(call: Call, _request: Element) -> str:
    call.org.sessions.revoke(call.token)
    return "<logoutResponse/>"


def _server_timestamp(_call: Call, _request: Element) -> str:
    moment = dt.datetime.now(dt.UTC)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    return (
        f"<getServerTimestampResponse><result>{tag('timestamp', stamp)}</result>"
        "</getServerTimestampResponse>"
    )


def _get_user_info(call: Call, _request: Element) -> str:
    return (
        f"<getUserInfoResponse><result>{_user_info(call, call.user)}</result></getUserInfoResponse>"
    )


def _user_info(call: Call, user_id: str) -> str:
    user = user_record(call, user_id)
    about = call.org.setup.organization
    several = call.org.setup.switches.multi_currency
    values = {
        "accessibilityMode": False,
        "chatterExternal": False,
        "currencySymbol": None if several else "$",
        "orgAttachmentFileSizeLimit": 5242880,
        "orgDefaultCurrencyIsoCode": None if several else "USD",
        "orgDefaultCurrencyLocale": about.language,
        "orgDisallowHtmlAttachments": False,
        "orgHasPersonAccounts": call.org.setup.switches.person_accounts,
        "organizationId": call.org.organization_id,
        "organizationMultiCurrency": several,
        "organizationName": about.name,
        "profileId": user["ProfileId"],
        "roleId": user["UserRoleId"],
        "sessionSecondsValid": SESSION_SECONDS,
        "userDefaultCurrencyIsoCode": user.get("CurrencyIsoCode"),
        "userEmail": user["Email"],
        "userFullName": user["Name"],
        "userId": user_id,
        "userLanguage": user["LanguageLocaleKey"],
        "userLocale": user["LocaleSidKey"],
        "userName": user["Username"],
        "userTimeZone": user["TimeZoneSidKey"],
        "userType": user["UserType"],
        "userUiSkin": "Theme3",
    }
    return "".join(tag(name, value) for name, value in values.items())


def _convert_lead(call: Call, request: Element) -> str:
    converts = children(request, "leadConverts")
    if len(converts) > MOST_CONVERTS:
        raise _too_many(MOST_CONVERTS, "leads")
    results = []
    for element in converts:
        convert = _lead_convert(element)
        converted = convert_lead(call.writer, convert, call.user, call.org.setup.lead_mapping)
        results.append(
            "<result>"
            + tag("accountId", converted.account_id)
            + tag("contactId", converted.contact_id)
            + _errors(converted.errors)
            + tag("leadId", converted.lead_id)
            + tag("opportunityId", converted.opportunity_id)
            + tag("success", not converted.errors)
            + "</result>"
        )
    return f"<convertLeadResponse>{''.join(results)}</convertLeadResponse>"


def _too_many(most: int, things: str) -> Fault:
    message = unconfirmed.TOO_MANY_AT_ONCE
    return Fault(message.code, message(most=most, things=things))


def _lead_convert(element: Element) -> LeadConvert:
    for name in ("accountRecord", "contactRecord", "opportunityRecord"):
        if children(element, name):
            raise Fault("UNSUPPORTED_API_VERSION", f"This org takes ids only, not {name}")
    bypassed = {"Account": "bypassAccountDedupeCheck", "Contact": "bypassContactDedupeCheck"}
    return LeadConvert(
        lead_id=_text(element, "leadId") or "",
        converted_status=_text(element, "convertedStatus") or "",
        account_id=_text(element, "accountId") or _text(element, "relatedPersonAccountId"),
        contact_id=_text(element, "contactId"),
        opportunity_id=_text(element, "opportunityId"),
        opportunity_name=_text(element, "opportunityName"),
        owner_id=_text(element, "ownerId"),
        do_not_create_opportunity=_flag(element, "doNotCreateOpportunity"),
        overwrite_lead_source=_flag(element, "overwriteLeadSource"),
        allow_duplicates=frozenset(name for name, flag in bypassed.items() if _flag(element, flag)),
    )


def _merge(call: Call, request: Element) -> str:
    requests = children(request, "mergeRequests") or children(request, "request")
    if len(requests) > MOST_MERGES:
        raise _too_many(MOST_MERGES, "merges")
    results = []
    for element in requests:
        try:
            merged = merge(call.writer, _merge_request(element), call.user)
        except JsonTypeError as error:
            raise Fault("INVALID_TYPE", str(error)) from error
        results.append(
            "<result>"
            + _errors(merged.errors)
            + tag("id", merged.master_id)
            + "".join(tag("mergedRecordIds", victim) for victim in merged.victim_ids)
            + tag("success", not merged.errors)
            + "".join(tag("updatedRelatedIds", related) for related in merged.related_ids)
            + "</result>"
        )
    return f"<mergeResponse>{''.join(results)}</mergeResponse>"


def _merge_request(element: Element) -> MergeRequest:
    masters = children(element, "masterRecord")
    if not masters:
        raise Fault("MISSING_ARGUMENT", "masterRecord not specified")
    master: dict[str, str | None] = {}
    name = ""
    for field in masters[0]:
        if not isinstance(field.tag, str):
            continue
        tag = etree.QName(field).localname
        if tag == "type":
            name = (field.text or "").strip()
        elif tag == "fieldsToNull":
            master[(field.text or "").strip()] = None
        else:
            master[tag] = (field.text or "").strip() or None
    name = name or (masters[0].get(f"{{{XSI}}}type") or "").rpartition(":")[2]
    victims = tuple((v.text or "").strip() for v in children(element, "recordToMergeIds"))
    return MergeRequest(name, master, victims)


def _undelete(call: Call, request: Element) -> str:
    return _by_ids(call, request, "undelete", undelete)


def _empty_recycle_bin(call: Call, request: Element) -> str:
    return _by_ids(call, request, "emptyRecycleBin", empty_bin)


def _by_ids(call: Call, request: Element, name: str, work: Callable[..., list[Outcome]]) -> str:
    """Answer a call that does something to each of some records."""
    record_ids = [(element.text or "").strip() for element in children(request, "ids")]
    if len(record_ids) > MOST_IDS:
        raise _too_many(MOST_IDS, "ids")
    results = (
        "<result>"
        + _errors(outcome.errors)
        + tag("id", outcome.id)
        + tag("success", not outcome.errors)
        + "</result>"
        for outcome in work(call.writer, record_ids, call.user)
    )
    return f"<{name}Response>{''.join(results)}</{name}Response>"


_HANDLERS: dict[str, Callable[[Call, Element], str]] = {
    "logout": _logout,
    "getServerTimestamp": _server_timestamp,
    "getUserInfo": _get_user_info,
    "convertLead": _convert_lead,
    "merge": _merge,
    "undelete": _undelete,
    "emptyRecycleBin": _empty_recycle_bin,
}
