"""What the org holds now: what to ask for, answers as a relation, and what of them is new."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.sync.mapping.fields import INTEGERS, NUMBERS, Field
from pipelines.sync.mapping.match import NEEDS
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.mapping.named_objects import ACCOUNT, CONVERSION, USER, converts
from pipelines.sync.mapping.persons import IS_PERSON, WITH_PERSONS, consent_of
from pipelines.sync.mapping.wire import number_type, quoted
from pipelines.warehouse import csv_sql, literal

USER_FIELDS = ("Id", "Username", "Name", "IsActive", "SystemModstamp")
MERGED = "MasterRecordId"
"""Only objects whose records can be merged have it."""
_ALWAYS = (
    "Id",
    "IsDeleted",
    MERGED,
    "CreatedDate",
    "LastModifiedDate",
    "LastModifiedById",
    "SystemModstamp",
)
_PERSONS = (IS_PERSON, consent_of(ACCOUNT).address)
"""Fields that only orgs with person accounts have."""
_MOMENTS = frozenset({"CreatedDate", "LastModifiedDate", "SystemModstamp"})


def fields_needed(mappings: Mapping[str, ObjectMapping]) -> dict[str, list[str]]:
    """Each sObject and the fields its snapshot needs: for the plan, for matching, for look-ups."""
    needed: dict[str, list[str]] = {}
    for mapping in mappings.values():
        earlier = needed.get(mapping.object, [])
        needed[mapping.object] = list(dict.fromkeys((*earlier, *_needed(mapping))))
    return needed | {USER: list(USER_FIELDS)}


def fields_read(needed: Iterable[str], schema: Mapping[str, Field]) -> tuple[str, ...]:
    """The fields of a snapshot that the org has: all of them, but a few are not on every object."""
    if not schema:
        return tuple(name for name in needed if name not in _PERSONS)
    return tuple(name for name in needed if name not in (MERGED, *_PERSONS) or name in schema)


def has_deleted(object_name: str) -> bool:
    """Whether records of an object can be deleted; users can only be made inactive."""
    return object_name != USER


def snapshot_soql(object_name: str, fields: Iterable[str], where: str | None = None) -> str:
    """The query whose pages ``snapshot_sql`` reads; to be asked with deleted records included."""
    return f"select {', '.join(fields)} from {object_name}{_where_clause(where)}"


def count_soql(object_name: str, where: str | None = None) -> str:
    """The query that says how many records ``snapshot_soql`` would find."""
    return f"select count() from {object_name}{_where_clause(where)}"


def touched_since(moment: datetime) -> str:
    """A condition of SOQL: what the org wrote at that moment or later, in whatever way."""
    return f"SystemModstamp >= {moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def touched_before(moment: datetime) -> str:
    """A condition of SOQL: what the org wrote last before that moment."""
    return f"SystemModstamp < {moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def ids_condition(ids: Iterable[str]) -> str:
    """A condition of SOQL: records by their Ids, of which about 400 fit into one query."""
    return f"Id in ({', '.join(map(literal, ids))})"


def snapshot_sql(
    fields: Sequence[str], pages: Sequence[Path], schema: Mapping[str, Field] | None = None
) -> str:
    """The relation ``org_<object>`` from pages of a query: all text, byte for byte; blank is null.

    REST and Bulk write numbers and instants in forms of their own; here both have one.

    Args:
        fields: the columns wanted, in their order; the pages have them, in any order.
        pages: at least one; an empty result is a page with only its header.
        schema: the object's fields; one that is not there counts as text.
    """
    fields_by_name = schema or {}
    listed = ",\n    ".join(_column_sql(name, fields_by_name.get(name)) for name in fields)
    return f"select\n    {listed}\nfrom {pages_sql(pages)}"


def pages_sql(pages: Sequence[Path]) -> str:
    """CSV files of one shape as Salesforce writes them, as a table of text columns."""
    with pages[0].open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    columns = ", ".join(f"{literal(name)}: 'varchar'" for name in header)
    # Nothing is sniffed: a guessed dialect or type could change or lose a value.
    return csv_sql(
        pages,
        f"columns = {{{columns}}}, header = true,\n"
        "    delim = ',', quote = '\"', escape = '\"', nullstr = '', max_line_size = 16777216",
    )


def newest_sql(query: str) -> str:
    """Each record of a query once: one that moved while it was read may come twice."""
    return (
        f"select * from ({query}) qualify row_number() over"
        ' (partition by "Id" order by "SystemModstamp" desc) = 1'
    )


def with_ids_sql(query: str, records: str) -> str:
    """The rows of a query whose Ids stand in the relation ``records``."""
    return f'select listed.* from ({query}) as listed semi join {records} using ("Id")'


def moved_sql(stamps: str, before: str) -> str:
    """Ids whose ``SystemModstamp`` in the query ``stamps`` is not the one in the mirror."""
    return (
        f'select "Id" from ({stamps}) anti join (select "Id", "SystemModstamp" from ({before}))'
        ' using ("Id", "SystemModstamp")'
    )


def next_mirror_sql(before: str) -> str:
    """What the mirror is going to hold: ``before`` with the relation ``touched`` laid over it."""
    return (
        f'select "Id", "IsDeleted" from ({before}) anti join touched using ("Id")'
        ' union all select "Id", "IsDeleted" from touched'
    )


def tombstones_sql(fields: Sequence[str]) -> str:
    """A row with only its ``Id`` for each of the relation ``deleted``."""
    listed = ", ".join("null::varchar" if name != "Id" else '"Id"' for name in fields)
    return f"select {listed} from deleted"


def differing_sql() -> str:
    """What of ``touched`` is not in ``mirrored`` already, but nothing that was never there."""
    return (
        'select * from (select * from touched except select * from mirrored) where "SystemModstamp"'
        ' is not null or "Id" in (select "Id" from mirrored)'
    )


def growth_sql() -> str:
    """How many records more there are with ``differing``, where ``mirrored`` were there before."""
    return (
        'select count(*) filter ("SystemModstamp" is not null and "Id" not in'
        ' (select "Id" from mirrored)) - count(*) filter ("SystemModstamp" is null) from differing'
    )


def _column_sql(name: str, field: Field | None) -> str:
    column = quoted(name)
    if name in _MOMENTS or (field is not None and field.type == "datetime"):
        return f"replace({column}, '+0000', 'Z') as {column}"
    if field is not None and field.type in NUMBERS | INTEGERS:
        number = f"try_cast({column} as {number_type(field)})::varchar"
        return f"coalesce({number}, {column}) as {column}"
    return column


def _where_clause(condition: str | None) -> str:
    return f" where {condition}" if condition else ""


def _needed(mapping: ObjectMapping) -> list[str]:
    matched = [field for rule in mapping.match for field in NEEDS[rule]]
    mapped = mapping.enabled()
    own = CONVERSION if converts(mapping.object) else ()
    persons = (IS_PERSON,) if mapping.object in WITH_PERSONS else ()
    consent = consent_of(mapping.object)
    addresses = (consent.address,) if consent.opt_out in mapped else ()
    listed = (*_ALWAYS, mapping.key, *own, *persons, *mapped, *matched, *addresses)
    return list(dict.fromkeys(listed))
