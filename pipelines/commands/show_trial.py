"""A trial as people read it in a terminal: the file, its columns, its rows, what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from pipelines.commands.environment import command, readable_path
from pipelines.commands.show_plan import CUT, printable

if TYPE_CHECKING:
    from pipelines.trial.columns import Column
    from pipelines.trial.noted import Noted
    from pipelines.trial.rows import Record, Row
    from pipelines.trial.run import Trial
    from pipelines.validate.reasons import Reason

REASONS = 12
"""Reasons of one kind that are listed."""

WIDEST = 28
"""Characters of a header that are shown."""

FIELDS = 2
"""Fields of one column that are named."""


def trial_text(trial: Trial, file: str, sources: Path) -> RenderableType:
    """All of a trial.

    Args:
        trial: what came of it.
        file: the file's name.
        sources: where the lines for the source belong.
    """
    return Group(
        *_file(trial, file),
        *_columns(trial.columns),
        *(line for row in trial.rows for line in _row(row)),
        *_section("rejected", map(_rejection, trial.rejections)),
        *_section("blanked", map(_note, trial.blanked)),
        *_section("noted", map(_note, trial.noted)),
        Text(f"\n{_sum(trial)}", style="bold"),
        *_next(trial, file, sources),
    )


def _file(trial: Trial, file: str) -> Iterator[Text]:
    yield Text(file, style="bold").append(
        f"  {', '.join(trial.facts.values())}", style="not bold dim"
    )
    yield Text(f"read as {trial.about} (preset {trial.preset}), its rows are {trial.entity}")
    yield from (Text(remark, style="yellow") for remark in trial.remarks)


def _columns(columns: Sequence[Column]) -> Iterator[Text]:
    width = min(WIDEST, max((len(column.header) for column in columns), default=0))
    middle = max((len(", ".join(column.raw)) for column in columns if column.raw), default=0)
    for place, column in enumerate(columns):
        before = "\n" if place == 0 else ""
        header = _cut(column.header, WIDEST)
        line = Text(f"{before}  {header:<{width}}  ")
        if column.secret:
            line.append(f"withheld, a secret: {_number(column.cells, 'cell')}", style="dim")
        elif column.raw:
            raw = ", ".join(column.raw)
            line.append(f"{raw:<{min(middle, 24)}}  ", style="cyan").append(_fields(column))
        elif column.ignored:
            line.append("ignored, as sources.yaml says", style="dim")
        elif column.cells:
            example = f", such as {_cut(column.example or '', 20)!r}"
            line.append(f"unread: {_number(column.cells, 'cell')}{example}", style="yellow")
        else:
            line.append("unread, and blank", style="dim")
        yield line


def _fields(column: Column) -> Text:
    if not column.fields:
        return Text("no field reads it", style="dim")
    more = len(column.fields) - FIELDS
    rest = f" and {more} more" if more > 0 else ""
    return Text(f"{', '.join(column.fields[:FIELDS])}{rest}")


def _row(row: Row) -> Iterator[Text]:
    head = Text(f"\nline {row.line}", style="bold")
    if row.rejected:
        yield head.append(f"  rejected: {'; '.join(row.rejected)}", style="not bold yellow")
        return
    yield head.append(f"  {row.why or 'becomes nothing'}", style="not bold dim")
    for record in row.records:
        yield from _record(record)


def _record(record: Record) -> Iterator[Text]:
    line = Text(f"  {record.object}", style="green")
    if record.waits:
        line.append(f"  waits: {record.waits}", style="yellow")
    yield line
    width = max(map(len, record.values), default=0)
    for field, value in record.values.items():
        yield Text(f"    {field:<{width}}  ").append(printable(value), style="green")


def _section(name: str, lines: Iterable[str]) -> Iterator[Text]:
    for place, line in enumerate(listed := list(lines)):
        if place == REASONS:
            yield Text(f"  … and {len(listed) - REASONS} more reasons; --json has all", style="dim")
            return
        if place == 0:
            yield Text(f"\n{name}", style="bold yellow")
        yield Text(line)


def _rejection(reason: Reason) -> str:
    value = f" ({_cut(reason.value, 24)!r})" if reason.value else ""
    return f"{reason.rows:>7,}  {reason.text}{value}, first in {_short(reason.places[0])}"


def _note(note: Noted) -> str:
    value = f" ({_cut(note.example, 24)!r})" if note.example else ""
    place = f", first in {_short(note.place)}" if note.place else ""
    return f"{note.number:>7,}  {note.subject}: {note.reason}{value}{place}"


def _sum(trial: Trial) -> str:
    made = [_number(number, name) for name, number in trial.records.items()]
    rejected = f", {trial.rejected:,} rejected" if trial.rejected else ""
    return f"{_number(trial.landed, 'row')}{rejected}: {', '.join(made) or 'no record'}"


def _next(trial: Trial, file: str, sources: Path) -> Iterator[Text]:
    if trial.lines:
        yield Text(f"\nTo bring it in, add to {readable_path(sources)} under sources:\n")
        yield from (Text(line, style="cyan") for line in trial.lines)
    typed = command()
    yield Text(f"\nThen: put {file} into inbox/{trial.name}/<day>/, {typed} sync --plan-only")


def _short(place: str) -> str:
    """A place without the folders of its file."""
    return place.rpartition("/")[2]


def _cut(text: str, most: int = CUT) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
