"""``mappings/decisions.csv``: what people have decided about who is who and what may be written.

    kind,reference,target,decided_by,decided_at,note
    same,shop:7,crm:19,ada,2026-11-05,one woman with two addresses
    different,p-0f3a6c2b19d84e57,crm:20
    use,shop:9,003AB00000ABcdEYAT
    rename_ok,shop:7,

A person is named by a record of a source (``source:source_id``), by a key of ours or by the Id of a
record of the org. A later line wins over an earlier one that says otherwise, and that is told.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pipelines.errors import ConfigError, Problem

FILE = "decisions.csv"
DEMANDED = ("kind", "reference", "target")
COLUMNS = (*DEMANDED, "decided_by", "decided_at", "note")
TABLE = "kind varchar, reference varchar, target varchar, line integer"
"""The columns of ``config_decisions``, which SQL reads; ``Decisions.rows`` are its rows."""

RECORD, PERSON, ACCOUNT, ID = "a source record", "a person key", "an account key", "an Id"
SOMEBODY = (RECORD, PERSON, ID)
KINDS: Mapping[str, tuple[Collection[str], Collection[str]]] = {
    "same": (SOMEBODY, SOMEBODY),
    "different": (SOMEBODY, SOMEBODY),
    "use": ((RECORD, PERSON, ACCOUNT), (ID,)),
    "rename_ok": (SOMEBODY, ()),
}
"""Kind → what its reference may be, and what its target; none where that stays blank."""

FORMS = "source:source_id, a key of ours (p-…, a-…) or an Id of the org"
_KEY = re.compile(r"([pa])-[^\s:,]{1,34}", re.ASCII)
_ID = re.compile(r"[0-9A-Za-z]{15}([0-9A-Za-z]{3})?", re.ASCII)
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True)
class Decision:
    """One line: what is decided of whom. Keys are in lower case, Ids have 18 characters."""

    kind: str
    reference: str
    target: str | None
    line: int

    @property
    def subject(self) -> tuple[str, ...]:
        """What only one line can decide: the two who are one or not, or who is whose record."""
        if self.kind in ("same", "different"):
            return ("pair", *sorted((self.reference, self.target or "")))
        return self.kind, self.reference

    @property
    def effect(self) -> tuple[str, str | None]:
        """What is decided of the subject."""
        return self.kind, self.target if self.kind == "use" else None


@dataclass(frozen=True)
class Decisions:
    """All of ``decisions.csv``.

    Attributes:
        lines: those that count, in the order of the file.
        overruled: lines that a later one takes back, each with that one's place.
    """

    lines: Sequence[Decision] = ()
    overruled: Sequence[Problem] = ()

    @property
    def rows(self) -> list[tuple[str, str, str | None, int]]:
        """The rows of ``config_decisions``."""
        return [(line.kind, line.reference, line.target, line.line) for line in self.lines]

    @property
    def digest(self) -> str:
        """Changes whenever something else is decided; who did it, when and where is no matter."""
        decided = sorted((line.kind, line.reference, line.target or "") for line in self.lines)
        return hashlib.sha256(repr(decided).encode()).hexdigest()


def read_decisions(path: Path, sources: Collection[str]) -> Decisions:
    """Read and check the file; without one nothing is decided.

    Args:
        path: of ``decisions.csv``.
        sources: the names that ``sources.yaml`` knows.

    Raises:
        ConfigError: every problem of the file, each with its line.
    """
    if not path.exists():
        return Decisions()
    problems: list[Problem] = []
    header, rows = _rows(path, problems)
    decided: list[Decision] = []
    for line, values in rows:
        cells = dict.fromkeys(COLUMNS, "") | dict(zip(header, values, strict=False))
        messages = [*_too_many(header, values), *_wrong(cells, sources)]
        problems += [Problem(str(path), line, message) for message in messages]
        if not messages:
            target = _spelled(cells["target"]) if cells["target"] else None
            decided.append(Decision(cells["kind"], _spelled(cells["reference"]), target, line))
    if problems:
        raise ConfigError(problems)
    return _newest(path, decided)


def form(text: str) -> str | None:
    """What a reference is, by its spelling; none where it is nothing that we know."""
    source, colon, source_id = text.partition(":")
    if colon:
        return RECORD if source and source_id else None
    if key := _KEY.fullmatch(text.lower()):
        return PERSON if key[1] == "p" else ACCOUNT
    return ID if _ID.fullmatch(text) and _checks(text) else None


def _newest(path: Path, decided: Sequence[Decision]) -> Decisions:
    """The last line of each subject; what it takes back is told."""
    newest = {decision.subject: decision for decision in decided}
    overruled = [
        Problem(
            str(path),
            earlier.line,
            f"{_decision_text(earlier)} no longer counts:"
            f" line {later.line} says {_decision_text(later)}",
        )
        for earlier in decided
        if (later := newest[earlier.subject]).effect != earlier.effect
    ]
    lines = sorted(newest.values(), key=lambda decision: decision.line)
    return Decisions(tuple(lines), tuple(overruled))


def _decision_text(decision: Decision) -> str:
    return " ".join(filter(None, (decision.kind, decision.reference, decision.target)))


def _rows(path: Path, problems: list[Problem]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each line below it that is not blank: where it begins, and its cells."""
    try:
        text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError.at(path, None, f"not UTF-8 (byte {error.start}); save it so") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if any(values):
                rows.append((begins, values))
            begins = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(str(path), begins, f"not valid CSV: {error}"))
    if not rows:
        problems.append(Problem(str(path), 1, f"no header; write {','.join(COLUMNS)}"))
        raise ConfigError(problems)
    line, header = rows.pop(0)
    if messages := list(_wrong_header(header)):
        raise ConfigError([Problem(str(path), line, message) for message in messages])
    return header, rows


