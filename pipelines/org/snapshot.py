"""Stage 4 at work: what the org holds now, and what it says of its fields."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipelines.apply.proofs import catch_up
from pipelines.batch import Batch
from pipelines.errors import ConfigError
from pipelines.files import write
from pipelines.memo import memo
from pipelines.org import describes
from pipelines.org.access import check_reading
from pipelines.org.automation import notice
from pipelines.org.mirror import read_manifest
from pipelines.org.owners import check_owners, queues
from pipelines.org.refresh import Reading, Refreshed, bring_up
from pipelines.plan.groups import group_problems
from pipelines.project import Project
from pipelines.relations import show_org
from pipelines.salesforce.errors import JobFailed, RequestRefused, SalesforceError
from pipelines.sync.mapping.addresses import fit
from pipelines.sync.mapping.check import check_mappings, key_problems
from pipelines.sync.mapping.fields import OrgSchema, org_schema, schema_table
from pipelines.sync.mapping.golden import LINKS
from pipelines.sync.mapping.model import GOLDEN, relation
from pipelines.sync.mapping.places import Listed, places_sql, places_table, together
from pipelines.sync.snapshot import fields_needed, fields_read
from pipelines.sync.state import BOUND
from pipelines.warehouse import Written, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.salesforce.org import Org

PAGES = "snapshot-"
"""How folders of answers on their way are called, below the home's ``spill``."""


def take(batch: Batch) -> list[Written]:
    """Bring the mirror of the org up to date; write what was read as the day's ``org_`` relations.

    Raises:
        SalesforceError: the org did not answer; the mirror of each object is as it was, or whole.
        ConfigError: another org answers, a mapping does not fit the org (with every problem of
            every mapping), or our user may not read all there is.
    """
    project = batch.project
    _sweep(project)
    with project.org() as org, project.warehouse.connect() as connection:
        bind_home(project, org.organization_id)
        check_reading(org, project.objects)
        written = _take_schema(batch, org)
        check_owners(project, org, batch.schema)
        written.append(_take_queues(batch, org, connection))
        try:
            for name in fields_needed(project.object_mappings):
                refreshed = _refresh(project, org, name, connection)
                catch_up(project, org.organization_id, name, org.user_id)
                link = project.warehouse.link
                written.append(link(connection, relation("org", name), batch.day, refreshed.delta))
        except (RequestRefused, JobFailed) as error:
            if "INVALID_FIELD" in str(error):  # a field that we believed to be there
                describes.forget(_describes(project, org))
                _take_schema(batch, org)
            raise
    return written


def refresh(project: Project, org: Org, object_name: str) -> Refreshed:
    """Bring the mirror of one object up to date, as cheaply as what changed allows.

    What the org's own automation changed of our values meanwhile, the ledger learns on the way.

    Returns:
        the file of the records that really differ from the mirror before, in their new version.

    Raises:
        SalesforceError: the org did not answer; the mirror is as it was.
    """
    with project.warehouse.connect() as connection:
        return _refresh(project, org, object_name, connection)


def _refresh(
    project: Project, org: Org, object_name: str, connection: DuckDBPyConnection
) -> Refreshed:
    described_fields = {
        name: describes.last_described(_describes(project, org), name) for name in project.objects
    }
    needed = fields_needed(fit(project.object_mappings, described_fields))[object_name]
    fields = fields_read(needed, described_fields.get(object_name, {}))
    folder = project.mirror(object_name, org.organization_id)
    nothing = project.warehouse.schema_file(relation("org", object_name))
    with _mirror_state_in_errors(folder, object_name), _pages(project) as pages:
        reading = Reading(org, object_name, fields, described_fields.get(object_name, {}), pages)
        before = read_manifest(folder)
        refreshed = bring_up(connection, reading, folder, nothing)
    if before is None or before.files != refreshed.mirror.files:
        show_org(project)
    notice(project, object_name, before, refreshed)
    return refreshed


def bind_home(project: Project, organization_id: str) -> None:
    """Hold a home to one org: what it remembers of records is true of no other.

    Raises:
        ConfigError: another organization answers than the one this home has written to.
    """
    bound = project.bound_org
    if bound is None:
        write(project.home / BOUND, organization_id)
    elif bound != organization_id:
        raise ConfigError.at(
            project.home / BOUND,
            None,
            f"this home belongs to the org {bound}, but {organization_id} answers: another org, or"
            " a sandbox that was refreshed. Go over to it with `causeway org switch`, or give it a"
            " home of its own with --home",
        )


