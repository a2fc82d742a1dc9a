"""What the org holds, kept on disk: one file of everything, and small files of what changed since.

    <home>/orgs/<organization>/snapshot/contact/manifest.json
    <home>/orgs/<organization>/snapshot/contact/base-000001.parquet
    <home>/orgs/<organization>/snapshot/contact/delta-000002.parquet

The newest version of a record counts. The manifest alone says which files belong to the mirror and
is replaced as one, so that a snapshot that dies half-way leaves the mirror as it was. A row
without a ``SystemModstamp`` stands for a record that is gone for good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.files import read_json, reading, write
from pipelines.warehouse import parquet_sql, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MANIFEST = "manifest.json"
MOST_CHANGED = 0.1
"""Share of the base from which on a new base is cheaper than reading around the changes."""
MOST_DELTAS = 16
"""Files of changes, of which all readers pay for each."""


@dataclass(frozen=True)
class Manifest:
    """The mirror of one object as its manifest says.

    Attributes:
        folder: where manifest and files lie.
        organization_id: whose records they are.
        user_id: who read them; another user may see other records.
        fields: the columns, all text in wire form.
        watermark: records that the org touched from then on are read again; with a time zone.
        records: how many records it holds, deleted ones included.
        base: the file of everything.
        base_rows: its rows.
        deltas: files of changes → rows, oldest first.
    """

    folder: Path
    organization_id: str
    user_id: str
    fields: tuple[str, ...]
    watermark: datetime
    records: int
    base: str
    base_rows: int
    deltas: Mapping[str, int]

    @property
    def files(self) -> list[str]:
        """Everything the mirror is read from, in the order of writing."""
        return [self.base, *self.deltas]

    def path(self, file: str) -> Path:
        """Where one of its files lies."""
        return self.folder / file

    def view_sql(self, schema: Path | None = None) -> str:
        """A ``select`` of every record, once.

        Args:
            schema: an empty Parquet file whose columns are wanted, also where the mirror is older
                than they are; without it the columns are those of the mirror.
        """
        deltas = [self.path(file) for file in self.deltas]
        return _view_sql(self.path(self.base), deltas, self.fields, schema)

    def changed_sql(self) -> str:
        """A ``select`` of the newest version of each record that a delta holds, also of gone ones.

        There must be a delta.
        """
        return _newest_sql([self.path(file) for file in self.deltas])


def read_manifest(folder: Path) -> Manifest | None:
    """The mirror in a folder; none where there is none, or where one of its files is lost."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    facts = read_json(path)
    with reading(path):
        facts |= {
            "folder": folder,
            "fields": tuple(facts["fields"]),
            "watermark": datetime.fromisoformat(facts["watermark"]),
        }
        manifest = Manifest(**facts)
    whole = all(manifest.path(file).exists() for file in manifest.files)
    return manifest if whole else None


def begin(connection: DuckDBPyConnection, manifest: Manifest, query: str) -> Manifest:
    """Make the mirror anew from a query of every record.

    Args:
        connection: that can run the query.
        manifest: what is known of it; its files and counts are not looked at.
        query: the records, whose columns are the manifest's fields.
    """
    manifest.folder.mkdir(parents=True, exist_ok=True)
    file = _next_file(manifest.folder, "base")
    rows = write_parquet(connection, query, manifest.folder / file)
    mirror = replace(manifest, base=file, base_rows=rows, records=rows, deltas={})
    commit(mirror)
    return mirror


def advance(connection: DuckDBPyConnection, manifest: Manifest, query: str, more: int) -> Manifest:
    """Add what changed as one small file.

    Args:
        connection: that can run the query.
        manifest: the mirror until now, with the watermark of the reading that found the changes.
        query: new versions of records, one row each; gone ones with only their ``Id``.
        more: how many records more the mirror holds with them.
    """
    file = _next_file(manifest.folder, "delta")
    rows = write_parquet(connection, query, manifest.path(file))
    deltas = {**manifest.deltas, file: rows}
    moved = replace(manifest, deltas=deltas, records=manifest.records + more)
    commit(moved)
    return moved


def commit(manifest: Manifest) -> None:
    """Replace the manifest, then remove files that neither it nor the one before it names.

    Whoever made a view of the mirror a moment ago can still read it.
    """
    files_needed = {MANIFEST, *manifest.files}
    before = manifest.folder / MANIFEST
    if before.exists():
        named = read_json(before)
        with reading(before):
            files_needed |= {named["base"], *named["deltas"]}
    facts = asdict(manifest) | {"watermark": manifest.watermark.isoformat()}
    del facts["folder"]
    write(before, json.dumps(facts, indent=2) + "\n")
    for path in manifest.folder.iterdir():
        if path.name not in files_needed:
            path.unlink()


def compact(connection: DuckDBPyConnection, manifest: Manifest) -> Manifest:
    """Write fewer files of the same records, where it is time to; else nothing."""
    if sum(manifest.deltas.values()) > MOST_CHANGED * manifest.base_rows:
        query = manifest.view_sql()
        return begin(connection, manifest, query)
    if len(manifest.deltas) > MOST_DELTAS:
        file = _next_file(manifest.folder, "delta")
        rows = write_parquet(connection, manifest.changed_sql(), manifest.folder / file)
        merged = replace(manifest, deltas={file: rows})
        commit(merged)
        return merged
    return manifest


def _next_file(folder: Path, kind: str) -> str:
    numbers = [int(path.stem.rpartition("-")[2]) for path in folder.glob("*-*.parquet")]
    return f"{kind}-{max(numbers, default=0) + 1:06}.parquet"


def _view_sql(
    base: Path, deltas: Sequence[Path], fields: Sequence[str], schema: Path | None
) -> str:
    listed = ", ".join(f'"{name}"' for name in fields)
    files = _files_sql([base])
    query = f"select {listed} from {files}"
    if deltas:
        changed = _newest_sql(deltas)
        query = (
            f"with changed as ({changed}) {query} as base"
            ' anti join changed on changed."Id" = base."Id"'
            f' union all select {listed} from changed where "SystemModstamp" is not null'
        )
    if schema is None:
        return query
    return f"select * from {_files_sql([schema])} union all by name ({query})"


def _newest_sql(deltas: Sequence[Path]) -> str:
    return (
        f"select * exclude (filename) from {_files_sql(deltas, named=True)}"
        ' qualify row_number() over (partition by "Id" order by filename desc) = 1'
    )


def _files_sql(paths: Sequence[Path], *, named: bool = False) -> str:
    return parquet_sql(*paths, filename=named)
