"""The selects that give a file's rows the columns of a raw relation. Nothing here runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipelines.sources.inbox import InboxFile
from pipelines.sources.presets import ADDRESSES
from pipelines.sources.relations import ORIGIN, RAW, columns
from pipelines.sources.shapes import Fit
from pipelines.warehouse import literal, parquet_sql

EXAMPLE = 40
"""Characters of a value that is shown of a column which nothing reads."""


@dataclass(frozen=True)
class Origin:
    """Where the rows of one file come from, and what the source adds to them.

    Attributes:
        view: the file's rows, as a reader left them in DuckDB; a name or a subquery.
        source: the source's name.
        file: its path below the inbox.
        batch: the day.
        loaded_at: when it was landed, in UTC.
        constants: raw column → its value in every row.
        names: the file's headers, by position.
    """

    view: str
    source: str
    file: str
    batch: date
    loaded_at: datetime
    constants: Mapping[str, str]
    names: Sequence[str]


def relation_sql(relation: str, selects: Sequence[str]) -> str:
    """All rows of a raw relation; without any select, none, but with its columns."""
    if selects:
        return "\nunion all\n".join(selects)
    empty = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns(relation).items())
    return f"select {empty} where false"


def earlier_sql(relation: str, path: Path, files: Sequence[InboxFile]) -> str:
    """The rows that these files had in a day's file of a raw relation, which may be an older one's.

    Args:
        relation: which.
        path: what landed before.
        files: those that cannot be read now.
    """
    chosen = ", ".join(f'"{name}"' for name in columns(relation))
    named = ", ".join(f"({literal(file.source)}, {literal(file.name)})" for file in files)
    return (
        f"select {chosen} from ({relation_sql(relation, ())}"
        f" union all by name select * from {parquet_sql(path)})"
        f" where (_source, _file) in ({named})"
    )


def rows_sql(origin: Origin, fit: Fit) -> str:
    """One row for each row of a file whose rows are of one kind."""
    values = _values(origin, fit.shape.relation, fit.columns)
    if fit.ids:
        values[fit.shape.id] = _joined_sql(fit.ids)
    return _select_sql(origin, fit.shape.relation, values, _extra_sql(origin, fit), origin.view)


def customers_sql(origin: Origin, fit: Fit) -> str:
    """The customers of a file whose rows carry an address too."""
    return f"{rows_sql(origin, fit)} where not {_further_sql(fit)}"


def customer_addresses_sql(origin: Origin, fit: Fit) -> str:
    """The addresses of a file whose rows carry one: of the row's customer, or of the one above.

    Below a broken line nobody knows whose address it is, and it lands without a customer.
    """
    owner = {
        "customer_id": fit.columns.get("customer_id"),
        "customer_email": fit.columns.get("email"),
        "website": fit.columns.get("website"),
    }
    fields = ", ".join(f"'{name}': {_column_sql(place)}" for name, place in owner.items())
    nobody = ", ".join(f"'{name}': null::varchar" for name in owner)
    further = _further_sql(fit)
    source = f"""(
        select *, last_value(
            case
                when _defect is not null then {{{nobody}}}
                when not {further} then {{{fields}}}
            end ignore nulls
        ) over (order by _row rows between unbounded preceding and current row) as owner
        from {origin.view}
    )"""
    values = _values(origin, ADDRESSES, fit.addresses) | {f: f"owner.{f}" for f in owner}
    # A further address has no customer's row beside it that would take the other cells.
    own = _extra_sql(origin, fit, fit.unshared)
    extra = f"if({_any_sql(fit.unshared)}, {own}, {_extra_sql(origin, fit)})"
    extra = f"case when {further} then {extra} end"
    carried = _any_sql(fit.addresses.values())
    return (
        f"{_select_sql(origin, ADDRESSES, values, extra, source)}\n"
        f"where _defect is null and {carried}"
    )


def filled_sql(view: str, places: Sequence[int], withheld: Sequence[int]) -> str:
    """The rows of a view in which anything stands; a cell of nothing but blanks is none.

    Spreadsheets write thousands of rows of delimiters below their last one.
    """
    if not places and not withheld:
        return view
    cells = ", ".join(f"{_filled_cell_sql(f'c{place}')} as c{place}" for place in places)
    rows = f"(select * replace ({cells}) from {view})" if places else view
    names = [*(f"c{place} is not null" for place in places), *(f"w{at}" for at in withheld)]
    return f"(select * from {rows} where _defect is not null or {' or '.join(names)})"


def _filled_cell_sql(column: str) -> str:
    # Whatever begins with a letter or digit is not looked at twice.
    blank = f"{column} < '!' and trim({column}, e' \\t\\r\\n') = ''"
    return f"case when {blank} then null else {column} end"


def cells_sql(view: str, fit: Fit) -> str:
    """One row: how many rows, the filled cells of each kept place, those of each withheld one.

    Behind these stands the first value of each place that no raw column takes.
    """
    counts = [
        *(f"count(c{place})" for place in fit.places),
        *(f"count(w{at})" for at in fit.withheld),
    ]
    examples = [f"left(arg_min(c{place}, _row), {EXAMPLE})" for place in fit.extra]
    return f"select {', '.join(['count(*)', *counts, *examples])} from {view}"


def _select_sql(
    origin: Origin, relation: str, values: Mapping[str, str], extra: str, source: str
) -> str:
    marks = {
        "_extra": extra,
        "_defect": "_defect",
        "_source": literal(origin.source),
        "_file": literal(origin.file),
        "_row": "_row",
        "_batch": literal(origin.batch.isoformat()),
        "_loaded_at": literal(origin.loaded_at.isoformat()),
    }
    chosen = [f'{values.get(name, "null")}::varchar as "{name}"' for name in RAW[relation]]
    chosen += [f"({marks[name]})::{kind} as {name}" for name, kind in ORIGIN.items()]
    return "select\n    " + ",\n    ".join(chosen) + f"\nfrom {source}"


def _values(origin: Origin, relation: str, places: Mapping[str, int]) -> dict[str, str]:
    """Raw column → expression; a line that could not be read carries no constant either."""
    values = {column: f"c{place}" for column, place in places.items()}
    for column, constant in origin.constants.items():
        if column in RAW[relation]:
            values[column] = f"case when _defect is null then {literal(constant)} end"
    return values


def _extra_sql(origin: Origin, fit: Fit, more: Sequence[int] = ()) -> str:
    places = (*fit.extra, *more)
    if not places:
        return "null"
    pairs = ", ".join(f"{literal(origin.names[place])}, c{place}" for place in places)
    return f"case when {_any_sql(places)} then json_object({pairs}) end"


def _joined_sql(places: Sequence[int]) -> str:
    """An id of several values: blank ones count, so that a + nothing is not nothing + a."""
    parts = " || '|' || ".join(f"coalesce(c{place}, '')" for place in places)
    return f"case when {_any_sql(places)} then {parts} end"


def _further_sql(fit: Fit) -> str:
    """Whether a row is one more address of the customer above: no customer, but an address."""
    own = [fit.columns[name] for name in ("email", "customer_id") if name in fit.columns]
    return f"(_defect is null and not {_any_sql(own)} and {_any_sql(fit.addresses.values())})"


def _any_sql(places: Iterable[int]) -> str:
    listed = ", ".join(f"c{place}" for place in places)
    return f"(coalesce({listed}) is not null)"


def _column_sql(place: int | None) -> str:
    return "null::varchar" if place is None else f"c{place}"
