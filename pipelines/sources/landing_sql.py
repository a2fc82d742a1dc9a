"""The selects that give a file's rows the columns of a raw relation. Nothing here runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipelines.sources.cells_sql import (
    LeftOver,
    any_sql,
    first_address_sql,
    left_over_sql,
    second_address_sql,
    values_sql,
)
from pipelines.sources.inbox import InboxFile
from pipelines.sources.presets import ADDRESSES
from pipelines.sources.readers.reader import trimmed_sql
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
    inside = " or ".join(  # what was in an archive
        f"_source = {literal(file.source)} and starts_with(_file, {literal(f'{file.name}/')})"
        for file in files
    )
    return (
        f"select {chosen} from ({relation_sql(relation, ())}"
        f" union all by name select * from {parquet_sql(path)})"
        f" where (_source, _file) in ({named}) or {inside}"
    )


def rows_sql(origin: Origin, fit: Fit) -> str:
    """One row for each row of a file whose rows are of one kind."""
    relation = fit.shape.relation
    values = values_sql(fit, fit.columns)
    if fit.blocks:
        values |= second_address_sql(fit, RAW[relation])
        if relation != "raw_customers":
            values |= first_address_sql(fit)
    values |= _constants(origin, relation)
    if fit.ids:
        values[fit.shape.id] = _joined_sql(fit.ids)
    marks = {"_extra": _extra_sql(origin, fit), "_consent": _consent_sql(origin, fit)}
    return _select_sql(origin, relation, values, marks, origin.view)


def customers_sql(origin: Origin, fit: Fit) -> str:
    """The customers of a file whose rows carry an address too."""
    return f"{rows_sql(origin, fit)} where not {_further_sql(fit)}"


def customer_addresses_sql(origin: Origin, fit: Fit) -> str:
    """The addresses of a file whose rows carry one: of the row's customer, or of the one above.

    Below a broken line nobody knows whose address it is, and it lands without a customer.
    """
    own = values_sql(fit, fit.columns)
    owner = {
        "customer_id": own.get("customer_id", "null::varchar"),
        "customer_email": own.get("email", "null::varchar"),
        "website": own.get("website", "null::varchar"),
    }
    fields = ", ".join(f"'{name}': {value}" for name, value in owner.items())
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
    values = values_sql(fit, fit.addresses) | first_address_sql(fit)
    values |= _constants(origin, ADDRESSES) | {name: f"owner.{name}" for name in owner}
    # A further address has no customer's row beside it that would take the other cells.
    beside = _extra_sql(origin, fit, fit.unshared)
    extra = f"if({any_sql(fit.unshared)}, {beside}, {_extra_sql(origin, fit)})"
    extra = f"case when {further} then {extra} end"
    carried = any_sql(fit.address_places)
    return (
        f"{_select_sql(origin, ADDRESSES, values, {'_extra': extra}, source)}\n"
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
    blank = f"{column} < '!' and {trimmed_sql(column)} = ''"
    return f"case when {blank} then null else {column} end"


def cells_sql(view: str, fit: Fit, names: Sequence[str]) -> str:
    """One row: how many rows, the filled cells of each kept place, those of each withheld one.

    Behind these stand the first value of each place that no raw column takes, how many cells of
    other places are kept beside the raw columns, how many rows have each column of
    ``landed_columns``, and whether a cell is nothing but blanks.
    """
    further = kept_sql(fit, names)
    blank = " or ".join(
        f"case when c{place} < '!' then {trimmed_sql(f'c{place}')} = '' else false end"
        for place in fit.places
    )
    counts = [
        "count(*)",
        *(f"count(c{place})" for place in fit.places),
        *(f"count(w{at})" for at in fit.withheld),
        *(f"left(arg_min(c{place}, _row), {EXAMPLE})" for place in fit.extra),
        " + ".join(f"count({value})" for value in further) or "0",
        *(f"count({value})" for value in landed_columns(fit).values()),
        f"bool_or({blank or 'true'})",
    ]
    return f"select {', '.join(counts)} from {view}"


def kept_sql(fit: Fit, names: Sequence[str]) -> list[str]:
    """The cells of places that a raw column takes, in rows in which another cell fills it."""
    left = left_over_sql(fit, RAW[fit.shape.relation], names)[len(fit.extra) :]
    kept = [one.value for one in left if one.is_cell]
    if fit.has_addresses:  # see customer_addresses_sql
        further = _further_sql(fit)
        kept += [f"case when {further} then c{at} end" for at in fit.unshared]
    return kept


def landed_columns(fit: Fit) -> dict[str, str]:
    """Raw column → its value, of a file whose rows are each one row of one relation."""
    if fit.has_addresses or fit.blocks or fit.ids:
        return {}
    return values_sql(fit, fit.columns)


def _select_sql(
    origin: Origin,
    relation: str,
    values: Mapping[str, str],
    own_marks: Mapping[str, str],
    source: str,
) -> str:
    marks = {
        "_consent": "null",
        **own_marks,
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


def _constants(origin: Origin, relation: str) -> dict[str, str]:
    """Raw column → expression; a line that could not be read carries no constant either."""
    return {
        column: f"case when _defect is null then {literal(constant)} end"
        for column, constant in origin.constants.items()
        if column in RAW[relation]
    }


def _extra_sql(origin: Origin, fit: Fit, more: Sequence[int] = ()) -> str:
    """What is in no raw column, as JSON; null where there is nothing."""
    found = left_over_sql(fit, RAW[fit.shape.relation], origin.names)
    named = {one.name for one in found}
    found += [LeftOver(origin.names[at], f"c{at}") for at in more if origin.names[at] not in named]
    if not found:
        return "null"
    pairs = ", ".join(f"{literal(one.name)}, {one.value}" for one in found)
    listed = ", ".join(one.value for one in found)
    return f"case when coalesce({listed}) is not null then json_object({pairs}) end"


def _consent_sql(origin: Origin, fit: Fit) -> str:
    """The filled cells that speak of consent; that somebody left a list needs no cell."""
    if not fit.consent:
        return "null"
    cells = ", ".join(
        f"{{'header': {literal(origin.names[place])}, 'kind': {literal(kind)}, 'value': c{place}}}"
        for place, kind in fit.consent
    )
    left = any(kind == "left_list" for _, kind in fit.consent)
    condition = "_defect is null" if left else any_sql([place for place, _ in fit.consent])
    return (
        f"case when {condition} then to_json(list_filter([{cells}], lambda cell:"
        " cell.value is not null or cell.kind = 'left_list')) end"
    )


def _joined_sql(places: Sequence[int]) -> str:
    """An id of several values: blank ones count, so that a + nothing is not nothing + a."""
    parts = " || '|' || ".join(f"coalesce(c{place}, '')" for place in places)
    return f"case when {any_sql(places)} then {parts} end"


def _further_sql(fit: Fit) -> str:
    """Whether a row is one more address of the customer above: no customer, but an address."""
    own = [at for name in _CUSTOMER for at in fit.columns.get(name, ())]
    return f"(_defect is null and not {any_sql(own)} and {any_sql(fit.address_places)})"


_CUSTOMER = ("email", "customer_id", "first_name", "last_name", "name")
"""By what a row is a customer's, be it a wrong one."""
