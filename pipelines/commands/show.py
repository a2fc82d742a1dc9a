"""A batch's summary, as tables people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.summary import ObjectCounts, SourceCounts, Summary

ALWAYS = ("created", "updated", "unchanged", "held", "rejected")
"""Outcomes with a column of their own even when nothing came of them."""

PLANNED = ("create", "adopt", "update", "unchanged", "hold")
"""Actions of a plan with a column of their own, the same."""


def tables(found: Summary, *, plan_only: bool = False) -> RenderableType:
    """Sources, people and objects of one batch, and the files that were refused."""
    written: RenderableType = _planned(found) if plan_only else _objects(found)
    parts: list[RenderableType] = [_sources(found), Text(_people(found)), Text(), written]
    if found.withheld:
        parts.append(Text(_withheld(found)))
    if found.refused:
        parts.append(Text(_refused(found), style="yellow"))
    return Group(*parts)


def _withheld(found: Summary) -> str:
    cells = (
        f"{number:,} of {header.strip()!r} in {source}"
        for source, headers in found.withheld.items()
        for header, number in headers.items()
    )
    return f"\nSecrets that do not land, in cells: {', '.join(cells)}"


def _refused(found: Summary) -> str:
    files = _number(len(found.refused), "file")
    lines = "".join(f"\n  {problem}" for problem in found.refused)
    return (
        f"\n{files} could not be read; what landed from it before stays, all else went on:{lines}"
    )


def _people(found: Summary) -> str:
    joined = _number(found.duplicates_joined, "duplicate")
    people = "1 person" if found.people == 1 else f"{found.people:,} people"
    return (
        f"{people} at {_number(found.accounts, 'account')}, {joined} joined"
        f" ({found.people_total:,} and {found.accounts_total:,} in all)"
    )


def _sources(found: Summary) -> Table:
    table = _table("source", [part.name for part in fields(SourceCounts)])
    for name, counts in sorted(found.sources.items()):
        _add(table, name, [counts.landed, counts.valid, counts.rejected])
    return table


def _objects(found: Summary) -> Table:
    seen = [
        part.name
        for part in fields(ObjectCounts)
        if part.name in ALWAYS
        or any(getattr(counts, part.name) for counts in found.objects.values())
    ]
    table = _table("Salesforce", seen)
    for name, counts in found.objects.items():
        _add(table, name, [getattr(counts, part) for part in seen])
    return table


def _planned(found: Summary) -> Table:
    known = next(iter(found.planned.values()), {})
    used = {action for counts in found.planned.values() for action in counts if counts[action]}
    actions = [action for action in known if action in used or action in PLANNED]
    table = _table("plan", actions)
    for name, counts in found.planned.items():
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
