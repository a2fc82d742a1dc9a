"""Bringing the mirror of one object up to date: by what changed since, or anew.

What the org touched since the last reading is read again, with an overlap, as a transaction that
ends late carries an early stamp. Deleted and merged records come with that. What is gone for good
leaves no trace: it is looked for only where the org counts other than the mirror, by Ids alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.org.mirror import Manifest, advance, begin, commit, compact, read_manifest
from pipelines.sync.snapshot import (
    count_soql,
    differing_sql,
    growth_sql,
    has_deleted,
    ids_condition,
    moved_sql,
    newest_sql,
    next_mirror_sql,
    snapshot_soql,
    snapshot_sql,
    tombstones_sql,
    touched_before,
    touched_since,
    with_ids_sql,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.salesforce.org import Org
    from pipelines.sync.mapping.fields import Field

OVERLAP = timedelta(minutes=15)
FEW = 10_000
"""Up to so many records a query over REST is quicker than a Bulk job, and costs as few calls."""
SETTLED = timedelta(seconds=30)
"""So long before a reading a record's stamp tells its contents: stamps have whole seconds, clocks
differ, and within one second a record may have been read between two changes."""
IDS = 300
"""Ids in one query, which travels in a URL of at most 16 KB."""


@dataclass(frozen=True)
class Refreshed:
    """What a reading found.

    Attributes:
        delta: the file of the records that differ from the mirror before, in their new version; a
            record that is gone for good has only its ``Id``. After a full read, every record.
        records: its rows.
        mirror: the mirror as it is now.
        full: whether everything was read.
    """

    delta: Path
    records: int
    mirror: Manifest
    full: bool


@dataclass(frozen=True)
class Reading:
    """One object of an org, and how its records are asked for.

    Attributes:
        fields: the columns.
        schema: what the org says of its fields, for the form of numbers and instants.
        pages: a folder for answers on their way.
    """

    org: Org
    object_name: str
    fields: tuple[str, ...]
    schema: Mapping[str, Field]
    pages: Path

    def count(self, where: str | None = None, *, deleted: bool = True) -> int:
        """How many records there are."""
        soql = count_soql(self.object_name, where)
        return self.org.count(soql, include_deleted=deleted and has_deleted(self.object_name))

    def records(self, count: int, where: str | None = None) -> str:
        """Read records; returns a ``select`` of them."""
        return self._read(self.fields, count, where)

    def stamps(self, count: int, where: str) -> str:
        """Read only Ids and stamps; returns a ``select`` of them."""
        return self._read(("Id", "SystemModstamp"), count, where)

    def ids(self, count: int, where: str | None = None) -> str:
        """Read only Ids; returns a ``select`` of them."""
        return self._read(("Id",), count, where)

    def by_ids(self, ids: Sequence[str]) -> str:
        """Read the records of these Ids, of at least one; returns a ``select`` of them."""
        pages = [
            self._page(self.fields, ids_condition(ids[start : start + IDS]), f"ids-{start:06}")
            for start in range(0, len(ids), IDS)
        ]
        return snapshot_sql(self.fields, pages, self.schema)

    def _read(self, fields: tuple[str, ...], count: int, where: str | None) -> str:
        if count <= FEW:
            pages = [self._page(fields, where, f"{len(fields)}-fields")]
        else:
            soql = snapshot_soql(self.object_name, fields, where)
            deleted = has_deleted(self.object_name)
            pages = self.org.bulk_query(soql, self.pages, include_deleted=deleted)
        return snapshot_sql(fields, pages, self.schema)

    def _page(self, fields: tuple[str, ...], where: str | None, name: str) -> Path:
        soql = snapshot_soql(self.object_name, fields, where)
        file = self.pages / f"{self.object_name}-{name}.csv"
        deleted = has_deleted(self.object_name)
        return self.org.page(soql, fields, file, include_deleted=deleted)


def bring_up(
    connection: DuckDBPyConnection, reading: Reading, folder: Path, nothing: Path
) -> Refreshed:
    """Let the mirror in ``folder`` hold what the org holds.

    Everything is read where there is no mirror yet, and where another user or other fields made
    it: nobody could tell what it lacks.

    Args:
        connection: a DuckDB of its own.
        reading: the object and its org.
        folder: of the mirror; as it was where anything goes wrong.
        nothing: an empty file of the relation, told where nothing changed.
    """
    mirror = read_manifest(folder)
    if mirror is None or not _same(mirror, reading):
        return _all(connection, reading, folder)
    return _changes(connection, reading, mirror, nothing)


def _same(mirror: Manifest, reading: Reading) -> bool:
    identity = (reading.org.organization_id, reading.org.user_id, reading.fields)
    return (mirror.organization_id, mirror.user_id, mirror.fields) == identity


def _all(connection: DuckDBPyConnection, reading: Reading, folder: Path) -> Refreshed:
    empty_mirror = Manifest(
        folder=folder,
        organization_id=reading.org.organization_id,
        user_id=reading.org.user_id,
        fields=reading.fields,
        watermark=reading.org.server_time() - OVERLAP,
        records=0,
        base="",
        base_rows=0,
        deltas={},
    )
    mirror = begin(connection, empty_mirror, reading.records(reading.count()))
    return Refreshed(mirror.path(mirror.base), mirror.records, mirror, full=True)


def _changes(
    connection: DuckDBPyConnection, reading: Reading, mirror: Manifest, nothing: Path
) -> Refreshed:
    moved = replace(mirror, watermark=reading.org.server_time() - OVERLAP)
    since = touched_since(mirror.watermark)
    touched = reading.count(since)
    if not touched and _counts_agree(reading, mirror.records):
        commit(moved)
        return Refreshed(nothing, 0, moved, full=False)
    if not mirror.records:
        return _all(connection, reading, mirror.folder)
    _table(connection, "touched", _touched(connection, reading, mirror, touched))
    if not _reconciled(connection, reading, mirror):
        return _all(connection, reading, mirror.folder)
    _table(connection, "mirrored", with_ids_sql(mirror.view_sql(), "touched"))
    _table(connection, "differing", differing_sql())
    if not _number(connection, "select count(*) from differing"):
        commit(moved)
        return Refreshed(nothing, 0, moved, full=False)
    more = _number(connection, growth_sql())
    moved = advance(connection, moved, "select * from differing", more)
    file, rows = list(moved.deltas.items())[-1]
    return Refreshed(moved.path(file), rows, compact(connection, moved), full=False)


def _touched(connection: DuckDBPyConnection, reading: Reading, mirror: Manifest, count: int) -> str:
    """Read what the org touched since the last reading; returns a ``select`` of it.

    Most of the overlap is known already. Where it is large, as after a first load, stamps are read
    first, a tenth of the bytes, and then only records with another stamp.
    """
    since = touched_since(mirror.watermark)
    settled = mirror.watermark + OVERLAP - SETTLED
    older = f"{since} and {touched_before(settled)}"
    if count <= FEW or (older_count := reading.count(older)) <= FEW:
        return reading.records(count, since)
    stamps = moved_sql(reading.stamps(older_count, older), mirror.view_sql())
    moved = [sf_id for [sf_id] in connection.execute(stamps).fetchall()]
    if len(moved) > FEW:
        return reading.records(count, since)
    recent = touched_since(settled)
    pages = [reading.records(reading.count(recent), recent)]
    if moved:
        pages.append(reading.by_ids(moved))
    return newest_sql(" union all ".join(pages))


def _reconciled(connection: DuckDBPyConnection, reading: Reading, mirror: Manifest) -> bool:
    """Add to ``touched`` what is gone for good, and what came into sight without being touched.

    Returns:
        whether that could be told; where very much is missing, a full read is cheaper.
    """
    if not has_deleted(reading.object_name):
        return True
    next_mirror = next_mirror_sql(mirror.view_sql())
    if _counts_agree(reading, _number(connection, f"select count(*) from ({next_mirror})")):
        return True
    where = None
    alive = f"select count(*) from ({next_mirror}) where \"IsDeleted\" = 'false'"
    if reading.count(deleted=False) == _number(connection, alive):
        where = "IsDeleted = true"  # only the recycle bin was emptied
    _table(connection, "org_ids", reading.ids(reading.count(where), where))
    suspects = list(_suspects(connection, next_mirror, deleted_only=where is not None))
    if len(suspects) > FEW:
        return False
    if suspects:
        suspects_read = reading.by_ids(suspects)
        _table(connection, "suspects", 'select unnest($1::varchar[]) as "Id"', [suspects])
        connection.execute('delete from touched where "Id" in (select "Id" from suspects)')
        connection.execute(f"insert into touched {suspects_read}")
        _table(connection, "deleted", 'select "Id" from suspects anti join touched using ("Id")')
        connection.execute(f"insert into touched {tombstones_sql(reading.fields)}")
    return True


def _counts_agree(reading: Reading, records: int) -> bool:
    return not has_deleted(reading.object_name) or reading.count() == records


def _suspects(
    connection: DuckDBPyConnection, next_mirror: str, *, deleted_only: bool
) -> Iterator[str]:
    """Ids that only the org or only the mirror has."""
    for [sf_id] in connection.execute(
        _suspects_sql(next_mirror, deleted_only=deleted_only)
    ).fetchall():
        yield sf_id


def _suspects_sql(next_mirror: str, *, deleted_only: bool) -> str:
    only = " where \"IsDeleted\" = 'true'" if deleted_only else ""
    mirror_ids = f'(select "Id" from ({next_mirror}){only})'
    return (
        f'select "Id" from (from {mirror_ids} except from org_ids'
        f" union all (from org_ids except from {mirror_ids}))"
    )


def _table(
    connection: DuckDBPyConnection, name: str, query: str, values: Sequence[object] = ()
) -> None:
    connection.execute(_table_sql(name, query), values)


def _table_sql(name: str, query: str) -> str:
    return f"create or replace temp table {name} as {query}"


def _number(connection: DuckDBPyConnection, query: str) -> int:
    [(number,)] = connection.execute(query).fetchall()
    return int(number)
