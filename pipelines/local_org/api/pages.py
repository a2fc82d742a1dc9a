"""A small read-only web page for people: objects, records and their past, jobs, API usage.

Whoever is on this machine sees it without a login (see `visitors`). Records have
the addresses that they have in a real org, `/lightning/r/Contact/003…/view`.
"""

from collections.abc import Sequence
from typing import Any

import duckdb

from pipelines.local_org import ids
from pipelines.local_org.api import jobpages, visitors
from pipelines.local_org.api.discovery import record_counts
from pipelines.local_org.api.past import labelled, latest, past_of
from pipelines.local_org.api.router import Answer, Call, Router
from pipelines.local_org.api.visitors import view
from pipelines.local_org.api.web import (
    PAGE,
    SEARCH,
    Cell,
    Names,
    catalog_of,
    cell,
    cells,
    label,
    limits_used,
    missing,
    page,
    place_of,
    record_url,
)
from pipelines.local_org.catalog.model import Field, SObject
from pipelines.local_org.store.store import rows

router = Router()
router.include(visitors.router)
router.include(jobpages.router)
LATEST = 12
RELATED = 10
MATCHES = 8
WELL_KNOWN = (
    "Email",
    "Company",
    "AccountId",
    "Phone",
    "Industry",
    "Status",
    "StageName",
    "Type",
    "BillingCity",
    "OwnerId",
)
"""The columns of a list, as far as the object has them."""
COLUMNS = 4
SEARCHED = ("Id", "FirstName", "LastName", "Name", "Email", "Phone", "MobilePhone", "Company")
SYSTEM = frozenset(
    {
        "Id",
        "IsDeleted",
        "MasterRecordId",
        "Name",
        "LastModifiedById",
        "LastModifiedDate",
        "SystemModstamp",
        "PhotoUrl",
    }
)


@view(router, "/")
@view(router, "/lightning")
@view(router, "/lightning/page/home")
def home(call: Call) -> Answer:
    """What the org holds, how much of its limits is used, and what was written last."""
    live, org = record_counts(call), call.org
    parts = [
        f"select '{o.name}', count(*) from {o.table} where \"IsDeleted\"" for o in catalog_of(call)
    ]
    with org.store.read() as connection:
        bins = dict(connection.execute(" union all ".join(parts)).fetchall())
        writes, users = latest(connection, LATEST)
    names = Names(call, users)
    objects = [
        {
            "plural": o.plural,
            "url": f"/lightning/o/{o.name}/list",
            "live": f"{live.get(o.name, 0):,}",
            "bin": bins[o.name],
        }
        for o in catalog_of(call)
        if live.get(o.name) or bins[o.name]
    ]
    about = org.setup.organization
    kind = "sandbox" if about.sandbox else "production"
    return page(
        call,
        "home",
        "Objects",
        about=f"{about.type}, {kind} · {org.organization_id}",
        objects=objects,
        used=[u for u in limits_used(call, sum(live.values())) if u["any"]],
        latest=[{**write, "user": names.link(write["user"])} for write in writes],
    )


@view(router, "/lightning/o/{name}/list")
def record_list(call: Call) -> Answer:
    """The records of an object, changed last first: all, those found, those deleted."""
    sobject = catalog_of(call).get(call["name"])
    if sobject is None:
        return missing(call)
    text, in_bin = call.query.get("q", "").strip(), call.query.get("bin") == "1"
    condition = 't."IsDeleted"' if in_bin else 'not t."IsDeleted"'
    condition, values = _searching(sobject, condition, text)
    with call.org.store.read() as connection:
        total = connection.execute(
            f"select count(*) from {sobject.table} t where {condition}", values
        ).fetchall()[0][0]
        first, place = place_of(call, total, "record")
        table = _listed(call, connection, sobject, condition, values, first, PAGE)
    return page(
        call, "list", sobject.plural, table=table, place=place, q=text, bin=in_bin
    )  # fmt: skip


@view(router, SEARCH)
def search(call: Call) -> Answer:
    """What of all objects carries a text."""
    text = call.query.get("q", "").strip()
    groups = []
    for sobject in catalog_of(call) if text else ():
        if "create" not in sobject.verbs or sobject.get("IsDeleted") is None:
            continue
        condition, values = _searching(sobject, 'not t."IsDeleted"', text)
        with call.org.store.read() as connection:
            table = _listed(call, connection, sobject, condition, values, 0, MATCHES)
        if table["lines"]:
            is_full = len(table["lines"]) == MATCHES
            url = f"/lightning/o/{sobject.name}/list"
            total = f"first {MATCHES}" if is_full else str(len(table["lines"]))
            groups.append({"url": url, "plural": sobject.plural, "total": total, "table": table})
    return page(call, "search", "Search", text=text, groups=groups)


