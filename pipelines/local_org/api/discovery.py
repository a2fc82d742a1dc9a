"""What there is: versions, resources, objects, limits."""

from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from pipelines.local_org.api.router import (
    NEWEST_VERSION,
    OLDEST_VERSION,
    Answer,
    ApiError,
    Call,
    Router,
)
from pipelines.local_org.catalog.describe import describe, global_describe, summary
from pipelines.local_org.catalog.model import SObject
from pipelines.local_org.dml.storage import live_sql
from pipelines.local_org.store.store import rows

router = Router()
RESOURCES = (
    *("composite", "jobs", "limits", "parameterizedSearch", "query", "queryAll", "search"),
    *("sobjects", "tooling", "ui-api"),
)


def release(version: int) -> str:
    """The name of a release: 67 is Summer '26, 66 Spring '26, 65 Winter '26."""
    name = {0: "Spring", 1: "Summer", 2: "Winter"}[version % 3]
    # Three a year; the year starts with Winter, whose number is 65 for '26.
    return f"{name} '{26 + (version - 65) // 3}"


@router.route("GET", "/services/data", login=False)
def versions(call: Call) -> Answer:
    """The API versions, oldest first: clients take the last one."""
    return Answer(
        content=[
            {
                "label": release(version),
                "url": f"/services/data/v{version}.0",
                "version": f"{version}.0",
            }
            for version in range(OLDEST_VERSION, NEWEST_VERSION + 1)
        ]
    )


@router.route("GET", "/services/data/v{version}")
def resources(call: Call) -> Answer:
    """The resources of a version."""
    base = f"/services/data/v{call.version}"
    content = {name: f"{base}/{name}" for name in RESOURCES}
    content["identity"] = f"{call.base_url}/id/{call.org.organization_id}/{call.user}"
    return Answer(content=content)


@router.route("GET", "/services/data/v{version}/sobjects")
def objects(call: Call) -> Answer:
    """Every object."""
    return _unless_modified(call, global_describe(call.catalog, call.version))


@router.route("GET", "/services/data/v{version}/sobjects/{name}/describe")
def describe_object(call: Call) -> Answer:
    """One object with its fields."""
    sobject = sobject_of(call)
    record_types = record_type_rows(call, sobject)
    return _unless_modified(call, describe(call.catalog, sobject, call.version, record_types))


def record_type_rows(call: Call, sobject: SObject) -> list[dict[str, Any]]:
    """The records of an object's record types."""
    with call.org.store.read() as connection:
        return rows(
            connection,
            'select "Id", "Name", "DeveloperName", "IsActive" from records."RecordType"'
            ' where "SobjectType" = ? and not "IsDeleted" order by "Name"',
            sobject.name,
        )


@router.route("GET", "/services/data/v{version}/sobjects/{name}")
def object_info(call: Call) -> Answer:
    """One object in short, with the records touched last."""
    sobject = sobject_of(call)
    path = f"/services/data/v{call.version}/sobjects/{sobject.name}"
    with call.org.store.read() as connection:
        recent = connection.execute(
            f'select "Id" from {sobject.table} where not "IsDeleted" '
            'order by "LastModifiedDate" desc limit 5'
        ).fetchall()
    items = [
        {"attributes": {"type": sobject.name, "url": f"{path}/{row[0]}"}, "Id": row[0]}
        for row in recent
    ]
    return Answer(content={"objectDescribe": summary(sobject, call.version), "recentItems": items})


@router.route("GET", "/services/data/v{version}/limits")
def limits(call: Call) -> Answer:
    """The limits and what is left of them."""
    content: dict[str, Any] = dict(call.org.usage.remaining(sum(record_counts(call).values())))
    return Answer(content=content)


@router.route("GET", "/services/data/v{version}/limits/recordCount")
def record_count(call: Call) -> Answer:
    """How many records objects have."""
    names = [name for name in call.query.get("sObjects", "").split(",") if name]
    visible = {o.name for name in names if (o := call.catalog.get(name)) is not None}
    counts = record_counts(call)
    listed = [
        {"count": count, "name": name}
        for name, count in sorted(counts.items())
        if name in visible or (not names and count)
    ]
    return Answer(content={"sObjects": listed})


def sobject_of(call: Call) -> SObject:
    """The object that the path names.

    Raises:
        ApiError: 404, there is none of that name.
    """
    sobject = call.catalog.get(call["name"])
    if sobject is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    return sobject


def record_counts(call: Call) -> dict[str, int]:
    """How many live records each object has."""
    with call.org.store.read() as connection:
        return dict(connection.execute(live_sql(call.catalog)).fetchall())


def _unless_modified(call: Call, content: Any) -> Answer:
    modified = call.org.changes.moment(call.path, call.user, content)
    headers = {"Last-Modified": format_datetime(modified, usegmt=True)}
    header = call.headers.get("if-modified-since")
    if header is not None:
        try:
            since = parsedate_to_datetime(header)
        except ValueError:
            since = None
        if since is not None and since.tzinfo is not None and since >= modified:
            return Answer(304, headers=headers)
    return Answer(content=content, headers=headers)
