"""Every relation of the graph in its order, and the schema each has before it holds a row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines import catalog, locks
from pipelines.batch import Batch
from pipelines.files import read_text, write
from pipelines.match import route_files
from pipelines.project import ASSETS, Project, stage_files
from pipelines.rights import make_home
from pipelines.sources.relations import RAW, columns
from pipelines.sql import ALL_DAYS
from pipelines.sync import identity
from pipelines.sync.mapping.addresses import LEFT_OUT, code_of
from pipelines.sync.mapping.compile import CUT, CUT_TYPE, HELD_NEW
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.owners import QUEUES
from pipelines.sync.mapping.persons import consent_columns
from pipelines.sync.mapping.places import COLUMNS as PLACE
from pipelines.sync.mapping.values import EXCLUDED
from pipelines.sync.plan.row import COLUMNS as PLAN
from pipelines.sync.snapshot import fields_needed

ENTITIES = tuple(name.removeprefix("raw_") for name in RAW)

REJECTED = {
    "source": "varchar",
    "source_id": "varchar",
    "_source": "varchar",
    "_file": "varchar",
    "_row": "bigint",
    "_batch": "date",
    "reasons": (
        "struct(kind varchar, rule varchar, field varchar, value varchar, message varchar)[]"
    ),
    "raw": "json",
}

SCHEMA = (
    dict.fromkeys(("object", "field", "label", "type"), "varchar")
    | dict.fromkeys(("length", "precision", "scale", "digits"), "integer")
    | dict.fromkeys(
        (
            "nillable",
            "createable",
            "updateable",
            "defaulted_on_create",
            "calculated",
            "unique",
            "external_id",
            "id_lookup",
            "restricted_picklist",
        ),
        "boolean",
    )
    | dict.fromkeys(("picklist_values", "reference_to"), "varchar[]")
)

MATCH = {
    "entity_key": "varchar",
    "sf_id": "varchar",
    "rule": "varchar",
    "candidates": "bigint",
    "adopt": "boolean",
    "alias": "varchar",
    "others": "varchar[]",
    "gone_id": "varchar",
    "decision": "integer",
    "wrong": "varchar",
}

DESIRED = {
    "_held": "varchar",
    HELD_NEW: "varchar",
    LEFT_OUT: "varchar",
    CUT: CUT_TYPE,
    EXCLUDED: "varchar",
}

OUTCOME = {
    "plan_id": "varchar",
    "key": "varchar",
    "action": "varchar",
    "outcome": "varchar",
    "sf_id": "varchar",
    "code": "varchar",
    "message": "varchar",
    "fields": "varchar[]",
    "attempts": "integer",
}

OF_ONE_ORG = ("org_", "sf_", "plan_", "salesforce_")
"""How relations of one org are called."""

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
    yield from _resolved()
    yield from _written(project)


def _org(project: Project) -> Iterator[tuple[str, str]]:
    yield "org_schema", _none_sql(SCHEMA)
    yield "org_place", _none_sql(PLACE)
    yield "org_queue", _none_sql(QUEUES)
    for name, fields in fields_needed(project.object_mappings).items():
        yield relation("org", name), _none_sql(_texts(fields))


def _resolved() -> Iterator[tuple[str, str]]:
    resolve = {file.relation: file.query for file in stage_files("resolve")}
    yield "person_records", resolve["person_records"]
    yield "person_links", _none_sql(identity.LINK_COLUMNS)
    yield "open_identities", _none_sql(identity.OPEN_COLUMNS)
    for name in ("people", "account_links", "accounts"):
        yield name, resolve[name]
    yield "open_references", resolve["open_references"]


def _written(project: Project) -> Iterator[tuple[str, str]]:
    for name in project.object_mappings:
        # Not from its SQL: a column that a mapping misspells is for the check to tell.
        yield relation("org_match", name), _none_sql(MATCH)
    yield from ((file.relation, file.query) for file in route_files(project.object_mappings))
    for stage, before, after in (
        ("sf", {"key": "varchar"}, DESIRED),
        ("plan", PLAN, {}),
    ):
        for name, mapping in project.object_mappings.items():
            fields = (*mapping.enabled(), *consent_columns(mapping))
            yield relation(stage, name), _none_sql(before | _texts(fields) | after)
    for name in project.object_mappings:
        yield relation("salesforce", name), _none_sql(OUTCOME)


def _texts(fields: Iterable[str]) -> dict[str, str]:
    """The fields as text columns, and the codes of addresses: an org takes texts or codes."""
    names = (name for field in fields for name in (field, code_of(field)) if name is not None)
    return dict.fromkeys(names, "varchar")


def of_one_org(project: Project) -> list[str]:
    """The relations that are true of one org alone: from what it holds to what it answered.

    Those of a mapping that was taken away are among them: it may come back.
    """
    named = {name for name, _ in (*_org(project), *_written(project))}
    folders = (path.name for path in (project.home / "stage").glob("*/"))
    return sorted(named | {name for name in folders if name.startswith(OF_ONE_ORG)})


def forget(project: Project) -> None:
    """Let ``prepare`` look at every relation again."""
    _prepared.difference_update({prepared for prepared in _prepared if prepared[0] == project.home})
    (project.home / "stage" / "schemas").unlink(missing_ok=True)


def prepare(project: Project) -> None:
    """Give every relation its empty file, so that whatever is not there yet counts as empty.

    Does nothing when neither SQL nor mappings changed since it last ran for this home.
    """
    stamp = prepared_stamp(project)
    if (project.home, stamp) in _prepared:
        return
    make_home(project)
    with _alone(project):
        _write_schemas(project, stamp)
    _prepared.add((project.home, stamp))


def show_org(project: Project) -> None:
    """Let ``causeway.duckdb`` show the org as the mirror holds it now."""
    with _alone(project):
        catalog.show_mirrors(project.warehouse, project.org_views())


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Schemas and views are made by one process at a time."""
    locks.take(project.home / "locks" / "schemas.lock", "schemas", locks.tell)
    try:
        yield
    finally:
        locks.release("schemas")


def schemas_stamp(project: Project) -> str:
    """Changes whenever the schemas of a home's relations may have; empty before ``prepare``."""
    marker = project.home / "stage" / "schemas"
    return read_text(marker) if marker.exists() else ""


def _write_schemas(project: Project, stamp: str) -> None:
    if schemas_stamp(project) == stamp:
        return
    project.warehouse.sweep()
    columns = {}
    with Batch.none_of(project).connect() as connection:
        for name, query in schemas(project):
            none = f"select * from ({query}) where false"
            columns[name] = project.warehouse.write(connection, name, None, none).columns
            for table in (name, f"{name}{ALL_DAYS}"):
                project.warehouse.bind(connection, name, [], table)
        with project.state.attach(connection):
            project.state.publish(connection)
    catalog.rebuild(project.warehouse, project.state, columns, project.org_views())
    project.state.show_version()
    write(project.home / "stage" / "schemas", stamp)


def _none_sql(kinds: dict[str, str]) -> str:
    return "select " + ", ".join(f'null::{kind} as "{name}"' for name, kind in kinds.items())


def prepared_stamp(project: Project) -> str:
    """Changes whenever a file does that schemas are made from."""
    program = [*ASSETS.rglob("*.sql"), *Path(__file__).parent.rglob("*.py")]
    facts = sorted((str(path), path.stat().st_mtime_ns) for path in program)
    # Whoever edits a mapping may set its time back, as programs that copy do.
    mappings = [(path.name, path.read_bytes()) for path in sorted(project.mappings.glob("*.yaml"))]
    return hashlib.sha256(repr((facts, mappings)).encode()).hexdigest()
