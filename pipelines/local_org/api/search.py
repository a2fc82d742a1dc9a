"""Search by words: the parameterised form, and the plain kind of SOSL that clients send.

Every word must start a word of one of the searched fields, whatever its case.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipelines.local_org.api.query import select_records
from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.catalog.model import Field, SObject, literal

router = Router()
MOST = 200
_SOSL = re.compile(
    r"\s*FIND\s*\{(?P<text>(?:[^}\\]|\\.)*)\}(?:\s+IN\s+(?P<where>\w+)\s+FIELDS)?"
    r"(?:\s+RETURNING\s+(?P<objects>.+?))?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_RETURNING = re.compile(r"(\w+)\s*(?:\(([^()]*)\))?")
_SEARCHED: dict[str, Callable[[Field], bool]] = {
    "NAME": lambda f: f.name in {"Name", "FirstName", "LastName", "Company"},
    "EMAIL": lambda f: f.type == "email",
    "PHONE": lambda f: f.type == "phone",
    "ALL": lambda f: f.type in {"string", "email", "phone", "url", "picklist"},
}


@dataclass(frozen=True)
class Target:
    """One object to search, and the fields to answer with."""

    name: str
    fields: tuple[str, ...]
    limit: int = MOST


@router.route("GET", "/services/data/v{version}/search")
def sosl(call: Call) -> Answer:
    """Search with `FIND {…} IN … FIELDS RETURNING …`."""
    match = _SOSL.fullmatch(call.query.get("q", ""))
    if match is None:
        raise ApiError(400, "MALFORMED_SEARCH", "No search term found. The search term is missing.")
    objects = match["objects"] or ""
    targets = [Target(part[1], _names(part[2] or "")) for part in _RETURNING.finditer(objects)]
    text = re.sub(r"\\(.)", r"\1", match["text"])
    return _search(
        call, text, (match["where"] or "ALL").upper(), targets, int(match["limit"] or MOST)
    )


@router.route("GET", "/services/data/v{version}/parameterizedSearch")
def by_url(call: Call) -> Answer:
    """Search with the parameters of the URL."""
    query = call.query
    targets = [
        Target(name, _names(query.get(f"{name}.fields", query.get("fields", ""))),
               _limit(query.get(f"{name}.limit", query.get("defaultLimit"))))
        for name in _names(query.get("sobject", query.get("sobjects", "")))
    ]  # fmt: skip
    where = query.get("in", "ALL").upper()
    return _search(call, query.get("q", ""), where, targets, _limit(query.get("overallLimit")))


@router.route("POST", "/services/data/v{version}/parameterizedSearch")
def by_body(call: Call) -> Answer:
    """Search with the parameters of a JSON body."""
    body = call.json_object()
    common = tuple(str(name) for name in body.get("fields") or ())
    listed = body.get("sobjects") or []
    if not isinstance(listed, list) or not all(isinstance(o, dict) for o in listed):
        raise ApiError(400, "INVALID_SEARCH", "sobjects must be a list of objects")
    targets = [
        Target(
            str(o.get("name")),
            tuple(str(name) for name in o.get("fields") or common),
            _limit(o.get("limit", body.get("defaultLimit"))),
        )
        for o in listed
    ]
    where = str(body.get("in", "ALL")).upper()
    return _search(call, str(body.get("q", "")), where, targets, _limit(body.get("overallLimit")))


def _search(call: Call, text: str, where: str, targets: list[Target], most: int) -> Answer:
    words = [word for word in re.split(r"[^\w@.+-]+", text.lower()) if word.strip("*")]
    if not words or len(text.strip()) < 2:
        raise ApiError(400, "MALFORMED_SEARCH", "search term must be longer than one character")
    if where not in _SEARCHED:
        raise ApiError(400, "MALFORMED_SEARCH", f"unknown search scope {where}")
    searched = targets or [Target(o.name, ("Id",)) for o in call.catalog if "search" in o.verbs]
    records: list[dict[str, Any]] = []
    for target in searched:
        records += _matches(call, target, words, where)
    return Answer(content={"searchRecords": records[:most]})


def _matches(call: Call, target: Target, words: list[str], where: str) -> Iterator[dict[str, Any]]:
    sobject = call.catalog.get(target.name)
    if sobject is None or "search" not in sobject.verbs:
        raise ApiError(400, "INVALID_TYPE", f"sObject type '{target.name}' is not supported.")
    fields = [field for field in sobject.fields if _SEARCHED[where](field)]
    if not fields:
        return
    with call.org.store.read() as connection:
        lines = connection.execute(_matches_sql(sobject, fields, words, target.limit)).fetchall()
    record_ids = [row[0] for row in lines]
    if record_ids:
        records = select_records(call, sobject, target.fields or ("Id",), record_ids)
        yield from (records[record_id] for record_id in record_ids)


def _matches_sql(sobject: SObject, fields: list[Field], words: list[str], most: int) -> str:
    searched = ", ".join(f.read_sql("t") for f in fields)
    starts = [literal("(^|[^a-z0-9])" + re.escape(word.strip("*"))) for word in words]
    tests = [f"regexp_matches(all_text, {start})" for start in starts]
    return (
        f"select id from (select t.\"Id\" as id, lower(concat_ws(' ', {searched})) as all_text "
        f'from {sobject.table} t where not t."IsDeleted") '
        f"where {' and '.join(tests)} order by id limit {most}"
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _limit(value: Any) -> int:
    return min(MOST, int(value)) if str(value).isdigit() else MOST