def _wrong_header(names: Sequence[str]) -> Iterator[str]:
    if tuple(names[: len(DEMANDED)]) != DEMANDED:
        written = ",".join(names)
        yield f"the header is {written!r}; it must begin with {','.join(DEMANDED)}"
        return
    for place, name in enumerate(names):
        if name not in COLUMNS:
            yield f"unknown column {name!r}; there are {', '.join(COLUMNS)}"
        elif name in names[:place]:
            yield f"the column {name!r} stands here twice"


def _too_many(header: Sequence[str], values: Sequence[str]) -> Iterator[str]:
    if len(values) > len(header):
        few = f"{len(values)} cells, but the header names {len(header)} columns"
        yield f"{few}; put a cell that has a comma into quotes"


def _wrong(cells: Mapping[str, str], sources: Collection[str]) -> Iterator[str]:
    """What is wrong with one line."""
    kind = cells["kind"]
    if kind not in KINDS:
        near = get_close_matches(kind, KINDS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(KINDS)}"
        yield f"unknown kind {kind!r}{hint}"
        return
    references, targets = KINDS[kind]
    for column, allowed in (("reference", references), ("target", targets)):
        text = cells[column]
        if not allowed:
            if text:
                yield f"{kind} takes no {column}, here is {text!r}; leave it blank"
        elif not text:
            yield f"the {column} is blank; {kind} needs {_or(allowed)}"
        elif (kind_of_text := form(text)) is None:
            yield f"the {column} {text!r} names nothing; {kind} needs {_or(allowed)}, as {FORMS}"
        elif kind_of_text not in allowed:
            yield f"the {column} {text!r} is {kind_of_text}; {kind} needs {_or(allowed)}"
        elif kind_of_text == RECORD:
            yield from _unknown_source(column, text, sources)
    reference, target = cells["reference"], cells["target"]
    if kind in ("same", "different") and reference and _spelled(reference) == _spelled(target):
        yield f"reference and target are both {reference!r}"


def _unknown_source(column: str, text: str, sources: Collection[str]) -> Iterator[str]:
    source = text.partition(":")[0]
    if source not in sources:
        near = get_close_matches(source, sources, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        yield f"the {column} names a source {source!r} that sources.yaml does not know{hint}"


def _or(forms: Collection[str]) -> str:
    return " or ".join(forms)


def _spelled(text: str) -> str:
    """A reference as SQL compares it: keys in lower case, Ids with all 18 characters."""
    kind_of_text = form(text)
    if kind_of_text in (PERSON, ACCOUNT):
        return text.lower()
    return text[:15] + _suffix(text) if kind_of_text == ID else text


def _suffix(text: str) -> str:
    """The three characters that say which letters of an Id are capitals, five at a time."""
    fives = (text[place : place + 5] for place in (0, 5, 10))
    return "".join(
        _CHECKS[sum(1 << place for place, sign in enumerate(five) if sign.isupper())]
        for five in fives
    )


def _checks(text: str) -> bool:
    return len(text) == 15 or text[15:].upper() == _suffix(text)
