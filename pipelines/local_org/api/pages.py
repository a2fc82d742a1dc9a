"""A small read-only web page for people: objects, records, jobs with their errors, API usage.

It answers without a login: the org listens on loopback only and holds nothing real.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.api.discovery import record_counts
from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.bulk.csvfile import DELIMITERS
from pipelines.local_org.bulk.ingest import FAILED
from pipelines.local_org.bulk.jobs import Job
from pipelines.local_org.catalog.model import SObject
from pipelines.local_org.soql.run import json_value
from pipelines.local_org.store.store import rows

router = Router()
LISTED = 200
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0;color:#16325c;background:#f4f6f9}
header{background:#16325c;color:#fff;padding:.7em 1.5em}header a{color:#fff;margin-right:1.5em}
main{background:#fff;margin:1.5em;padding:1em 1.5em;border-radius:6px}
table{border-collapse:collapse}td,th{text-align:left;padding:.25em .9em .25em 0;vertical-align:top}
th{font-weight:600}tr+tr td{border-top:1px solid #e4e8ee}a{color:#0b5cab}
.empty{color:#8a94a6}.gone{color:#b00020}
"""


@router.route("GET", "/", login=False)
@router.route("GET", "/lightning", login=False)
@router.route("GET", "/lightning/page/home", login=False)
def home(call: Call) -> Answer:
    """What the org holds and how much of its limits is used."""
    counts = record_counts(call)
    held = [(sobject, counts[sobject.name]) for sobject in call.catalog]
    objects = _table(
        ["Object", "Records"],
        [[_link(f"/lightning/o/{o.name}/list", o.plural), f"{n:,}"] for o, n in held if n],
    )
    limits = call.org.usage.remaining(sum(n for _, n in held))
    used = _table(
        ["Limit", "Left", "Of"],
        [
            [escape(name), f"{limit['Remaining']:,}", f"{limit['Max']:,}"]
            for name, limit in limits.items()
            if limit["Remaining"] != limit["Max"]
        ],
    )
    return _page(call, call.org.setup.organization.name, f"{objects}<h2>Used today</h2>{used}")


@router.route("GET", "/lightning/o/{name}/list", login=False)
def record_list(call: Call) -> Answer:
    """The newest records of an object."""
    sobject = _sobject(call, call["name"])
    shown = [f for f in (sobject.name_field, sobject.get("Email"), sobject.get("OwnerId")) if f]
    columns = ", ".join(f"{f.read_sql('t')} as c{i}" for i, f in enumerate(shown))
    more = f", {columns}" if columns else ""
    with call.org.store.read() as connection:
        found = connection.execute(
            f'select t."Id"{more}, t."LastModifiedDate" from {sobject.table} t '
            f'where not t."IsDeleted" order by t."LastModifiedDate" desc, t._n desc limit {LISTED}'
        ).fetchall()
    lines = [
        [_record_link(sobject, row[0], row[0]), *(_text(call, value) for value in row[1:])]
        for row in found
    ]
    header = ["Id", *(f.label for f in shown), "Changed"]
    note = f"<p>The {LISTED} records changed last.</p>" if len(found) == LISTED else ""
    return _page(call, sobject.plural, note + _table(header, lines))


@router.route("GET", "/lightning/r/{name}/{id}/view", login=False)
def record(call: Call) -> Answer:
    """One record, field by field, and what hangs on it."""
    return _record(call, _sobject(call, call["name"]))


@router.route("GET", "/lightning/r/{id}/view", login=False)
def record_by_id(call: Call) -> Answer:
    """One record, when only its id is known."""
    sobject = call.catalog.of_id(call["id"])
    if sobject is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    return _record(call, sobject)


@router.route("GET", "/lightning/jobs", login=False)
def jobs(call: Call) -> Answer:
    """The Bulk jobs."""
    found = [*call.org.jobs.all("V2Ingest"), *call.org.jobs.all("V2Query")]
    lines = [
        [
            _link(f"/lightning/jobs/{job.id}", job.id),
            escape(job.operation),
            escape(job.object),
            escape(job.state),
            f"{job.rows_done:,}",
            f"{job.rows_failed:,}",
            f"{job.created_at}",
        ]
        for job in sorted(found, key=lambda job: -job.n)
    ]
    header = ["Job", "Operation", "Object", "State", "Rows", "Failed", "Made"]
    return _page(call, "Bulk jobs", _table(header, lines))


