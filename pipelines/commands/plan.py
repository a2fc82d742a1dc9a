"""``causeway plan``: what is going to happen, why, what stands in its way, and what it takes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands import failures
from pipelines.commands.environment import (
    OBJECT,
    Json,
    command,
    current_project,
    err,
    out,
    print_json,
    readable_path,
)
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.project import Project
    from pipelines.sync.plan.choice import Choice
    from pipelines.sync.plan.saved import Plan

DAY = ["%Y-%m-%d"]
LIMIT = 20


def plan(  # noqa: PLR0913 - one parameter per option
    plan_id: Annotated[
        str | None, typer.Argument(metavar="[PLAN_ID]", help="Default: the newest plan.")
    ] = None,
    *,
    batch: Annotated[
        datetime | None,
        typer.Option(formats=DAY, metavar="DAY", help="The newest plan of this batch."),
    ] = None,
    object_name: Annotated[
        str | None, typer.Option("--object", metavar="NAME", help=f"Only this. {OBJECT}")
    ] = None,
    field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what is said of this field.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT|WHO",
            help="creates, adopts, undeletes, updates, moves, reassigns, holds, skips, conflicts,"
            " reviews, notes, truncated, kept (values of the org that stay) or rejections"
            " (forecast); or SOURCE:ID or an e-mail address, as of `sync`. Repeatable.",
        ),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only people of this source. Repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows of each object.")] = LIMIT,
    page: Annotated[
        bool, typer.Option("--page", help="Print where the plan's HTML page is, and nothing else.")
    ] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Let this plan pass its guards; it and no other.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a plan: a summary, then record by record, each field old → new.

    A plan is made by every sync, before anything is written; `causeway sync --plan-only` makes one
    and stops there. What a sync is to write is chosen there, with the same options. A plan's page
    says the same in a browser, for whoever owns the org.

      causeway plan                                     the newest one
      causeway plan --only conflicts                    where both sides have changed a value
      causeway plan --object Contact --field Email      what becomes of one field
      causeway plan --only fair:7                       what becomes of one person
      causeway plan --release 2026-11-05-1a2b3c4d5e6f   let a blocked one go
    """
    project = current_project()
    saved = _chosen(project, plan_id, batch.date() if batch else None)
    stems = _stems(saved, object_name)
    kind, choice = _kind_and_people(project, only or (), source or ())
    _check_field(saved, stems, field)
    which: dict[str, Any] = {"field": field, "only": kind, "limit": limit}
    if choice:
        which["keys"] = _keys(project, saved, choice)
    if release:
        _release(project, saved)
    elif page:
        out.print(str(_page(project, saved)), markup=False)
    elif as_json:
        print_json(_document(project, saved, stems, **which))
    else:
        _print(project, saved, stems, **which)


def _chosen(project: Project, plan_id: str | None, day: date | None) -> Plan:
    from pipelines.batch import Batch
    from pipelines.plan.make import newest, newest_of_all
    from pipelines.sync.plan.saved import load_plan

    if plan_id is not None:
        return load_plan(project.home, plan_id)
    return newest(Batch(project, day)) if day else newest_of_all(project)


def _stems(saved: Plan, name: str | None) -> list[str]:
    """The mappings of a plan that the name of an object or mapping means; without one, all."""
    from pipelines.sync.mapping.folder import matching_mappings

    if name is None:
        return list(saved.objects)
    matching = [part.stem for part in matching_mappings(saved.objects, name)]
    if not matching:
        listed = ", ".join(map(saved.called, saved.objects))
        raise ConfigError(f"no {name} in this plan; it has {listed}")
    return matching


def _kind_and_people(
    project: Project, only: Sequence[str], sources: Sequence[str]
) -> tuple[str | None, Choice]:
    """What ``--only`` asks for: one kind of rows, and people, who are told by ``:`` or ``@``."""
    from pipelines.commands.chosen import chosen
    from pipelines.sync.plan.show import ONLY

    people = [text for text in only if ":" in text or "@" in text]
    kinds = [text for text in only if text not in people]
    if unknown := [kind for kind in kinds if kind not in ONLY]:
        listed = ", ".join(ONLY)
        raise typer.BadParameter(f"{unknown[0]}: write one of {listed}, SOURCE:ID or an address")
    if len(kinds) > 1:
        raise typer.BadParameter(f"{' and '.join(kinds)}: rows are shown of one kind at a time")
    return (kinds[0] if kinds else None), chosen(project, only=people, source=sources)


