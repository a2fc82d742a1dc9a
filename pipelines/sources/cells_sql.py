"""What a raw column is of a row whose file has several columns for it. Nothing here runs.

Where one header fits, which is nearly always, it is that cell and costs nothing more. Of several
the first that is filled counts in each row, and what another one says is kept in ``_extra``.
The parts of an address come from one block of columns each, so that no street of one address stands
beside a city of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pipelines.sources.columns import Places
from pipelines.sources.headers import distinct
from pipelines.sources.shapes import Fit
from pipelines.sources.words import PHONES
from pipelines.warehouse import literal

SEVERAL = frozenset({*PHONES, "email", "website"})
"""Columns of which one cell may hold several values, of which the first counts."""

OTHER = "other_"
"""Before the name of a part: the same of a row's second address."""


class LeftOver(NamedTuple):
    """What is in no raw column of its row.

    Attributes:
        name: what ``_extra`` calls it.
        value: the expression that gives it; null where there is nothing.
        is_cell: whether it is a whole cell, and not what stands behind the first of several values.
    """

    name: str
    value: str
    is_cell: bool = True


def values_sql(fit: Fit, columns: Mapping[str, Places]) -> dict[str, str]:
    """Raw column → the expression that gives its value."""
    return {column: _value_sql(fit, column, places) for column, places in columns.items()}


def first_address_sql(fit: Fit) -> dict[str, str]:
    """Part → its value in the first of a row's addresses that is filled."""
    filled = [any_sql(block) for block in map(_places, fit.blocks)]
    values = {}
    for part in _parts(fit):
        cases = (
            f"when {test} then {_own_sql(fit, block, part)}"
            for test, block in zip(filled, fit.blocks, strict=True)
        )
        values[part] = f"case {' '.join(cases)} end"
    return values


def second_address_sql(fit: Fit, columns: Iterable[str]) -> dict[str, str]:
    """Raw column → its value in the second of a row's addresses that is filled."""
    filled = [any_sql(block) for block in map(_places, fit.blocks)]
    values = {}
    for part in _parts(fit):
        if f"{OTHER}{part}" in columns:
            cases = (
                f"when {_or_sql(filled[:at])} and {filled[at]}"
                f" then {_own_sql(fit, fit.blocks[at], part)}"
                for at in range(1, len(filled))
            )
            values[f"{OTHER}{part}"] = f"case {' '.join(cases)} end"
    return values


def left_over_sql(fit: Fit, columns: Iterable[str], names: Sequence[str]) -> list[LeftOver]:
    """What is in no raw column of its row, first the places of ``fit.extra``.

    Args:
        fit: what the columns of the file are.
        columns: the raw columns of the relation that takes a second address.
        names: the file's headers, by position.
    """
    found = [LeftOver(names[place], f"c{place}") for place in fit.extra]
    for column, places in fit.columns.items():
        found += _beside_sql(fit, column, places, names)
    own = {place for places in fit.columns.values() for place in places}
    for column, places in fit.addresses.items():
        if not own.intersection(places):
            found += _beside_sql(fit, column, places, names)
    filled = [any_sql(block) for block in map(_places, fit.blocks)]
    for at, block in enumerate(fit.blocks):
        for part, places in block.items():
            rooms = 2 if f"{OTHER}{part}" in columns else 1
            unused = _at_least_sql(filled[:at], rooms)
            for place in places:
                differs = f"c{place} is distinct from {_own_sql(fit, block, part)}"
                test = " or ".join([unused] * (unused != "false") + [differs] * (len(places) > 1))
                if test:
                    found.append(LeftOver(names[place], f"case when {test} then c{place} end"))
    names_once = distinct([one.name for one in found])
    return [one._replace(name=name) for one, name in zip(found, names_once, strict=True)]


def _value_sql(fit: Fit, column: str, places: Places) -> str:
    cells = [_cell_sql(fit, column, place) for place in places]
    return cells[0] if len(cells) == 1 else f"coalesce({', '.join(cells)})"


