"""The partner SOAP API, as far as it does what REST cannot: login, convertLead, merge."""

import datetime as dt
from collections.abc import Callable

from lxml import etree

from pipelines.local_org import unconfirmed
from pipelines.local_org.api.envelope import (
    XSI,
    Element,
    Fault,
    children,
    errors_of,
    fault_answer,
    flag_of,
    read_envelope,
    soap_answer,
    tag,
    text_of,
    with_user,
)
from pipelines.local_org.api.oauth import check_password, user_record
from pipelines.local_org.api.router import Answer, Call, Router, unexpected
from pipelines.local_org.dml.convert import MOST as MOST_CONVERTS
from pipelines.local_org.dml.convert import LeadConvert, convert_lead
from pipelines.local_org.dml.merge import MOST as MOST_MERGES
from pipelines.local_org.dml.merge import MergeRequest, merge
from pipelines.local_org.dml.outcome import Outcome
from pipelines.local_org.dml.records import JsonTypeError
from pipelines.local_org.dml.undelete import MOST as MOST_IDS
from pipelines.local_org.dml.undelete import empty_bin, undelete

router = Router()
LAST_LOGIN_VERSION = 64.0
SESSION_SECONDS = 7200
PARTNER = "urn:partner.soap.sforce.com"


@router.route("POST", "/services/Soap/u/{version}", login=False)
@router.route("POST", "/services/Soap/u/{version}/{organization}", login=False)
def partner(call: Call) -> Answer:
    """Answer one SOAP call."""
    try:
        return soap_answer(_run(call, *read_envelope(call.body)), PARTNER)
    except Fault as fault:
        return fault_answer(fault)
    except Exception as error:
        return fault_answer(Fault("UNKNOWN_EXCEPTION", unexpected(error, "SOAP call")))


def _run(call: Call, header: Element | None, request: Element) -> str:
    name = etree.QName(request).localname
    if name == "login":
        return _login(call, request)
    handler = _HANDLERS.get(name)
    if handler is None:
        raise Fault("INVALID_OPERATION", f"No operation available for request {name}")
    return handler(with_user(call, header), request)


def _login(call: Call, request: Element) -> str:
    if float(call.version) > LAST_LOGIN_VERSION:
        raise Fault(
            "UNSUPPORTED_API_VERSION",
            f"SOAP login is not available in API version {call.version}; use OAuth",
        )
    username, password = text_of(request, "username") or "", text_of(request, "password") or ""
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
            + errors_of(converted.errors)
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
        lead_id=text_of(element, "leadId") or "",
        converted_status=text_of(element, "convertedStatus") or "",
        account_id=text_of(element, "accountId") or text_of(element, "relatedPersonAccountId"),
        contact_id=text_of(element, "contactId"),
        opportunity_id=text_of(element, "opportunityId"),
        opportunity_name=text_of(element, "opportunityName"),
        owner_id=text_of(element, "ownerId"),
        do_not_create_opportunity=flag_of(element, "doNotCreateOpportunity"),
        overwrite_lead_source=flag_of(element, "overwriteLeadSource"),
        allow_duplicates=frozenset(
            name for name, flag in bypassed.items() if flag_of(element, flag)
        ),
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
            + errors_of(merged.errors)
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
        + errors_of(outcome.errors)
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
