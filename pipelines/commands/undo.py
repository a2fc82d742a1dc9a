"""``causeway undo``: take back what a plan wrote."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines import locks
from pipelines.commands import failures
from pipelines.commands.environment import Json, command, current_project, out, print_json
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.sync.plan.saved import Plan
    from pipelines.undo.carry_out import Undone

ROWS = 20
"""Records of each object that are shown before anything is undone."""

DAY = ["%Y-%m-%d"]

STEPWISE = (
    "They are undone newest first. What a newer one of them has written, too, an older one leaves"
    " alone above, and puts back when that is undone."
)

BEFORE = (
    "Deleted records go to the recycle bin of the org, where an admin finds them for 15 days."
    " What Salesforce cannot take back (conversions, merges, emptied bins) is never undone."
)


def undo(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[PLAN]", help="The plan, or the run that applied it."),
    ] = None,
    *,
    batch: Annotated[
        datetime | None,
        typer.Option(formats=DAY, metavar="DAY", help="Every plan that this batch was sent by."),
    ] = None,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Show what would be undone, and stop there.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Take back what a plan wrote: what changed gets its values back, what it created goes.

    The undo is a plan itself, shown before anything is sent. Values and records that somebody has
    changed since are left alone and listed; nobody is ever opted in again. What was undone stays
    so until its source value changes, or `causeway release`. A batch that was run again, or died
    on the way, was sent by several plans: these are undone together, newest first.

      causeway undo 2026-11-05-2b1c90d3a4f1 --plan-only     what would be undone
      causeway undo 2026-11-05-2b1c90d3a4f1                 undo it
      causeway undo --batch 2026-11-05                      all that this batch has written
    """
    if (name is None) == (batch is None):
        raise typer.BadParameter("give a plan or --batch, one of them")
    project = current_project()
    with org_lock(project):
        from pipelines.batch import Batch
        from pipelines.plan.guards import heed_guards
        from pipelines.relations import prepare
        from pipelines.undo.batch import carry_out_each, plan_undos
        from pipelines.undo.make import plan_undo, writes

        prepare(project)
        planned = plan_undos(project, batch.date()) if batch else [plan_undo(project, name or "")]
        if not as_json:
            _show_plans(project, planned)
        ended: list[tuple[Plan, Undone | None]] = [(saved, None) for saved in planned]
        if not plan_only and any(map(writes, planned)):
            for saved in planned:
                heed_guards(Batch(project, saved.day), saved)
            if yes or as_json or _is_confirmed(planned):
                for place, result in enumerate(carry_out_each(project, planned)):
                    ended[place] = result
                    if result[1] is not None and not as_json:
                        show(result[1])
        if as_json:
            facts = [_document(project, saved, done) for saved, done in ended]
            print_json({"batch": str(batch.date()), "undos": facts} if batch else facts[0])
    raise typer.Exit(max(_exit_code(saved, done) for saved, done in ended))


@contextmanager
def org_lock(project: Project) -> Iterator[None]:
    """Have the org to oneself, as every run from the snapshot on, and a home that is whole."""
    from pipelines.recover import recover

    run = f"cli-{uuid.uuid4()}"
    locks.take(project.home / "locks" / f"org-{project.org_name or 'local'}.lock", run, locks.tell)
    try:
        recover(project)
        yield
    finally:
        locks.release(run)


def show(done: Undone) -> None:
    """What an undo did, and the proof of it."""
    from pipelines.commands.prove import proof_table

    counts = _outcomes(done)
    actions = [
        f"{count:,} {object_name}s {verb}"
        for object_name, outcomes in counts.items()
        for outcome, verb in (("deleted", "deleted"), ("updated", "put back"))
        if (count := outcomes[outcome])
    ]
    out.print(f"\n[bold]Undone:[/bold] {', '.join(actions) or 'nothing'}.\n")
    out.print(proof_table(done.proofs))
    out.print(f"\nIt stays so until its source values change, or `{command()} release`.")


def _show_plans(project: Project, planned: Sequence[Plan]) -> None:
    for saved in planned:
        _show_plan(project, saved)
    if len(planned) > 1:
        from pipelines.undo.make import describe_undos

        out.print(f"[bold]All {len(planned)} plans:[/bold] {describe_undos(planned)}.")
        out.print(f"{STEPWISE}\n", style="dim")
    out.print(f"\n{BEFORE}\n", style="dim")


def _show_plan(project: Project, saved: Plan) -> None:
    from pipelines.batch import Batch
    from pipelines.commands.show_plan import head, records
    from pipelines.plan.guards import is_released, why_blocked
    from pipelines.sync.plan.show import rows, summary

    reasons = why_blocked(Batch(project, saved.day), saved)
    with project.warehouse.connect() as connection:
        summaries = summary(saved, connection)
        free = not reasons or is_released(project, saved)
        out.print(head(saved, summaries, reasons, released=free))
        for part in summaries:
            plan_rows = list(rows(saved, part.mapping, connection, limit=ROWS))
            if plan_rows:
                out.print(records(part, plan_rows, narrowed=False))


def _is_confirmed(planned: Sequence[Plan]) -> bool:
    if not out.is_terminal:
        named = ", ".join(saved.plan_id for saved in planned)
        raise ConfigError(
            f"nothing was undone: nobody is there to ask. Look at the plan {named} above,"
            " then run it again with --yes"
        )
    return typer.confirm("Undo this?" if len(planned) == 1 else f"Undo these {len(planned)} plans?")


def _document(project: Project, saved: Plan, done: Undone | None) -> dict[str, Any]:
    from pipelines.commands.prove import document
    from pipelines.sync.plan.show import summary

    with project.warehouse.connect() as connection:
        summaries = summary(saved, connection)
    facts: dict[str, Any] = {
        "plan_id": saved.plan_id,
        "undoes": saved.undoes,
        "planned": {part.title: part.actions for part in summaries},
        "left_alone": {part.title: part.holds for part in summaries},
    }
    if done is not None:
        facts["objects"] = {name: dict(counts) for name, counts in _outcomes(done).items()}
        facts["proof"] = document(saved, done.proofs)
    return facts


def _outcomes(done: Undone) -> dict[str, Mapping[str, int]]:
    """What became of the rows of each object, and mapping where several write it."""
    return {done.saved.called(part.stem): part.counts for part in done.outcomes}


def _exit_code(saved: Plan, done: Undone | None) -> int:
    """1 where something was left alone, refused or not stored."""
    left_alone = sum(part.counts.get("hold", 0) for part in saved.objects.values())
    refused = lost = 0
    if done is not None:
        refused = sum(part.counts["rejected"] + part.counts["held"] for part in done.outcomes)
        lost = sum(proof.not_stored for proof in done.proofs)
    return failures.SOME_ROWS if left_alone or refused or lost else failures.OK