def _cell_sql(fit: Fit, column: str, place: int) -> str:
    """What a cell says of a raw column; of a typed phone, if its label says that it is this."""
    cell = _first_sql(fit, column, place)
    if place in fit.labels:
        kind = phone_kind_sql(f"c{fit.labels[place]}")
        cell = f"case when {kind} = {literal(column)} then {cell} end"
    return cell


def _first_sql(fit: Fit, column: str, place: int) -> str:
    """A cell, or the first of several values in it."""
    cell = f"c{place}"
    if not _holds_several(fit, column):
        return cell
    mark = literal(fit.shape.separator or "")
    first = f"nullif(trim(split_part({cell}, {mark}, 1)), '')"
    return f"if(contains({cell}, {mark}), {first}, {cell})"


def _rest_sql(fit: Fit, place: int) -> str:
    """What stands behind the first of several values in a cell."""
    cell, mark = f"c{place}", fit.shape.separator or ""
    rest = f"substr({cell}, strpos({cell}, {literal(mark)}) + {len(mark)})"
    return f"case when contains({cell}, {literal(mark)}) then nullif(trim({rest}), '') end"


def _holds_several(fit: Fit, column: str) -> bool:
    return fit.shape.separator is not None and column in SEVERAL


def phone_kind_sql(label: str) -> str:
    """Which raw column a phone is, by the label beside it; what it does not say is a phone."""
    cases = "".join(
        f" when regexp_matches({label}, {literal('(?i)' + words)}) then {literal(column)}"
        for column, words in _LABELS.items()
    )
    return f"case{cases} else 'phone' end"


_LABELS = {
    "fax": r"fax|télécopie",
    "mobile_phone": r"mobil|cell|handy|portable|m[óo]vil|celular|telem[óo]vel|iphone|gsm|kom[óo]rk",
    "home_phone": r"home|priva|domicile|casa|particular|thuis|\bhem\b|dom",
    "main_phone": r"main|company|zentrale|switchboard",
    "other_phone": r"other|pager|assistant|andere|autre|otro|altro|outro|overig",
}
"""Raw column → the words of labels, the stronger first."""


def _beside_sql(fit: Fit, column: str, places: Places, names: Sequence[str]) -> list[LeftOver]:
    """What cells say that are not the one that counts, and what stands behind the first value."""
    found = []
    for at, place in enumerate(places):
        if place in fit.labels and column != "phone":
            continue  # it is told with the column that every phone may be
        if _holds_several(fit, column):
            name = f"{column}_{len(places) + at + 1}"
            found.append(LeftOver(name, _rest_sql(fit, place), is_cell=False))
        if place in fit.labels:
            taken = [_value_sql(fit, one, fit.columns[one]) for one in PHONES if one in fit.columns]
        else:
            taken = [_value_sql(fit, column, places)] if at else []
        if taken:
            cell = _first_sql(fit, column, place)
            test = " and ".join(f"{cell} is distinct from {one}" for one in taken)
            name = fit.repeated.get(place, names[place])
            found.append(LeftOver(name, f"case when {test} then {cell} end"))
    return found


def _own_sql(fit: Fit, block: Mapping[str, Places], part: str) -> str:
    return _value_sql(fit, part, block[part]) if part in block else "null"


def _parts(fit: Fit) -> list[str]:
    return list(dict.fromkeys(part for block in fit.blocks for part in block))


def _places(block: Mapping[str, Places]) -> list[int]:
    return [place for places in block.values() for place in places]


def any_sql(places: Sequence[int]) -> str:
    """Whether one of these cells is filled."""
    if not places:
        return "false"
    return f"(coalesce({', '.join(f'c{place}' for place in places)}) is not null)"


def _or_sql(tests: Sequence[str]) -> str:
    return f"({' or '.join(tests)})"


def _at_least_sql(tests: Sequence[str], number: int) -> str:
    """Whether that many of the tests hold."""
    if len(tests) < number:
        return "false"
    return f"({' + '.join(f'{test}::int' for test in tests)}) >= {number}"
