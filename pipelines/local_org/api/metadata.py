"""Making custom fields: the Metadata SOAP call and the Tooling REST call that clients use."""

from typing import Any

from lxml import etree

from pipelines.local_org import ids
from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.api.soap import (
    XSI,
    Element,
    Fault,
    children,
    fault_answer,
    read_envelope,
    soap_answer,
    tag,
    with_user,
)
from pipelines.local_org.customfields import CustomFieldError

router = Router()
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


@router.route("POST", "/services/Soap/m/{version}", login=False)
@router.route("POST", "/services/Soap/m/{version}/{organization}", login=False)
def metadata(call: Call) -> Answer:
    """Answer one call of the Metadata API."""
    try:
        header, request = read_envelope(call.body)
        return soap_answer(_run(with_user(call, header), request), NAMESPACE)
    except Fault as fault:
        return fault_answer(fault)


@router.route("POST", "/services/data/v{version}/tooling/sobjects/CustomField")
def tooling_create(call: Call) -> Answer:
    """Make a custom field from its Tooling record."""
    body = call.json_object()
    described = body.get("Metadata")
    if not isinstance(described, dict):
        raise ApiError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]")
    try:
        call.org.custom_fields.make(str(body.get("FullName", "")), described)
    except CustomFieldError as error:
        raise ApiError(400, error.code, str(error), ()) from error
    new_id = ids.record_id("00N", call.org.store.pod, call.org.store.numbers("00N"))
    return Answer(201, {"id": new_id, "success": True, "errors": [], "warnings": [], "infos": []})


def _run(call: Call, request: Element) -> str:
    name = etree.QName(request).localname
    if name not in {"createMetadata", "upsertMetadata"}:
        raise Fault("INVALID_OPERATION", f"No operation available for request {name}")
    results = []
    for element in children(request, "metadata"):
        kind = (element.get(f"{{{XSI}}}type") or "").rpartition(":")[2]
        described = _value(element)
        full_name = str(described.get("fullName", "")) if isinstance(described, dict) else ""
        results.append(_create(call, kind, full_name, described))
    return f"<{name}Response>{''.join(results)}</{name}Response>"


def _create(call: Call, kind: str, full_name: str, described: Any) -> str:
    if kind != "CustomField" or not isinstance(described, dict):
        return _refused(full_name, "INVALID_TYPE", f"{kind} cannot be made in this org")
    try:
        call.org.custom_fields.make(full_name, described)
    except CustomFieldError as error:
        return _refused(full_name, error.code, str(error))
    return f"<result>{tag('fullName', full_name)}<success>true</success></result>"


def _refused(full_name: str, code: str, message: str) -> str:
    error = f"<errors>{tag('message', message)}{tag('statusCode', code)}</errors>"
    return f"<result>{error}{tag('fullName', full_name)}<success>false</success></result>"


def _value(element: Element) -> Any:
    """An element as text or dict; repeated names make a list."""
    inner = [e for e in element if isinstance(e.tag, str)]
    if not inner:
        return (element.text or "").strip() or None
    values: dict[str, Any] = {}
    for child in inner:
        name, value = etree.QName(child).localname, _value(child)
        if name in values:
            known = values[name]
            values[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            values[name] = value
    return values
