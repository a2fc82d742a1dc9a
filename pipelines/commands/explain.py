"""``causeway explain``: why a record looks as it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.environment import OBJECT, Json, out, print_json, project

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from pipelines.explain.history import Touch
    from pipelines.explain.record import Explanation, FieldStory
    from pipelines.sync.explain import Said

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

    here = project()
    found = explain(here, named(here.object_mappings, name), record)
    if as_json:
        print_json(found.document())
        return
    _show(found)


def _show(found: Explanation) -> None:
    title = f"[bold]{found.object}[/bold]  "
    out.print(title, end="")
    out.print(found.name, style="bold cyan", markup=False, end="  ")
    out.print(found.sf_id or "not in the org", style="dim", markup=False, end="  ")
    out.print(found.key or "", style="dim", markup=False)
    if found.key is None:
        out.print("It carries no key of ours: nothing of it came from Causeway.")
        return
    if found.records:
        out.print("\n[bold]Made of[/bold]")
        out.print(_records(found.records))
    numbers = {touch.plan_id: place for place, touch in enumerate(reversed(found.history), 1)}
    told = [story for story in found.fields if _says_something(story)]
    if told:
        out.print()
        out.print(_fields(told, numbers))
    silent = [story.field for story in found.fields if not _says_something(story)]
    if silent:
        out.print(f"\nBlank, and no source says anything: {', '.join(silent)}", style="dim")
    if found.history:
        out.print("\n[bold]Plans[/bold]")
        out.print(_plans(found.history, numbers))


def _says_something(story: FieldStory) -> bool:
    return any((story.value, story.wanted, story.written, story.others, story.note))


def _records(records: Sequence[Said]) -> Table:
    table = _table()
    for said in records:
        table.add_row(f"  {_place(said)}", said.entity, said.value, f"{said.as_of:%Y-%m-%d}")
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
    for said in story.gave:
        yield (_place(said), "")
    for said in story.others[:FEW]:
        yield (f"not {_short(said.value)}  {_place(said)}", "dim")
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


def _place(said: Said) -> str:
    return f"{said.file}:{said.line}"


def _quoted(value: str | None) -> str:
    return "blank" if value is None else f"'{_short(value)}'"


def _short(value: str) -> str:
    flat = value.replace("\r\n", "\n").replace("\n", " ⏎ ")
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1]}…"
