"""Where in a file its columns stand: in which line, cut by which sign, on which sheet.

What is declared counts. Where nobody says, the header is in the first line, unless that does not
fit the source or one other line fits far better; what was found is told, with the key to say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipelines.sources.format import Format
from pipelines.sources.headers import distinct
from pipelines.sources.model import Source
from pipelines.sources.readers.delimited import Delimited
from pipelines.sources.readers.json_file import JsonFile
from pipelines.sources.readers.reader import Reader, Remark, Tabular, Unreadable
from pipelines.sources.shapes import Fit, Unfit, fit

FAR_BETTER = 2
"""How many times the columns of the first line another line must know, and how many more."""

_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[a-zA-Z]{2,}")
_VALUE = re.compile(r"\+?[\d(][\d ().,/-]{5,}|\d{1,4}([-./]\d{1,2}){2}.*")


@dataclass(frozen=True)
class Layout:
    """A file whose header was understood.

    Attributes:
        reader: reads it so.
        header: the names of its columns, each once.
        fit: what they are.
        remarks: what had to be found out.
    """

    reader: Reader
    header: list[str]
    fit: Fit
    remarks: tuple[Remark, ...] = ()

    @property
    def known(self) -> int:
        """How many of its columns the source knows."""
        return len(self.fit.used)


def layout(parts: Sequence[Reader], source: Source) -> Layout:
    """The layout of a file, of whose parts one must fit.

    Raises:
        Unreadable: none fits, or several do as well.
    """
    if len(parts) == 1:
        return _of_part(parts[0], source)
    fitting: list[Layout] = []
    reasons: list[str] = []
    for part in parts:
        try:
            fitting.append(_of_part(part, source))
        except Unreadable as error:
            reasons.append(f"{_name(part)!r}: {error.message}")
    if not fitting:
        raise Unreadable("; ".join(reasons), 1)
    named = [one for one in fitting if _name(one.reader)]
    for whole in (one for one in fitting if not _name(one.reader)):
        if not named or _fits_beside(whole, parts, source):
            named.append(whole)
    if len(named) > 1:
        names = ", ".join(_name(one.reader) or "all of it" for one in named)
        advice = "say 'format: {sheet: …}' for this source in sources.yaml"
        raise Unreadable(f"the sheets {names} all hold rows; {advice}")
    return _with_remarks(named[0], _left_out(parts, named[0]))


def _fits_beside(whole: Layout, parts: Sequence[Reader], source: Source) -> bool:
    """Whether a JSON document is itself a row: also without the lists in it, it fits."""
    lists = tuple(name for one in parts if (name := _name(one)))
    own = [
        header
        for header in whole.header
        if header not in lists and not header.startswith(tuple(f"{name}." for name in lists))
    ]
    try:
        fit(own, source)
    except Unfit:
        return False
    return True


def _left_out(parts: Sequence[Reader], chosen: Layout) -> Iterator[Remark]:
    others = [name for one in parts if (name := _name(one)) not in ("", _name(chosen.reader))]
    if others:
        listed = ", ".join(map(repr, others))
        message = f"only {_name(chosen.reader)!r} is read, which fits; {listed} hold rows as well"
        yield Remark(None, message)
    elif isinstance(chosen.reader, JsonFile) and chosen.reader.name:
        yield Remark(None, f"the list {chosen.reader.name!r} is read, and nothing beside it")


def _name(reader: Reader) -> str:
    return str(getattr(reader, "name", ""))


def _of_part(part: Reader, source: Source) -> Layout:
    """The header where it was declared or is usual, else where it fits far better."""
    if not isinstance(part, Tabular):
        return _fitted(part, part.header(), source)
    reason: Unreadable | None = None
    usual = None
    try:
        usual = _fitted(part, _header(part), source)
    except Unreadable as error:
        reason = error
    if usual is not None and usual.known * 2 >= sum(map(bool, map(str.strip, usual.header))):
        return usual
    others = list(_others(part, source))
    least = usual.known if usual else 0
    far = [
        one
        for one in others
        if one.known >= max(least * FAR_BETTER, least + FAR_BETTER - (not usual))
    ]
    best = [one for one in far if one.known == max(other.known for other in far)]
    lines = {_line(one) for one in best}
    if len(lines) == 1:
        return _with_remarks(best[0], _found(part, best[0]))
    if usual is not None:
        return usual
    assert reason is not None  # noqa: S101
    raise Unreadable(f"{reason.message}{_hint(part, lines, source)}", reason.line)


def _header(part: Tabular) -> list[str]:
    """The header where it was declared or is usual, unless it is plainly a row."""
    header = part.header()
    if part.form.header is None and any(map(_ADDRESS.fullmatch, map(str.strip, header))):
        raise Unreadable(_headless(header), part.first_line())
    return header


def _fitted(reader: Reader, header: Sequence[str], source: Source) -> Layout:
    names = distinct(header)
    try:
        fitted = fit(names, source)
        return Layout(reader, names, fitted, tuple(_recognised(fitted, source)))
    except Unfit as error:
        at = reader.form.header if isinstance(reader, Tabular) else None
        hint = f"; {_headless(header)}" if any(map(_is_value, header)) else ""
        raise Unreadable(f"{error}{hint}", at if isinstance(at, int) else 1) from None


def _recognised(fitted: Fit, source: Source) -> Iterator[Remark]:
    """Which known export it is, where its header says so and not the source."""
    if fitted.kind.preset not in source.preset:
        name = fitted.kind.preset
        yield Remark(None, f"read as {fitted.kind.about}; 'preset: {name}' says so")


def _others(part: Tabular, source: Source) -> Iterator[Layout]:
    for reader, header in part.elsewhere():
        if any(map(str.strip, header)) and not any(map(_ADDRESS.fullmatch, header)):
            try:
                yield _fitted(reader, header, source)
            except Unreadable:
                continue


def _line(found: Layout) -> object:
    return found.reader.form.header if isinstance(found.reader, Tabular) else None


def _found(part: Tabular, found: Layout) -> Iterator[Remark]:
    """What the file was found to be, as one would declare it."""
    form = found.reader.form if isinstance(found.reader, Tabular) else Format()
    line = form.header
    if isinstance(line, int) and part.form.header is None and line != part.first_line():
        above = "the line above it is" if line == 2 else "the lines above it are"
        yield Remark(
            line,
            f"the header is in line {line}, {above} left out; 'format: {{header: {line}}}' says so",
        )
    if isinstance(part, Delimited) and form.delimiter not in (part.delimiter, None):
        sign = _sign(form.delimiter)
        message = (
            f"its columns are separated by {sign!r}; 'format: {{delimiter: \"{sign}\"}}' says so"
        )
        yield Remark(line if isinstance(line, int) else 1, message)


def _hint(part: Tabular, lines: Iterable[object], source: Source) -> str:
    if lines:
        listed = " and ".join(f"line {line}" for line in sorted(lines, key=str))
        first = min(lines, key=str)
        return f"; {listed} look like headers: say which, as in 'format: {{header: {first}}}'"
    if isinstance(part, Delimited) and part.form.delimiter:
        for delimiter, header in part.otherwise():
            try:
                fit(distinct(header), source)
            except Unfit:
                continue
            sign = _sign(delimiter)
            return (
                f"; its columns are separated by {sign!r}: say 'format: {{delimiter: \"{sign}\"}}'"
            )
    return ""


def _sign(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else delimiter


def _headless(header: Sequence[str]) -> str:
    """What to do about a file that begins with a row."""
    places = [f"column {at}: {_guess(cell)}" for at, cell in enumerate(header, 1) if cell.strip()]
    return (
        "the first line looks like data, not like the names of columns; if the file has no"
        " header, say 'format: {header: none}' and what its columns are: 'columns: {"
        f"{', '.join(places)}}}'; if it is one, say 'format: {{header: 1}}'"
    )


def _guess(cell: str) -> str:
    return "email" if _ADDRESS.fullmatch(cell.strip()) else "…"


def _is_value(cell: str) -> bool:
    text = cell.strip()
    return bool(_ADDRESS.fullmatch(text) or _VALUE.fullmatch(text))


def _with_remarks(found: Layout, remarks: Iterable[Remark]) -> Layout:
    return Layout(found.reader, found.header, found.fit, (*found.remarks, *remarks))