def check_keys(project: Project, org: Org, objects: Collection[str]) -> None:
    """Hold the fields by which records are known against the org as it is now: a call for each.

    Raises:
        ConfigError: the org has lost one since its snapshot; nothing was written to it.
    """
    folder = _describes(project, org)
    described = describes.describe(org, folder, objects)
    fields = org_schema(row for description in described for row in description.rows)
    problems = [
        problem
        for mapping in project.object_mappings.values()
        if mapping.object in objects
        for problem in key_problems(mapping, fields.get(mapping.object, {}))
    ]
    if problems:
        raise ConfigError(problems)


def check_against(project: Project, schema: OrgSchema, *, whole: bool = True) -> None:
    """Hold every mapping against the golden relations and the org's fields, policies to sources.

    Args:
        project: whose mappings.
        schema: the org's fields.
        whole: whether all of the mappings could be read.

    Raises:
        ConfigError: every problem, each with its file and line; nothing was written to the org.
    """
    with project.warehouse.connect() as connection:
        golden = {
            name: project.warehouse.describe(connection, name, None).columns
            for name in (*GOLDEN, LINKS)
        }
    problems = group_problems(project) if whole else []
    try:
        check_mappings(fit(project.object_mappings, schema), schema, golden, whole=whole)
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from None
    if problems:
        raise ConfigError(problems)


def drift(batch: Batch) -> list[str]:
    """What the org says of its fields otherwise than the saved copy; nothing without a copy."""
    saved = describes.saved(batch.project.mappings)
    return list(describes.drift(saved, batch.schema)) if saved else []


def _take_schema(batch: Batch, org: Org) -> list[Written]:
    """The day's ``org_schema`` and ``org_place``: made once for what the org says of its fields."""
    project = batch.project
    folder = _describes(project, org)
    descriptions = describes.describe(org, folder, project.objects)
    files = {name: folder / f"{name}.parquet" for name in ("org_schema", "org_place")}
    golden = (project.warehouse.schema_file(name) for name in (*GOLDEN, LINKS))
    yaml = sorted(project.mappings.glob("*.yaml"))
    facts = [(description.rows, description.places) for description in descriptions]
    inputs = [*facts, *golden, *yaml]
    cache = memo(folder / "made_from.json", inputs, files.values())
    same = cache.cached() is not None
    rows = [row for description in descriptions for row in description.rows]
    with project.warehouse.connect() as connection:
        if not same:
            listed = together(Listed(**description.places) for description in descriptions)
            connection.register("described", schema_table(rows))
            connection.register("spelled_places", places_table(listed))
            write_parquet(connection, "select * from described", files["org_schema"])
            write_parquet(connection, places_sql("spelled_places"), files["org_place"])
        link = project.warehouse.link
        written = [link(connection, name, batch.day, file) for name, file in files.items()]
    if not same:
        check_against(project, org_schema(rows))
        cache.keep()
    return written


def _take_queues(batch: Batch, org: Org, connection: DuckDBPyConnection) -> Written:
    """The day's ``org_queue``."""
    connection.register("queues", queues(batch.project, org))
    return batch.write(connection, "org_queue", "select * from queues")


def _describes(project: Project, org: Org) -> Path:
    return project.org_home(org.organization_id) / "describe"


@contextmanager
def _mirror_state_in_errors(folder: Path, object_name: str) -> Iterator[None]:
    """Let an error of the org say what became of the mirror."""
    try:
        yield
    except SalesforceError as error:
        mirror = read_manifest(folder)
        mirror_state = "there is none yet" if mirror is None else "the mirror is as it was"
        step = f"The snapshot of {object_name} broke off and nothing of it counts: {mirror_state}."
        error.next_step = f"{step} {error.next_step}".strip()
        raise


@contextmanager
def _pages(project: Project) -> Iterator[Path]:
    """A folder for answers on their way."""
    spill = project.home / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=spill, prefix=PAGES) as folder:
        yield Path(folder)


def _sweep(project: Project) -> None:
    """Remove the answers that killed runs left; whoever takes a snapshot is alone with the org."""
    for folder in (project.home / "spill").glob(f"{PAGES}*"):
        shutil.rmtree(folder)
