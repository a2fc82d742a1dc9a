"""``causeway explain``: why a record looks as it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.environment import OBJECT, Json, current_project, out, print_json

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from pipelines.explain.history import Touch
    from pipelines.explain.record import Explanation, FieldStory
    from pipelines.sync.explain import SourceValue

LONGEST = 48
"""Characters of a value that are shown; ``--json`` has all of them."""

FEW = 3
"""Values of others that are shown of a field; ``--json`` has all of them."""


def explain(
    name: Annotated[str, typer.Argument(metavar="OBJECT", help=OBJECT)],
    record: Annotated[
        str, typer.Argument(metavar="RECORD", help="Its Id, e-mail address, key or name.")
    ],
    as_json: Json = False,
) -> None:
    """Tell where each value of a record comes from, and what became of it.

    For each field: the value in the org, the source file and line that gave it, the rule of the
    mapping, the plan that wrote it, what stood there before, and what other sources say.

      causeway explain Contact oscar.vandenberg@acme.example
      causeway explain Account 001Dp000000000MIAQ --json
    """
    from pipelines.explain.record import explain
    from pipelines.sync.mapping.folder import named

    project = current_project()
    explanation = explain(project, named(project.object_mappings, name), record)
    if as_json:
        print_json(explanation.document())
        return
    _show(explanation)


def _show(explanation: Explanation) -> None:
    title = f"[bold]{explanation.object}[/bold]  "
    out.print(title, end="")
    out.print(explanation.name, style="bold cyan", markup=False, end="  ")
    out.print(explanation.sf_id or "not in the org", style="dim", markup=False, end="  ")
    out.print(explanation.key or "", style="dim", markup=False)
    if explanation.key is None:
        came = "but what stands below" if explanation.history else "of it"
        out.print(f"It carries no key of ours: nothing {came} came from Causeway.")
    if explanation.records:
        out.print("\n[bold]Made of[/bold]")
        out.print(_records(explanation.records))
    numbers = {touch.plan_id: place for place, touch in enumerate(reversed(explanation.history), 1)}
    stories = [story for story in explanation.fields if _has_content(story)]
    if stories:
        out.print()
        out.print(_fields(stories, numbers))
    silent = [story.field for story in explanation.fields if not _has_content(story)]
    if silent:
        out.print(f"\nBlank, and no source says anything: {', '.join(silent)}", style="dim")
    if explanation.history:
        out.print("\n[bold]Plans[/bold]")
        out.print(_plans(explanation.history, numbers))


def _has_content(story: FieldStory) -> bool:
    return any((story.value, story.wanted, story.written, story.others, story.note))


def _records(source_values: Sequence[SourceValue]) -> Table:
    table = _table()
    for source_value in source_values:
        table.add_row(
            f"  {_place(source_value)}",
            source_value.entity,
            source_value.value,
            f"{source_value.as_of:%Y-%m-%d}",
        )
    return table


def _fields(stories: Sequence[FieldStory], numbers: dict[str, int]) -> Table:
    table = _table(("Field", "Value", "From", "Rule", "Plan"))
    for story in stories:
        written = story.written
        plan = f"#{numbers[written.plan_id]}" if written and written.plan_id in numbers else "·"
        table.add_row(
            story.field,
            _value(story),
            _lines(_from(story)),
            _rule(story),
            plan,
        )
    return table


def _rule(story: FieldStory) -> Text:
    from rich.text import Text

    return Text.assemble(story.place, (f"  {_short(story.rule)}", "dim"), overflow="fold")


def _value(story: FieldStory) -> Text:
    lines = [(_short(story.value) if story.value is not None else "·", "")]
    if story.written is not None and story.written.before is not None:
        lines.append((f"before: {_short(story.written.before)}", "dim"))
    if story.note is not None:
        lines.append((story.note, "yellow"))
    return _lines(lines)


def _from(story: FieldStory) -> Iterator[tuple[str, str]]:
    if not story.gave:
        yield ("·", "dim")
    for source_value in story.gave:
        yield (_place(source_value), "")
    for source_value in story.others[:FEW]:
        yield (f"not {_short(source_value.value)}  {_place(source_value)}", "dim")
    if len(story.others) > FEW:
        yield (f"and {len(story.others) - FEW} more", "dim")


def _plans(history: Sequence[Touch], numbers: dict[str, int]) -> Table:
    table = _table()
    for touch in history:
        outcome = touch.outcome or "not applied"
        table.add_row(
            f"  #{numbers[touch.plan_id]}",
            touch.plan_id,
            touch.action,
            outcome,
            _lines(_sent(touch)),
        )
    return table


def _sent(touch: Touch) -> Iterator[tuple[str, str]]:
    if len(touch.sent) > FEW:
        yield (f"{len(touch.sent)} fields", "")
    else:
        for name, value in touch.sent.items():
            before = touch.before.get(name)
            yield (f"{name}: {_quoted(before)} → {_quoted(value)}", "")
    if touch.message:
        yield (touch.message, "yellow")


def _table(headers: Sequence[str] = ()) -> Table:
    from rich.table import Table

    table = Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        show_header=bool(headers),
        padding=(0, 2, 0, 0),
    )
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def _lines(parts: Sequence[tuple[str, str]] | Iterator[tuple[str, str]]) -> Text:
    from rich.text import Text

    text = Text(overflow="fold")
    for place, (line, style) in enumerate(parts):
        text.append(line if place == 0 else f"\n{line}", style or None)
    return text


def _place(source_value: SourceValue) -> str:
    return f"{source_value.file}:{source_value.line}"


def _quoted(value: str | None) -> str:
    return "blank" if value is None else f"'{_short(value)}'"


def _short(value: str) -> str:
    flat = value.replace("\r\n", "\n").replace("\n", " ⏎ ")
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1]}…"