def _keys(project: Project, saved: Plan, choice: Choice) -> list[str]:
    from pipelines.batch import Batch
    from pipelines.plan.chosen import keys_of

    batch = Batch(project, saved.day)
    with batch.connect() as connection:
        return keys_of(batch, connection, choice)


def _check_field(saved: Plan, stems: list[str], field: str | None) -> None:
    if field is not None and not any(field in saved.objects[stem].types for stem in stems):
        listed = ", ".join(map(saved.called, stems))
        raise ConfigError(f"no field {field} in this plan of {listed}")


def _release(project: Project, saved: Plan) -> None:
    from pipelines.plan.guards import release, released

    release(saved)
    facts = released(saved) or {}
    send = f"undo {saved.undoes}" if saved.undoes else saved.sync_again
    out.print(
        f"Plan {saved.plan_id} is released by {facts['by']} at {facts['at']}: this one, and one"
        f" that does exactly the same.\nSend it: {command()} {send}",
        markup=False,
    )


def _page(project: Project, saved: Plan) -> Any:
    from pipelines.plan.page import page_of, write_page

    path = page_of(saved)
    return path if path.exists() else write_page(project, saved)


def _document(project: Project, saved: Plan, stems: list[str], **which: Any) -> dict[str, Any]:
    from pipelines.batch import Batch
    from pipelines.plan.guards import released, why_blocked
    from pipelines.sync.plan.cost import predicted
    from pipelines.sync.plan.show import rows, summary

    with project.warehouse.connect() as connection:
        summaries = [asdict(part) for part in summary(saved, connection) if part.mapping in stems]
        for part in summaries:
            part["forecasts"] = [
                {"forecast": forecast, "code": code, "rows": count}
                for (forecast, code), count in part["forecasts"].items()
            ]
            plan_rows = rows(saved, part["mapping"], connection, **which)
            del part["title"]
            part["rows"] = [asdict(row) for row in plan_rows]
    return {
        "plan_id": saved.plan_id,
        "batch": saved.batch,
        "kind": saved.kind,
        "undoes": saved.undoes,
        "created_at": saved.created_at,
        "organization_id": saved.organization_id,
        "username": saved.username,
        "blocked": why_blocked(Batch(project, saved.day), saved),
        "released": released(saved),
        "cost": asdict(predicted(saved)),
        "limits": saved.limits,
        "notices": list(saved.notices),
        "choice": dict(saved.choice),
        "page": str(_page(project, saved)),
        "objects": summaries,
    }


def _print(project: Project, saved: Plan, stems: list[str], **which: Any) -> None:
    from pipelines.batch import Batch
    from pipelines.commands.show_plan import head, records
    from pipelines.plan.guards import is_released, why_blocked
    from pipelines.sync.plan.show import rows, summary

    reasons = why_blocked(Batch(project, saved.day), saved)
    with project.warehouse.connect() as connection:
        summaries = [part for part in summary(saved, connection) if part.mapping in stems]
        free = not reasons or is_released(project, saved)
        out.print(head(saved, summaries, reasons, released=free))
        narrowed = bool(which["only"] or which["field"] or "keys" in which)
        empty = which["limit"] > 0
        for part in summaries:
            plan_rows = list(rows(saved, part.mapping, connection, **which))
            if plan_rows:
                out.print(records(part, plan_rows, narrowed=narrowed))
                empty = False
    if narrowed and empty:
        out.print(f"\n{_no_rows(which['only'], which['field'])}", markup=False)
    out.print(f"\nAs a page: {readable_path(_page(project, saved))}", markup=False)
    if not free:
        err.print(f"Let it go: {command()} plan --release {saved.plan_id}", style="yellow")
        raise typer.Exit(failures.BLOCKED)


def _no_rows(only: str | None, field: str | None) -> str:
    """What is said where ``--only`` and ``--field`` leave no row."""
    if only == "reviews":
        text = "Nothing is to be decided"
    else:
        text = f"No row is among the {only}" if only else "No row says anything"
    return f"{text} of {field}." if field else f"{text}."