@view(router, "/lightning/r/{name}/{id}/view")
def record(call: Call) -> Answer:
    """One record: its fields, what hangs on it, and who changed what when."""
    return _record(call, catalog_of(call).get(call["name"]))


@view(router, "/lightning/r/{id}/view")
def record_by_id(call: Call) -> Answer:
    """One record, when only its id is known."""
    return _record(call, catalog_of(call).of_id(call["id"]))


def _record(call: Call, sobject: SObject | None) -> Answer:
    if sobject is None or not ids.is_id(call["id"]):
        return missing(call)
    fields = [f for f in sobject.fields if f.type != "address"]
    columns = ", ".join(f'{f.read_sql("t")} as "{f.name}"' for f in fields)
    sql = f'select {columns}, t._n as "#" from {sobject.table} t where t."Id" = ?'
    with call.org.store.read() as connection:
        records = rows(connection, sql, ids.to18(call["id"]))
        if not records:
            return missing(call)
        values = records[0]
        past, values_of_past = past_of(connection, sobject, values["#"])
        related = _related(call, connection, sobject, values["Id"])
    names = Names(
        call, [*(values[f.name] for f in fields if f.type == "reference"), *values_of_past]
    )
    lines = [
        {"name": f.name, "label": label(f), "cell": cell(f, values[f.name], names)} for f in fields
    ]
    filled = [line for line in lines if line["cell"] and _is_news(line["name"], values)]
    master = values.get("MasterRecordId")
    return page(
        call,
        "record",
        str(values.get("Name") or values["Id"]),
        name=str((sobject.name_field and values[sobject.name_field.name]) or values["Id"]),
        id=values["Id"],
        plural=sobject.plural,
        list_url=f"/lightning/o/{sobject.name}/list",
        deleted=values.get("IsDeleted", False),
        master=names.link(master) if master else None,
        filled=filled,
        rest=[line for line in lines if line not in filled],
        related=related,
        past=[labelled(event, sobject, names) for event in past],
    )


def _is_news(name: Any, values: dict[str, Any]) -> bool:
    """Whether a field that is filled says something of this record."""
    return name not in SYSTEM and values[name] is not False


def _related(
    call: Call, connection: duckdb.DuckDBPyConnection, sobject: SObject, record_id: str
) -> list[dict[str, Any]]:
    """What hangs on a record, a list per relationship."""
    lists = []
    for relation in sobject.children:
        child = catalog_of(call)[relation.child]
        condition = f't."{relation.field}" = ? and not t."IsDeleted"'
        total = connection.execute(
            f"select count(*) from {child.table} t where {condition}", [record_id]
        ).fetchall()[0][0]
        if total:
            table = _listed(call, connection, child, condition, [record_id], 0, RELATED)
            count = f"{total:,}" if total <= RELATED else f"{RELATED} of {total:,}"
            lists.append({"name": relation.name or child.plural, "total": count, "table": table})
    return lists


def _searching(sobject: SObject, condition: str, text: str) -> tuple[str, list[Any]]:
    """A condition that also asks for a text, and its parameters."""
    if not text:
        return condition, []
    texts = [f.column for f in sobject.stored if f.name in SEARCHED or f.external_id]
    searched = ", ".join(f"t.{column}" for column in texts)
    return f"{condition} and contains(lower(concat_ws(' ', {searched})), lower(?))", [text]


def _listed(
    call: Call,
    connection: duckdb.DuckDBPyConnection,
    sobject: SObject,
    condition: str,
    values: Sequence[Any],
    first: int,
    most: int,
) -> dict[str, Any]:
    """A table of records: `header`, `lines` of cells."""
    present = [field for name in WELL_KNOWN if (field := sobject.get(name)) is not None]
    fields: list[Field] = present[:COLUMNS]
    columns = [f.read_sql("t") for f in (sobject.name_field or sobject["Id"], *fields)]
    records = connection.execute(
        f'select t."Id", {", ".join(columns)}, t."LastModifiedDate" from {sobject.table} t '
        f'where {condition} order by t."LastModifiedDate" desc, t._n desc '
        f"limit {most} offset {first}",
        list(values),
    ).fetchall()
    references = {i for i, f in enumerate(fields) if f.type == "reference"}
    names = Names(call, [row[2 + i] for row in records for i in references])
    lines = []
    for row in records:
        title = cell(None, row[1]) or cell(None, row[0])
        text = title.text if title is not None else row[0]
        lines.append(
            [
                Cell(text, record_url(sobject, row[0])),
                *cells(row[2:], [*fields, None], names),
            ]
        )
    return {"header": ["Name", *(label(f) for f in fields), "Changed"], "lines": lines}
