"""Taking back what a plan wrote: its inverse as a plan of its own, applied and proven like any.

Children come before their parents here, as deleting an Account takes its Contacts with it. What
was undone is noted before anything is sent, so that a run that dies can at worst leave a value
alone that it did not come to undo; running the undo again goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipelines.apply.objects import settle
from pipelines.batch import Batch
from pipelines.errors import ConfigError
from pipelines.org import describes
from pipelines.org.snapshot import bind_home, check_keys, refresh
from pipelines.sync.apply.payload import payload_sql
from pipelines.sync.ledger import Ledger
from pipelines.sync.ledger_sql import corrections_sql, segment_sql
from pipelines.sync.mapping.addresses import fit
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.named_objects import USER
from pipelines.sync.plan.runs import plan_named
from pipelines.sync.plan.save import Origin, save_plan
from pipelines.sync.plan.saved import (
    HEADER,
    Plan,
    load_plan,
    read_header,
)
from pipelines.sync.undo_plan import undo_sql
from pipelines.undo.children import children_of_records
from pipelines.warehouse import literal, parquet_sql, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.project import Project
    from pipelines.salesforce.org import Org
    from pipelines.sync.mapping.model import ObjectMapping

UNDO = "undo"


class NothingToUndo(ConfigError):
    """A plan has written nothing that could be taken back, or it was."""


def plan_undo(project: Project, name: str) -> Plan:
    """Make and save the inverse of a plan, against what the org holds now.

    To be called under the org's lock.

    Args:
        project: whose plan.
        name: id of the plan, or of a run that applied it.

    Raises:
        ConfigError: there is no such plan, it belongs to another org, it was never applied, it is
            an undo itself, or it was undone already.
        SalesforceError: the org could not be talked to.
    """
    plan = load_plan(project.home, plan_named(project.home, name))
    if plan.kind == UNDO:
        raise _refused(plan, "is an undo itself; what it took back comes with `causeway release`")
    with project.org() as org:
        if org.organization_id != plan.organization_id:
            mismatch = (
                f"was applied to the org {plan.organization_id}, not to {org.organization_id}"
            )
            raise _refused(plan, mismatch)
        bind_home(project, org.organization_id)
        settle(project)
        if not any(plan.outcomes(stem).exists() for stem in plan.objects):
            raise NothingToUndo(_about(plan, "was never applied, so there is nothing to undo"))
        objects = list(dict.fromkeys(part.object for part in plan.objects.values()))
        for object_name in objects:
            if object_name not in project.objects:
                raise _refused(
                    plan, f"wrote {object_name}, which no mapping names now; put it back first"
                )
        check_keys(project, org, objects)
        for object_name in (USER, *objects):
            refresh(project, org, object_name)
        saved = _inverse(project, org, plan)
    before = [undo for undo in undos(project.home) if undo.undoes == plan.plan_id]
    if not before and not any(sum(part.counts.values()) for part in saved.objects.values()):
        raise NothingToUndo(_about(plan, "wrote nothing that could be taken back"))
    if not writes(saved) and before:
        last = before[-1]
        raise NothingToUndo(
            _about(
                plan,
                f"was undone already, by plan {last.plan_id} at {last.created_at}; let the next"
                " sync write again what was taken back: `causeway release`",
            )
        )
    return saved


def writes(saved: Plan) -> int:
    """How many records an undo changes."""
    counts = [part.counts for part in saved.objects.values()]
    return sum(count.get(action, 0) for count in counts for action in _WRITES)


_WRITES = ("restore", "delete", "clear_key")
_PHRASES = {
    "restore": "putting back {} {}",
    "delete": "deleting {} {}",
    "clear_key": "letting go of {} {}",
    "hold": "leaving {} {} alone",
}


def describe_undos(planned: Sequence[Plan]) -> str:
    """Undos in one sentence."""
    parts = []
    for action, phrase in _PHRASES.items():
        counts: Counter[str] = Counter()
        for part in chain.from_iterable(saved.objects.values() for saved in planned):
            counts[part.object] += part.counts.get(action, 0)
        listed = [
            f"{count:,} {name}" if count == 1 else f"{count:,} {name}s"
            for name, count in counts.items()
            if count
        ]
        if listed:
            parts.append(phrase.replace("{} {}", " and ".join(listed)))
    return ", ".join(parts) or "changing nothing"


def undos(home: Path) -> list[Plan]:
    """Every undo that was applied, oldest first."""
    plans = []
    for path in (home / "plans").glob(f"[!.]*/{HEADER}"):
        header = read_header(path)
        if header.get("kind") == UNDO and (path.parent / "applied").exists():
            plans.append(load_plan(home, path.parent.name))
    return sorted(plans, key=lambda plan: plan.created_at)


def _inverse(project: Project, org: Org, plan: Plan) -> Plan:
    """The inverse plan, saved."""
    home = project.org_home(plan.organization_id)
    earlier_undos = undos(project.home)
    deleted: set[str] = set()  # records that the undo deletes or takes from their parent
    with (
        TemporaryDirectory(dir=_spill(project), prefix="undo-") as folder,
        Batch(project, plan.day).connect() as connection,
    ):
        files = {}
        schema = {
            name: describes.last_described(home / "describe", name) for name in project.objects
        }
        mappings = _mappings(fit(project.object_mappings, schema), plan)
        for stem in reversed([*plan.objects]):
            if not plan.outcomes(stem).exists():
                continue
            part, mapping = plan.objects[stem], mappings[stem]
            _bind(project, connection, plan, stem, earlier_undos)
            created = [row[0] for row in connection.execute(_CREATED).fetchall()]
            children = children_of_records(org, part.object, created, deleted)
            connection.execute("create or replace temp table hung (sf_id varchar, why varchar)")
            if children:
                connection.executemany("insert into hung values (?, ?)", list(children.items()))
            fields, enabled = schema[part.object], mapping.enabled()
            query = undo_sql(
                replace(part, types=dict.fromkeys(enabled, "")),
                {field: fields[field] for field in part.types if field in enabled},
                plan.plan_id,
                [undo.plan_id for undo in earlier_undos],
                org.user_id,
                mapping.groups,
            )
            files[stem] = Path(folder) / f"{stem}.parquet"
            write_parquet(connection, query, files[stem])
            query = _deleted_sql(files[stem], [*part.references, part.parent_field])
            deleted |= {row[0] for row in connection.execute(query).fetchall()}
        origin = Origin(
            batch=plan.batch,
            organization_id=plan.organization_id,
            username=org.username,
            made_from={"plan": plan.sha256},
            kind=UNDO,
            undoes=plan.plan_id,
            instance_url=plan.instance_url,
        )
        return save_plan(project.home, origin, files, mappings, schema)


def _mappings(mappings: Mapping[str, ObjectMapping], plan: Plan) -> dict[str, ObjectMapping]:
    """The mapping of each part of a plan: of its name, else of its object."""
    mappings_by_stem = {}
    for stem, part in plan.objects.items():
        named = mappings.get(stem)
        same = named is not None and named.object == part.object
        mappings_by_stem[stem] = named if named and same else of_object(mappings, part.object)[0]
    return mappings_by_stem


def _bind(
    project: Project,
    connection: DuckDBPyConnection,
    plan: Plan,
    stem: str,
    earlier_undos: Sequence[Plan],
) -> None:
    """Make the relations that ``undo_sql`` reads, but for ``hung``."""
    part = plan.objects[stem]
    book = Ledger.of(project.org_home(plan.organization_id), part.object)
    resolved = payload_sql(part, plan.payload(stem), plan.parents(stem), barred=False)
    outcomes = f"(select * from {parquet_sql(plan.outcomes(stem))})"
    at = datetime.fromisoformat(plan.created_at)
    written = segment_sql(part, f"({resolved})", outcomes, plan.plan_id, at)
    project.bind_org(connection, part.object, "records")
    project.bind_org(connection, USER, "users")
    for view, query in (
        ("written", written),
        ("planned", f"select key, before from {parquet_sql(plan.payload(stem))}"),
        ("read", _read_sql(corrections_sql(book.corrections(), "written"), plan.plan_id)),
        ("entries", book.sql("written")),
        ("undone_before", _undone_before_sql(earlier_undos, plan, stem)),
    ):
        connection.execute(f"create or replace temp table {view} as {query}")


def _undone_before_sql(earlier_undos: Sequence[Plan], plan: Plan, stem: str) -> str:
    """Keys and fields of a plan that other undos of it have taken back already."""
    parts = ["select null::varchar as key, null::varchar as field where false"]
    for undo in earlier_undos:
        if undo.undoes == plan.plan_id and stem in undo.objects and undo.outcomes(stem).exists():
            undone_fields = (
                "case when planned.action = 'restore' then planned.changed else [null] end"
            )
            parts.append(
                f"select key, unnest({undone_fields}) as field"
                f" from {parquet_sql(undo.payload(stem))} as planned"
                f" join {parquet_sql(undo.outcomes(stem))} as outcome using (key)"
                " where outcome.outcome in ('updated', 'deleted')"
            )
    return "\nunion all\n".join(parts)


def _read_sql(corrections: str, plan_id: str) -> str:
    return f"select key, field, stored from ({corrections}) where plan_id = {literal(plan_id)}"


def _deleted_sql(payload: Path, parents: Sequence[str | None]) -> str:
    """Records that are deleted or taken from their parents, which these fields name."""
    named = ", ".join(literal(name) for name in parents if name)
    return (
        f"select sf_id from {parquet_sql(payload)}"
        f" where action = 'delete' or list_has_any(changed, [{named}]::varchar[])"
    )


def _spill(project: Project) -> Path:
    folder = project.home / "spill"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _refused(plan: Plan, mismatch: str) -> ConfigError:
    return ConfigError(_about(plan, mismatch))


def _about(plan: Plan, mismatch: str) -> str:
    return f"plan {plan.plan_id} {mismatch}"


_CREATED = "select sf_id from written where action = 'create' and sf_id is not null"
