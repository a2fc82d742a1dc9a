"""``causeway prove``: what Salesforce holds of what was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands import failures
from pipelines.commands.environment import Json, current_project, out, print_json
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from pipelines.project import Project
    from pipelines.sync.plan.saved import Plan
    from pipelines.sync.prove import Proof


def prove(
    plan: Annotated[
        str | None,
        typer.Argument(metavar="PLAN", help="A plan or run id; by default the newest that wrote."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what Salesforce holds of every value that a plan wrote.

    Values are read back after every sync. Each is stored as sent, changed by automation of the
    org, changed by somebody else since, or not stored; ends with 1 if any was not stored.

      causeway prove
      causeway prove 2026-11-05-2b1c90d3a4f1 --json
    """
    from pipelines.apply.proofs import recorded
    from pipelines.sync.plan.runs import plan_named
    from pipelines.sync.plan.saved import load_plan

    project = current_project()
    if plan is None:
        saved, proofs = _newest(project)
    else:
        saved = load_plan(project.home, plan_named(project.home, plan))
        proofs = recorded(saved)
    if as_json:
        print_json(document(saved, proofs))
    else:
        out.print(f"Plan [bold]{saved.plan_id}[/bold]\n")
        out.print(proof_table(proofs) if proofs else "It wrote nothing that could be read back.")
    lost = sum(proof.not_stored for proof in proofs)
    raise typer.Exit(failures.SOME_ROWS if lost else failures.OK)


def document(saved: Plan, proofs: Sequence[Proof]) -> dict[str, Any]:
    """A plan's proofs as plain data, for scripts."""
    return {
        "plan_id": saved.plan_id,
        "batch": saved.batch,
        "written": sum(proof.written for proof in proofs),
        "as_sent": sum(proof.as_sent for proof in proofs),
        "not_stored": sum(proof.not_stored for proof in proofs),
        "objects": [
            {
                "object": proof.object,
                "fields": [asdict(field) | {"as_sent": field.as_sent} for field in proof.fields],
                "told": list(proof.sentences()),
                "differing": str(proof.path),
            }
            for proof in proofs
        ],
    }


def proof_table(proofs: Sequence[Proof]) -> RenderableType:
    """One line per object, one per thing that is not as it was sent, and the sum of it all."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for header in ("Read back", "fields", "as sent", "automation", "others", "not stored"):
        table.add_column(header, justify="left" if header == "Read back" else "right", min_width=9)
    for proof in proofs:
        counts = (
            proof.written,
            proof.as_sent,
            sum(field.by_automation for field in proof.fields),
            sum(field.by_others for field in proof.fields),
            proof.not_stored,
        )
        cells = (f"{count:,}" if count else "[dim]·[/dim]" for count in counts)
        table.add_row(proof.object, *cells)
    sentences = [
        Text(f"  {sentence}", "yellow") for proof in proofs for sentence in proof.sentences()
    ]
    return Group(table, *([Text(), *sentences] if sentences else []), Text(), total(proofs))


def total(proofs: Sequence[Proof]) -> Text:
    """The proof in one sentence."""
    from rich.text import Text

    written = sum(proof.written for proof in proofs)
    as_sent = sum(proof.as_sent for proof in proofs)
    lost = sum(proof.not_stored for proof in proofs)
    style = "bold red" if lost else "bold green"
    text = f"{written:,} fields written, {as_sent:,} stored as sent"
    return Text(f"{text}, {lost:,} not stored." if lost else f"{text}.", style)


def _newest(project: Project) -> tuple[Plan, list[Proof]]:
    """The newest plan that was read back."""
    from pipelines.apply.proofs import newest_proven, recorded

    saved = newest_proven(project)
    if saved is None:
        raise ConfigError("nothing was written yet, so nothing was read back; run `causeway sync`")
    return saved, recorded(saved)