@router.route("GET", "/lightning/jobs/{id}", login=False)
def job_page(call: Call) -> Answer:
    """One job, with the rows that failed and why."""
    job = call.org.jobs.get(call["id"])
    if job is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    about = {
        "Operation": job.operation,
        "Object": job.object,
        "State": job.state,
        "Error": job.error,
        "Rows": job.rows_done,
        "Failed": job.rows_failed,
        "Seconds": job.milliseconds / 1000,
        "Made": job.created_at,
        **job.spec,
    }
    lines = [[escape(name), _text(call, value)] for name, value in about.items()]
    failed = [[escape(value) for value in row] for row in _failed_rows(call, job)]
    errors = f"<h2>Rows that failed</h2>{_table([], failed)}" if failed else ""
    return _page(call, f"Job {job.id}", _table([], lines) + errors)


def _failed_rows(call: Call, job: Job) -> list[list[str]]:
    """The first failed rows of a job, as its result file has them."""
    found: list[list[str]] = []
    for part in sorted(call.org.jobs.folder(job.id).glob(f"{FAILED}-[0-9]*.csv")):
        text = io.StringIO(part.read_text(encoding="utf-8"), newline="")
        for row in csv.reader(text, delimiter=DELIMITERS[job.spec["columnDelimiter"]]):
            found.append(row)
            if len(found) == LISTED:
                return found
    return found


def _record(call: Call, sobject: SObject) -> Answer:
    if not ids.is_id(call["id"]):
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    fields = [f for f in sobject.fields if f.type != "address"]
    columns = ", ".join(f'{f.read_sql("t")} as "{f.name}"' for f in fields)
    with call.org.store.read() as connection:
        found = rows(
            connection,
            f'select {columns} from {sobject.table} t where t."Id" = ?',
            ids.to18(call["id"]),
        )
        if not found:
            raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
        children = [_children(call, child.child, child.field, found[0]["Id"], child.name)
                    for child in sobject.children]  # fmt: skip
    values = found[0]
    lines = [
        [escape(f.label), f"<code>{escape(f.name)}</code>", _text(call, values[f.name], f)]
        for f in fields
    ]
    title = str(values.get("Name") or values["Id"])
    gone = '<p class="gone">This record is in the recycle bin.</p>' if values["IsDeleted"] else ""
    body = gone + _table([], lines) + "".join(children)
    return _page(call, f"{sobject.label}: {title}", body)


def _children(call: Call, name: str, field: str, parent: str, relationship: str | None) -> str:
    child = call.catalog[name]
    with call.org.store.read() as connection:
        found = connection.execute(
            f'select "Id" from {child.table} where "{field}" = ? and not "IsDeleted" '
            f"limit {LISTED}",
            [parent],
        ).fetchall()
    if not found:
        return ""
    lines = [[_record_link(child, row[0], row[0])] for row in found]
    return f"<h2>{escape(relationship or child.plural)}</h2>{_table([], lines)}"


def _sobject(call: Call, name: str) -> SObject:
    sobject = call.catalog.get(name)
    if sobject is None:
        raise ApiError(404, "NOT_FOUND", "The requested resource does not exist")
    return sobject


def _text(call: Call, value: Any, field: Any = None) -> str:
    """A value for people; ids link to their records."""
    if value is None:
        return '<span class="empty">–</span>'
    if isinstance(value, str) and ids.is_id(value) and len(value) == 18:
        sobject = call.catalog.of_id(value)
        if sobject is not None and (field is None or field.type in {"id", "reference"}):
            return _record_link(sobject, value, value)
    shown = json_value(field, value) if field is not None else value
    return escape(str(shown)).replace("\n", "<br>")


def _record_link(sobject: SObject, record_id: str, text: str) -> str:
    return _link(f"/lightning/r/{sobject.name}/{record_id}/view", text)


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{escape(text)}</a>'


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines
    )
    return f"<table>{f'<tr>{head}</tr>' if header else ''}{body}</table>"


def _page(call: Call, title: str, body: str) -> Answer:
    name = escape(call.org.setup.organization.name)
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style><header><a href='/'>{name}</a>"
        "<a href='/lightning/jobs'>Bulk jobs</a></header>"
        f"<main><h1>{escape(title)}</h1>{body}</main></html>"
    )
    return Answer(raw=html.encode(), media_type="text/html;charset=UTF-8")
