"""A plan as people read it in a terminal: the summary first, then record by record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.sync.plan.choice import Choice
from pipelines.sync.plan.cost import predicted
from pipelines.sync.plan.decisions import KEPT, SENT
from pipelines.sync.plan.saved import Plan
from pipelines.sync.plan.show import FieldChange, ObjectSummary, Row

COLORS = {
    "create": "green",
    "adopt": "cyan",
    "undelete": "cyan",
    "update": "blue",
    "move": "magenta",
    "reassign": "magenta",
    "restore": "blue",
    "delete": "red",
    "clear_key": "cyan",
    "hold": "yellow",
    "skip": "dim",
    "unchanged": "dim",
}
ALWAYS = ("create", "update", "unchanged", "hold")
CUT = 56  # characters of one value
REASONS = 8  # of one kind, the most frequent


def head(
    saved: Plan, summaries: Sequence[ObjectSummary], blocked: Sequence[str], *, released: bool
) -> RenderableType:
    """What will happen, why, what is in the way, and what it takes."""
    return Group(
        _title(saved),
        Text(),
        _actions(summaries),
        *_blocked(blocked, released=released),
        *_section("why", _scopes(summaries)),
        *_section("takes", [_cost(saved)]),
        *_section("held", _by_object(summaries, "holds")),
        *_section("left out", _by_object(summaries, "skips")),
        *_section("decide", _undecided(summaries)),
        *_section("noted", _by_object(summaries, "notes")),
        *_section("stays", _decided(summaries, KEPT)),
        *_section("settled", _decided(summaries, {"conflict_source": SENT["conflict_source"]})),
        *_section("cut", _decided(summaries, {"truncated": SENT["truncated"]})),
        *_section("refused", _forecasts(summaries)),
        *_section("told", [("", notice) for notice in saved.notices]),
    )


def records(part: ObjectSummary, rows: Sequence[Row], *, narrowed: bool) -> RenderableType:
    """Rows of one object, each field old → new."""
    everything = sum(count for action, count in part.actions.items() if action != "unchanged")
    lines = [Text(f"\n{part.title}", style="bold")]
    for row in rows:
        lines += _record(row)
    if not narrowed and everything > len(rows):
        lines.append(Text(f"  … and {everything - len(rows):,} more; --limit, or the page", "dim"))
    return Group(*lines)


def _title(saved: Plan) -> Text:
    subject = f"Undo of {saved.undoes}" if saved.kind == "undo" else f"Batch {saved.batch}"
    text = Text(f"Plan {saved.plan_id}", style="bold")
    created = saved.created_at.replace("T", " ").removesuffix("+00:00")
    return text.append(
        f"\n{subject} · org {saved.organization_id} as {saved.username} · {created} UTC",
        style="dim",
    ).append(f"\nOf this alone:{options}" if (options := Choice.of(saved.choice).options) else "")


def _actions(summaries: Sequence[ObjectSummary]) -> Table:
    actions = [
        action
        for action in (summaries[0].actions if summaries else ())
        if action in ALWAYS or any(part.actions[action] for part in summaries)
    ]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", min_width=9)
    for action in actions:
        table.add_column(action, justify="right", min_width=9)
    for part in summaries:
        table.add_row(part.title, *(_count(part.actions[action], action) for action in actions))
    return table


def _count(number: int, action: str) -> Text:
    return Text(f"{number:,}", style=COLORS[action]) if number else Text("·", style="dim")


def _blocked(reasons: Sequence[str], *, released: bool) -> Iterator[RenderableType]:
    if reasons and released:
        yield Text("\nReleased, although", style="bold yellow")
    elif reasons:
        yield Text("\nBlocked: nothing is sent, because", style="bold red")
    yield from (Text(f"  {reason}") for reason in reasons)


def _section(name: str, lines: Iterable[tuple[str, str]]) -> Iterator[RenderableType]:
    """Lines of one kind: a number or object, then words; nothing where there are none."""
    for place, (fact, text) in enumerate(lines):
        before = "\n" if place == 0 else ""
        line = Text(f"{before}{name if place == 0 else '':<9}", style="bold")
        yield line.append(f"{fact} ", style="not bold").append(text, style="not bold dim")


def _scopes(summaries: Sequence[ObjectSummary]) -> list[tuple[str, str]]:
    counts: dict[str, int] = {}
    for part in summaries:
        for reason, count in part.scopes.items():
            counts[reason] = counts.get(reason, 0) + count
    return [(f"{count:>7,}", reason) for reason, count in sorted(counts.items(), key=_most)]


def _most(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _cost(saved: Plan) -> tuple[str, str]:
    cost = predicted(saved)
    facts = [f"{cost.calls:,} API calls", f"{_size(cost.storage_kb)} of storage"]
    if cost.batches:
        facts.insert(1, f"{cost.batches:,} Bulk batches")
    limit = saved.limits.get("DailyApiRequests")
    remaining = (
        f"({limit['Remaining']:,} of {limit['Max']:,} calls are left today)" if limit else ""
    )
    return ", ".join(facts), remaining


def _size(kilobytes: int) -> str:
    return f"{kilobytes:,} KB" if kilobytes < 10_240 else f"{kilobytes / 1024:,.0f} MB"


def _by_object(summaries: Sequence[ObjectSummary], attribute: str) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for part in summaries:
        counts: Mapping[str, int] = getattr(part, attribute)
        lines += [(f"{count:>7,} {part.title:<8}", text) for text, count in counts.items()]
    return _first(lines)


def _undecided(summaries: Sequence[ObjectSummary]) -> list[tuple[str, str]]:
    instruction = "wait for a line in decisions.csv; which: causeway plan --only reviews"
    return [
        (f"{part.undecided:>7,} {part.object:<8}", instruction)
        for part in summaries
        if part.undecided
    ]


def _decided(
    summaries: Sequence[ObjectSummary], meanings: Mapping[str, str]
) -> list[tuple[str, str]]:
    return [
        (f"{count:>7,} {part.title:<8}", meanings[decision])
        for part in summaries
        for decision, count in part.decisions.items()
        if decision in meanings
    ]


def _forecasts(summaries: Sequence[ObjectSummary]) -> list[tuple[str, str]]:
    return [
        (f"{count:>7,} {part.title:<8}", f"{forecast}: {code}")
        for part in summaries
        for (forecast, code), count in part.forecasts.items()
    ]


def _first(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    more = len(lines) - REASONS
    return lines if more <= 0 else [*lines[:REASONS], ("", f"… and {more} other reasons")]


def _record(row: Row) -> list[Text]:
    line = Text(f"  {row.action:<9} ", style=COLORS.get(row.action, ""))
    line.append(printable(row.title), style="bold").append(f"  {row.sf_id or row.key}", style="dim")
    lines = [line]
    if row.reason:
        style = "yellow" if row.action == "hold" else "dim"
        lines.append(Text(f"            {row.reason}", style=style))
    if row.decide:
        several = "\n" in row.decide
        lines.append(Text(f"            add {'one ' if several else ''}to decisions.csv:", "dim"))
        lines += [Text(f"            {line}", style="cyan") for line in row.decide.split("\n")]
    if row.forecast:
        refusal = f"{row.forecast_code}: {row.forecast_message}"
        sure = "certainly" if row.forecast == "certain" else row.forecast
        lines.append(Text(f"            {sure} refused, {refusal}", style="red"))
    width = max((len(change.field) for change in row.said), default=0)
    return lines + [_field(change, width) for change in row.said]


def _field(change: FieldChange, width: int) -> Text:
    line = Text(f"            {change.field:<{width}}  ")
    if change.decision not in SENT:
        line.append(printable(change.before), style="bold").append("  stays, not ")
        line.append(printable(change.after))
    elif change.before is None:
        line.append(printable(change.after), style="green")
    else:
        line.append(printable(change.before), style="red").append(" → ", style="dim")
        line.append(printable(change.after), style="green")
    if change.why and change.decision != "write":
        line.append(f"   {change.why}", style="dim")
    return line


def printable(value: str | None) -> str:
    """A value on one line, cut, with nothing in it that moves a terminal."""
    if value is None:
        return "(blank)"
    text = "".join(character if character.isprintable() else "⏎" for character in value)
    return text if len(text) <= CUT else f"{text[: CUT - 1]}…"
