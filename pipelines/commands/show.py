"""A batch's summary, as tables people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.commands.cells import cell_lines
from pipelines.summary import ObjectCounts, SourceCounts, Summary

ALWAYS = ("created", "updated", "unchanged", "held", "rejected")
"""Outcomes with a column of their own even when nothing came of them."""

MOST = 5
"""Accounts without anybody that are listed."""

PLANNED = ("create", "adopt", "update", "unchanged", "hold")
"""Actions of a plan with a column of their own, the same."""


def tables(batch_summary: Summary, *, plan_only: bool = False) -> RenderableType:
    """Sources, people and objects of one batch, and what of its files did not land."""
    results = _planned(batch_summary) if plan_only else _objects(batch_summary)
    parts: list[RenderableType] = [
        _sources(batch_summary),
        Text(_people(batch_summary)),
        Text(),
        results,
    ]
    if batch_summary.childless:
        parts.append(Text(_childless(batch_summary), style="yellow"))
    if batch_summary.ungrouped:
        listed = "\n".join(map(str, batch_summary.ungrouped))
        parts.append(Text(f"\n{listed}", style="yellow"))
    parts += [Text(line) for line in cell_lines(batch_summary)]
    for lines in (batch_summary.unread_consent, batch_summary.unclear_consent):
        if lines:
            more = f"\nand {len(lines) - MOST:,} more" if len(lines) > MOST else ""
            parts.append(Text("\n" + "\n".join(lines[:MOST]) + more, style="yellow"))
    if batch_summary.withheld:
        parts.append(Text(_withheld(batch_summary)))
    if batch_summary.remarks:
        listed = "".join(f"\n  {remark}" for remark in batch_summary.remarks)
        parts.append(Text(f"\nFiles that were read otherwise than as usual:{listed}"))
    if batch_summary.refused:
        parts.append(Text(_refused(batch_summary), style="yellow"))
    return Group(*parts)


def _childless(batch_summary: Summary) -> str:
    made = _number(len(batch_summary.childless), "account")
    listed = "".join(f"\n  {line}" for line in batch_summary.childless[:MOST])
    more = len(batch_summary.childless) - MOST
    rest = f"\n  and {more:,} more" if more > 0 else ""
    return (
        f"\n{made} made for people whom Salesforce refused; nobody belongs there, and they stay"
        f" until these come or somebody deletes them:{listed}{rest}"
    )


def _withheld(batch_summary: Summary) -> str:
    cells = (
        f"{number:,} of {header.strip()!r} in {source}"
        for source, headers in batch_summary.withheld.items()
        for header, number in headers.items()
    )
    return f"\nSecrets that do not land, in cells: {', '.join(cells)}"


def _refused(batch_summary: Summary) -> str:
    files = _number(len(batch_summary.refused), "file")
    lines = "".join(f"\n  {problem}" for problem in batch_summary.refused)
    return (
        f"\n{files} could not be read; what landed from it before stays, all else went on:{lines}"
    )


def _people(batch_summary: Summary) -> str:
    joined = _number(batch_summary.duplicates_joined, "duplicate")
    people = "1 person" if batch_summary.people == 1 else f"{batch_summary.people:,} people"
    return (
        f"{people} at {_number(batch_summary.accounts, 'account')}, {joined} joined"
        f" ({batch_summary.people_total:,} and {batch_summary.accounts_total:,} in all)"
    )


def _sources(batch_summary: Summary) -> Table:
    table = _table("source", [part.name for part in fields(SourceCounts)])
    for name, counts in sorted(batch_summary.sources.items()):
        _add(table, name, [counts.landed, counts.valid, counts.rejected])
    return table


def _objects(batch_summary: Summary) -> Table:
    outcomes = [
        part.name
        for part in fields(ObjectCounts)
        if part.name in ALWAYS
        or any(getattr(counts, part.name) for counts in batch_summary.objects.values())
    ]
    table = _table("Salesforce", outcomes)
    for name, counts in batch_summary.objects.items():
        _add(table, name, [getattr(counts, part) for part in outcomes])
    return table


def _planned(batch_summary: Summary) -> Table:
    counted_actions = next(iter(batch_summary.planned.values()), {})
    used = {
        action for counts in batch_summary.planned.values() for action in counts if counts[action]
    }
    actions = [action for action in counted_actions if action in used or action in PLANNED]
    table = _table("plan", actions)
    for name, counts in batch_summary.planned.items():
        _add(table, name, [counts[action] for action in actions])
    return table


def _table(first: str, columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 1, 0))
    table.padding = (0, 2, 0, 0)
    table.add_column(first, min_width=20)
    for column in columns:
        table.add_column(column, justify="right", min_width=9)
    return table


def _add(table: Table, name: str, numbers: Sequence[int]) -> None:
    table.add_row(name, *(f"{number:,}" if number else "[dim]·[/dim]" for number in numbers))


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
