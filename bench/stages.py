"""The stages of a batch, as the assets run them but without the orchestrator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from pipelines import resolve
from pipelines.apply.objects import apply, settle
from pipelines.match import match_file, route_files
from pipelines.org import snapshot
from pipelines.plan import make as plan
from pipelines.project import Project, stage_files
from pipelines.relations import ENTITIES
from pipelines.sources.land import land
from pipelines.validate.judge import validated

Stage = Callable[[Project, date], object]


def _land(project: Project, day: date) -> None:
    land(project.warehouse, project.sources, project.inbox, day)


def _stage(project: Project, day: date) -> None:
    for file in stage_files("staging"):
        project.run_sql(file, day)


def _validate(project: Project, day: date) -> None:
    for entity in ENTITIES:
        validated(project, entity, day)


def _snapshot(project: Project, day: date) -> None:
    settle(project)
    snapshot.take(project, day)


def _resolve(project: Project, day: date) -> None:
    files = {file.relation: file for file in stage_files("resolve")}
    project.run_sql(files["person_records"], day)
    resolve.link(project, day)
    resolve.people(project, files["people"], day)
    project.run_sql(files["account_links"], day)
    resolve.accounts(project, files["accounts"], day)
    project.run_sql(files["open_references"], day)


def _match(project: Project, day: date) -> None:
    mappings = project.object_mappings
    for mapping in mappings.values():
        project.run_sql(match_file(mapping, mappings), day)
    for file in route_files(mappings):
        project.run_sql(file, day)


def _map(project: Project, day: date) -> None:
    for name in project.object_mappings:
        plan.desired(project, day, name)


def _apply(project: Project, day: date) -> None:
    for name in project.object_mappings:
        apply(project, day, name)


STAGES: Mapping[str, Stage] = {
    "land": _land,
    "stage": _stage,
    "validate": _validate,
    "org snapshot": _snapshot,
    "resolve": _resolve,
    "match": _match,
    "map": _map,
    "plan": plan.plan,
    "apply": _apply,
}
"""In their order. All but the org's part, its snapshot and what is applied, is our own work."""
