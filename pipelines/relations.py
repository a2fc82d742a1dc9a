"""Every relation of the graph in its order, and the schema each has before it holds a row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pipelines.project import ASSETS, OBJECTS, Project, stage_files
from pipelines.sources.relations import RAW, columns
from pipelines.sync import identity
from pipelines.sync.mapping import relation


ENTITIES = tuple(name.removeprefix("raw_") for name in RAW)

REJECTED = {
    "source": "varchar",
    "source_id": "varchar",
    "_source": "varchar",
    "_file": "varchar",
    "_row": "bigint",
    "_batch": "date",
    "reasons": "struct(kind varchar, rule varchar, field varchar, value varchar, message varchar)[]",
    "raw": "json",
}

_NEVER = date(1, 1, 1)
_prepared: set[tuple[Path, str]] = set()


def schemas(project: Project) -> Iterator[tuple[str, str]]:
    """Relation → a query with its columns, each over relations that came before it."""
    for raw in RAW:
        yield raw, _none_sql(columns(raw))
    for file in stage_files("staging"):
        yield file.relation, file.query
    for entity in ENTITIES:
        yield f"valid_{entity}", f"select * from stg_{entity}"
        yield f"rejected_{entity}", _none_sql(REJECTED)
    yield from _org(project)
    resolve = {file.relation: file.query for file in stage_files("resolve")}
    for name in ("person_records", "person_links", "people", "account_links", "accounts"):
        yield name, resolve[name] if name in resolve else _none_sql(identity.LINK_COLUMNS)
    yield "open_references", resolve["open_references"]


def prepare(project: Project) -> None:
    """Give every relation its empty file, so that whatever is not there yet counts as empty.

    Does nothing when neither SQL nor mappings changed since it last ran for this home.
    """
    stamp = _stamp(project)
    if (project.home, stamp) in _prepared:
        return
    marker = project.home / "stage" / "schemas"
    if not marker.exists() or marker.read_text() != stamp:
        project.warehouse.sweep()
        with project.connect(_NEVER) as connection:
            for name, query in schemas(project):
                project.warehouse.write(
                    connection, name, None, f"select * from ({query}) where false"
                )
                project.warehouse.bind(connection, name, [])
        marker.write_text(stamp)
    _prepared.add((project.home, stamp))


def _none_sql(kinds: dict[str, str]) -> str:
    return "select " + ", ".join(f'null::{kind} as "{name}"' for name, kind in kinds.items())


def _stamp(project: Project) -> str:
    """Changes whenever a file does that schemas are made from."""
    files = [*ASSETS.rglob("*.sql"), *project.mappings.glob("*.yaml"), *Path(__file__).parent.rglob("*.py")]
    facts = sorted((str(path), path.stat().st_mtime_ns) for path in files)
    return hashlib.sha256(repr(facts).encode()).hexdigest()
