"""The Metadata API, as far as tools manage custom fields with it.

CustomField can be created, read, updated, upserted, deleted and listed; CustomObject and RecordType
read and listed.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from lxml import etree

from pipelines.local_org.api.envelope import (
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
from pipelines.local_org.api.router import Answer, Call, Router
from pipelines.local_org.catalog.fieldmetadata import field_metadata
from pipelines.local_org.catalog.model import Field, SObject
from pipelines.local_org.customfields import CustomFieldError
from pipelines.local_org.store.store import rows

router = Router()
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
MOST = 10
"""Components in one call."""
Components = Iterator[tuple[str, dict[str, Any]]]
"""Full names, each with its metadata."""


@router.route("POST", "/services/Soap/m/{version}", login=False)
@router.route("POST", "/services/Soap/m/{version}/{organization}", login=False)
def metadata(call: Call) -> Answer:
    """Answer one call of the Metadata API."""
    try:
        header, request = read_envelope(call.body)
        return soap_answer(_run(with_user(call, header), request), NAMESPACE)
    except Fault as fault:
        return fault_answer(fault)


def _run(call: Call, request: Element) -> str:
    name = etree.QName(request).localname
    handler = _HANDLERS.get(name)
    if handler is None:
        raise Fault("INVALID_OPERATION", f"No operation available for request {name}")
    return f"<{name}Response>{handler(call, request)}</{name}Response>"


# -- writing ---------------------------------------------------------------------------------------


def _create(call: Call, request: Element) -> str:
    def make(full_name: str, described: dict[str, Any]) -> None:
        call.org.custom_fields.make(full_name, described)

    return _write_each(request, make)


def _update(call: Call, request: Element) -> str:
    return _write_each(request, call.org.custom_fields.change)


def _upsert(call: Call, request: Element) -> str:
    def upsert(full_name: str, described: dict[str, Any]) -> bool:
        is_new = full_name.lower() not in {name.lower() for name, _ in _custom_fields(call)}
        if is_new:
            call.org.custom_fields.make(full_name, described)
        else:
            call.org.custom_fields.change(full_name, described)
        return is_new

    return _write_each(request, upsert)


def _delete(call: Call, request: Element) -> str:
    kind, names = _type_and_names(request)
    remove = call.org.custom_fields.remove
    return "".join(_result(name, kind, partial(remove, name)) for name in names)


def _write_each(request: Element, write: Callable[[str, dict[str, Any]], bool | None]) -> str:
    """The results of writing the components of a request, each on its own."""
    components = children(request, "metadata")
    _few(components)
    results = []
    for component in components:
        kind = (component.get(f"{{{XSI}}}type") or "").rpartition(":")[2]
        described = _value(component)
        values = described if isinstance(described, dict) else {}
        name = str(values.get("fullName", ""))
        results.append(_result(name, kind, partial(write, name, values)))
    return "".join(results)


def _result(full_name: str, kind: str, write: Callable[[], bool | None]) -> str:
    """What became of one component; an upsert also tells whether it made it."""
    if kind != "CustomField":
        return _refused(full_name, "INVALID_TYPE", f"{kind} cannot be written in this org")
    try:
        created = write()
    except CustomFieldError as error:
        return _refused(full_name, error.code, str(error))
    created_tag = "" if created is None else tag("created", created)
    return f"<result>{created_tag}{tag('fullName', full_name)}<success>true</success></result>"


def _refused(full_name: str, code: str, message: str) -> str:
    error = f"<errors>{tag('message', message)}{tag('statusCode', code)}</errors>"
    return f"<result>{error}{tag('fullName', full_name)}<success>false</success></result>"


# -- reading ---------------------------------------------------------------------------------------


def _read(call: Call, request: Element) -> str:
    kind, names = _type_and_names(request)
    components = {name.lower(): (name, described) for name, described in _components(call, kind)}
    records = []
    for name in names:
        if name.lower() in components:
            full_name, described = components[name.lower()]
            body = tag("fullName", full_name) + _elements(described)
            records.append(f'<records xsi:type="{kind}">{body}</records>')
        else:
            records.append('<records xsi:nil="true"/>')
    return f"<result>{''.join(records)}</result>"


def _list(call: Call, request: Element) -> str:
    results = []
    for query in children(request, "queries"):
        kinds = children(query, "type")
        kind = (kinds[0].text or "").strip() if kinds else ""
        results += [_properties(call, kind, name) for name, _ in _components(call, kind)]
    return "".join(results)


def _describe(call: Call, _request: Element) -> str:
    described = {
        "metadataObjects": [
            {
                "childXmlNames": ["CustomField", "RecordType"],
                "directoryName": "objects",
                "inFolder": False,
                "metaFile": False,
                "suffix": "object",
                "xmlName": "CustomObject",
            }
        ],
        "organizationNamespace": "",
        "partialSaveAllowed": True,
        "testRequired": False,
    }
    return f"<result>{_elements(described)}</result>"


def _properties(call: Call, kind: str, full_name: str) -> str:
    started = call.org.state["user_id"]
    user = call.org.setup.user
    name = " ".join(filter(None, (user.first_name, user.last_name)))
    moment = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    about = {
        "createdById": started,
        "createdByName": name,
        "createdDate": moment,
        "fileName": f"objects/{full_name.partition('.')[0]}.object",
        "fullName": full_name,
        "id": call.org.custom_fields.id_of(full_name) if kind == "CustomField" else "",
        "lastModifiedById": started,
        "lastModifiedByName": name,
        "lastModifiedDate": moment,
        "manageableState": "unmanaged",
        "type": kind,
    }
    return f"<result>{_elements(about)}</result>"


def _components(call: Call, kind: str) -> Components:
    """Every component of a kind, by full name.

    Raises:
        Fault: there is no such kind here.
    """
    if kind == "CustomField":
        yield from _custom_fields(call)
    elif kind == "RecordType":
        yield from _record_types(call)
    elif kind == "CustomObject":
        for sobject in call.org.custom_fields.complete():
            yield sobject.name, _object(call, sobject)
    else:
        raise Fault("INVALID_TYPE", f"Unknown type name '{kind}' specified")


def _custom_fields(call: Call) -> Components:
    for sobject in call.org.custom_fields.complete():
        for field in _own_fields(sobject):
            yield f"{sobject.name}.{field.name}", field_metadata(field)


def _own_fields(sobject: SObject) -> list[Field]:
    """The custom fields of an object; those of contacts that person accounts show are not."""
    return [f for f in sobject.fields if f.custom and not f.name.endswith("__pc")]


def _object(call: Call, sobject: SObject) -> dict[str, Any]:
    kinds = [
        (name, described)
        for name, described in _record_types(call)
        if name.startswith(f"{sobject.name}.")
    ]
    return {
        "fields": [{"fullName": f.name} | field_metadata(f) for f in _own_fields(sobject)],
        "label": sobject.label,
        "pluralLabel": sobject.plural,
        "recordTypes": [
            {"fullName": name.partition(".")[2]} | described for name, described in kinds
        ],
    }


def _record_types(call: Call) -> Components:
    with call.org.store.read() as connection:
        record_types = rows(
            connection,
            'select "SobjectType", "DeveloperName", "Name", "IsActive" from records."RecordType" '
            'order by "SobjectType", "DeveloperName"',
        )
    for row in record_types:
        described = {"active": row["IsActive"], "label": row["Name"]}
        yield f"{row['SobjectType']}.{row['DeveloperName']}", described


# -- XML -------------------------------------------------------------------------------------------


def _type_and_names(request: Element) -> tuple[str, list[str]]:
    """The type and the full names that a request names."""
    kinds, names = children(request, "type"), children(request, "fullNames")
    _few(names)
    kind = (kinds[0].text or "").strip() if kinds else ""
    return kind, [(name.text or "").strip() for name in names]


def _few(components: list[Element]) -> None:
    if len(components) > MOST:
        raise Fault("EXCEEDED_ID_LIMIT", f"record limit reached: at most {MOST} components")


def _elements(values: dict[str, Any]) -> str:
    """Values as elements; what a list holds is one element after the other."""
    parts = []
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            inner = (
                f"<{name}>{_elements(one)}</{name}>" if isinstance(one, dict) else tag(name, one)
            )
            parts.append(inner)
    return "".join(parts)


def _value(element: Element) -> Any:
    """An element as text or dict; repeated names make a list."""
    inner = [e for e in element if isinstance(e.tag, str)]
    if not inner:
        return (element.text or "").strip() or None
    values: dict[str, Any] = {}
    for child in inner:
        name, value = etree.QName(child).localname, _value(child)
        if name in values:
            earlier = values[name]
            values[name] = [*earlier, value] if isinstance(earlier, list) else [earlier, value]
        else:
            values[name] = value
    return values


_HANDLERS: dict[str, Callable[[Call, Element], str]] = {
    "createMetadata": _create,
    "readMetadata": _read,
    "updateMetadata": _update,
    "upsertMetadata": _upsert,
    "deleteMetadata": _delete,
    "listMetadata": _list,
    "describeMetadata": _describe,
}
