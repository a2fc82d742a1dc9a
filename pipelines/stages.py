"""The stages of a batch: what each makes, by which function, in which order.

This is the one list of them. Assets show each stage to the orchestrator, which runs it with
partitions, checks and a log; tests, ``bench`` and ``prove`` run it from here, without.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial

from pipelines import locks, resolve
from pipelines.apply.objects import apply, settle
from pipelines.apply.prove import prove
from pipelines.batch import Batch
from pipelines.describe import stages as describe
from pipelines.describe.description import Description, of_written
from pipelines.errors import Interrupted
from pipelines.match import match_file, route_files
from pipelines.org import snapshot
from pipelines.plan import make as planning
from pipelines.plan.probe import failing_rows
from pipelines.project import Project, stage_files
from pipelines.relations import ENTITIES
from pipelines.run import (
    Failure,
    Made,
    OnEvent,
    Part,
    Run,
    RunResult,
    Stage,
    hold,
    ignore,
    watched,
)
from pipelines.run_log import RunLog
from pipelines.sources.land import land
from pipelines.sources.relations import RAW
from pipelines.sql import SqlFile
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.plan.runs import note_run
from pipelines.validate.judge import validated
from pipelines.warehouse import Written


def mapped(project: Project) -> list[str]:
    """What the mappings are called, parents first."""
    return list(project.object_mappings)


def _made(written: Written, describe: Callable[[], Description]) -> Made:
    return Made(written.relation, written.rows, describe)


def _plain(written: Written) -> Made:
    """A relation of which there is nothing to say but its columns."""
    return _made(written, partial(of_written, written))


def _of_sql(run: Run, written: Written, file: SqlFile) -> Made:
    return _made(written, partial(describe.sql, run.project, written, file))


def _sql(file: SqlFile) -> Part:
    def make(run: Run) -> Iterable[Made]:
        return [_of_sql(run, run.batch.run_sql(file), file)]

    return Part(file.relation, (file.relation,), make)


def _land(_project: Project) -> list[Part]:
    def make(run: Run) -> Iterator[Made]:
        project = run.project
        landed = land(project.warehouse, project.sources, project.inbox, run.day)
        for written in landed.written.values():
            yield _made(written, partial(describe.landed, written, landed))

    return [Part("land", tuple(RAW), make)]


def _stage(_project: Project) -> list[Part]:
    return [_sql(file) for file in stage_files("staging")]


def _validate(_project: Project) -> list[Part]:
    def make(entity: str, run: Run) -> Iterator[Made]:
        verdict = validated(run.batch, entity)
        yield _made(verdict.valid, partial(describe.valid, verdict))
        yield _made(verdict.rejected, partial(describe.rejected, verdict))

    return [
        Part(f"valid_{entity}", (f"valid_{entity}", f"rejected_{entity}"), partial(make, entity))
        for entity in ENTITIES
    ]


def _org(project: Project) -> list[Part]:
    def make(run: Run) -> Iterator[Made]:
        settle(run.project)  # or the plan would go by records that a dead run has yet to write
        batch = run.batch
        for written in snapshot.take(batch):
            yield _made(written, partial(describe.org, batch, written))

    return [Part("org", ("org_schema", "org_place", "org_queue", *project.mirrored), make)]


def _resolve(_project: Project) -> list[Part]:
    files = {file.relation: file for file in stage_files("resolve")}

    def golden(name: str, make: Callable[[Batch, SqlFile], Written]) -> Part:
        file = files[name]
        return Part(name, (name,), lambda run: [_of_sql(run, make(run.batch, file), file)])

    def link(run: Run) -> Iterator[Made]:
        yield from map(_plain, resolve.link(run.batch))

    return [
        _sql(files["person_records"]),
        Part("person_links", ("person_links", "open_identities"), link),
        golden("people", resolve.people),
        golden("account_links", resolve.account_links),
        golden("accounts", resolve.accounts),
        _sql(files["open_references"]),
    ]


def _match(project: Project) -> list[Part]:
    def make(mapping: ObjectMapping, file: SqlFile, run: Run) -> Iterable[Made]:
        with failing_rows(run.batch, mapping):
            return [_of_sql(run, run.batch.run_sql(file), file)]

    mappings = project.object_mappings
    files = {stem: match_file(project, mapping) for stem, mapping in mappings.items()}
    matches = [
        Part(file.relation, (file.relation,), partial(make, mappings[stem], file))
        for stem, file in files.items()
    ]
    return [*matches, *map(_sql, route_files(mappings))]


def _map(project: Project) -> list[Part]:
    def make(name: str, run: Run) -> Iterable[Made]:
        batch = run.batch
        written = planning.desired(batch, name)
        return [_made(written, partial(describe.mapped, batch, written, name))]

    return _part_each("sf", project, make)


def _plan(project: Project) -> list[Part]:
    def make(run: Run) -> Iterator[Made]:
        saved, relations = planning.plan(run.batch)
        for part, written in zip(saved.objects.values(), relations, strict=True):
            yield _made(written, partial(describe.planned, written, saved, part.counts))

    return [Part("plan", tuple(relation("plan", name) for name in mapped(project)), make)]


def _apply(project: Project) -> list[Part]:
    def make(name: str, run: Run) -> Iterable[Made]:
        batch = run.batch
        saved = planning.newest(batch)
        if run.run_id:
            note_run(saved.folder, run.run_id)
        outcomes, written = apply(batch, name, partial(_sent, run))
        return [_made(written, partial(describe.applied, written, saved, name, outcomes))]

    return _part_each("salesforce", project, make)


def _sent(run: Run, object_name: str, done: int, total: int) -> None:
    run.note(f"{object_name}: {done:,} of {total:,} rows sent")


def _prove(project: Project) -> list[Part]:
    def make(name: str, run: Run) -> Iterable[Made]:
        saved = planning.newest(run.batch)
        proof = prove(run.project, name, saved)
        description = partial(describe.proven, run.project, saved, name, proof)
        return [Made(relation("salesforce", name), proof.written, description)]

    return [
        Part(f"proof of {name}", (relation("salesforce", name),), partial(make, name))
        for name in mapped(project)
    ]


def _part_each(
    stage: str, project: Project, make: Callable[[str, Run], Iterable[Made]]
) -> list[Part]:
    """A part per mapping, of the relation that is called after the stage and the mapping."""
    names = {relation(stage, name): name for name in mapped(project)}
    return [Part(made, (made,), partial(make, name)) for made, name in names.items()]


STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("land", _land, to_org=False),
        Stage("stage", _stage, to_org=False),
        Stage("validate", _validate, to_org=False),
        Stage("org", _org),
        Stage("resolve", _resolve),
        Stage("match", _match),
        Stage("map", _map),
        Stage("plan", _plan),
        Stage("apply", _apply, writes=True),
        Stage("prove", _prove, writes=True),
    )
}
"""In their order. The proof is no group of assets: it is checks of what was applied."""


def run_stage(name: str, run: Run) -> None:
    """Make all that a stage makes, without locks."""
    for part in STAGES[name].parts(run.project):
        for made in run_part(part, run):
            run.on_event(made.relation, "success", made.rows)


def run_part(part: Part, run: Run) -> Iterator[Made]:
    """Make what a part makes, watched."""
    with watched(run, part.name):
        yield from part.make(run)


def run_batch(
    project: Project, day: date, *, plan_only: bool = False, on_event: OnEvent | None = None
) -> RunResult:
    """Run all stages of one day in this process, under the locks, and keep a log of it.

    Args:
        project: whose batch.
        day: the batch.
        plan_only: stop before the first write to the org.
        on_event: is told how the run goes on.
    """
    run = Run(project, day, str(uuid.uuid4()), on_event=on_event or ignore)
    try:
        with RunLog.begun(run, plan_only=plan_only) as log:
            for stage in STAGES.values():
                if not (plan_only and stage.writes):
                    _run_logged(stage, run, log)
    except (Exception, Interrupted) as error:
        first = run.failures[0] if run.failures else Failure("the start", error)
        return RunResult(run.run_id, False, first.name, first.error)
    finally:
        locks.release(run.run_id)
    return RunResult(run.run_id, True)


def _run_logged(stage: Stage, run: Run, log: RunLog) -> None:
    with watched(run, stage.name):
        for part in (parts := stage.parts(run.project)):
            log.started(part)
            if part is parts[0]:
                hold(run, stage)
            for made in run_part(part, run):
                log.made(made.describe())
                run.on_event(made.relation, "success", made.rows)
