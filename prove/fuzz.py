"""Damaged files in the inbox: every row is valid or rejected, or the whole file is refused.

How many rows a damaged file has is known beforehand, except where a quote is opened and never
closed; there only valid + rejected = landed can be held.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pipelines.relations import prepare
from pipelines.run import Run
from pipelines.sources.land import refused as refused_files
from pipelines.stages import run_stage
from pipelines.summary import summary
from prove.batch import HEADER, project_at

FIRST = date(2021, 1, 1)
SOURCES = """
sources:
  csv: {entity: contacts, preset: generic, as: contact}
  lines: {entity: contacts, preset: generic, as: contact}
"""
NAMES = HEADER.strip().split(",")


@dataclass(frozen=True)
class Fuzzed:
    """What became of one damaged file.

    Attributes:
        damage: its kind.
        rows: that were in it; none where nobody can say.
        landed, valid, rejected: as counted; all 0 of a refused file.
        refused: what people were told of a file that could not be read at all.
        wrong: what should not have happened; empty when all is well.
    """

    damage: str
    rows: int | None
    landed: int
    valid: int
    rejected: int
    refused: str
    wrong: str


def fuzz(home: Path, count: int, seed: int = 2026) -> Iterator[Fuzzed]:
    """Land, stage and validate so many damaged files, each on a day of its own."""
    from prove.batch import Size, lay

    project = lay(home, Size(1, 0, 1))
    (project.mappings / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    prepare(project_at(home))
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    for number in range(count):
        damage = DAMAGES[number % len(DAMAGES)]
        yield _one(home, FIRST + timedelta(days=number), damage, chance)


def _one(home: Path, day: date, damage: Damage, chance: random.Random) -> Fuzzed:
    rows = [_row(chance, n) for n in range(chance.randint(1, 40))]
    source, name, content, row_count = damage(rows, chance)
    project = project_at(home)
    path = project.inbox / source / day.isoformat() / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    refused = wrong = ""
    try:
        for stage in ("land", "stage", "validate"):
            run_stage(stage, Run(project, day))
        refused = "\n".join(map(str, refused_files(project.warehouse, day)))
        wrong = "" if name in refused or not refused else f"does not name the file: {refused}"
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}"
    found = summary(project, day)
    counts = [s for s in found.sources.values() if not refused]
    landed, valid, rejected = (
        sum(getattr(one, what) for one in counts) for what in ("landed", "valid", "rejected")
    )
    if not wrong and not refused and landed != valid + rejected:
        wrong = f"{landed} landed, {valid} valid and {rejected} rejected"
    blank = sum(one.blank_rows for one in found.cells.values())
    if not wrong and not refused and row_count is not None and landed + blank != row_count:
        wrong = f"{row_count} rows were in it, {landed} landed, {blank} were blank"
    name = damage.__name__.strip("_").replace("_", " ")
    return Fuzzed(name, row_count, landed, valid, rejected, refused, wrong)


def _row(chance: random.Random, n: int) -> list[str]:
    word = "".join(chance.choice("abcÅø日 -.'#@é") for _ in range(chance.randint(0, 12)))
    return [str(n), f"A{n}", f"Last {word}", f"a{n}@b.example", "Acme", "1 High St", "York", word]


DamagedFile = tuple[str, str, bytes, int | None]
Damage = Callable[[list[list[str]], random.Random], DamagedFile]


def _csv(rows: list[list[str]]) -> str:
    return HEADER + "".join(",".join(row) + "\n" for row in rows)


def _whole(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    return "csv", "f.csv", _csv(rows).encode(), len(rows)


def _flipped_bytes(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    content = bytearray(_csv(rows).encode())
    start = len(HEADER)
    for _ in range(chance.randint(1, 30)):
        place = chance.randrange(start, len(content))
        if content[place] not in b',\n"':
            content[place] = chance.choice([b for b in range(1, 256) if b not in b',\n\r";\t|'])
    return "csv", "f.csv", bytes(content), len(rows)


def _nul_bytes(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    content = bytearray(_csv(rows).encode())
    content[chance.randrange(len(HEADER), len(content) - 1)] = 0
    return "csv", "f.csv", bytes(content), None


def _mixed_encodings(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    lines = [f"{','.join(row)}\n" for row in rows]
    kinds = ["utf-8", "latin-1", "cp1252"]
    parts = [line.encode(chance.choice(kinds), errors="replace") for line in lines]
    return "csv", "f.csv", HEADER.encode() + b"".join(parts), len(rows)


def _utf_16(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    return "csv", "f.csv", _csv(rows).encode("utf-16"), len(rows)


def _ragged_lines(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    lines = [
        ",".join(row[: chance.randint(1, 8)] + ["x"] * chance.randint(0, 3)) + "\n" for row in rows
    ]
    return "csv", "f.csv", (HEADER + "".join(lines)).encode(), len(rows)


def _cut_short(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    content = _csv(rows).encode()
    end = chance.randrange(len(HEADER) + 1, len(content))
    remainder = content[:end]
    row_count = remainder.count(b"\n") - 1 + (not remainder.endswith(b"\n"))
    return "csv", "f.csv", remainder, row_count


def _stray_quotes(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    content = bytearray(_csv(rows).encode())
    for _ in range(chance.randint(1, 3)):
        content.insert(chance.randrange(len(HEADER), len(content)), ord('"'))
    return "csv", "f.csv", bytes(content), None


def _windows_line_ends(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    return "csv", "f.csv", _csv(rows).replace("\n", "\r\n").encode("utf-8-sig"), len(rows)


def _damaged_header(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    content = bytearray(_csv(rows).encode())
    content[chance.randrange(len(HEADER) - 1)] = chance.randrange(33, 127)
    return "csv", "f.csv", bytes(content), None


def _noise(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    return "csv", "f.csv", chance.randbytes(chance.randint(0, 3000)), None


def _json_lines(rows: list[list[str]], chance: random.Random) -> list[bytes]:
    texts = (json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False) for row in rows)
    return [text.encode() for text in texts]


def _json_cut_lines(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    lines = _json_lines(rows, chance)
    cut = [line[: chance.randint(1, len(line))] for line in lines]
    return "lines", "f.jsonl", b"\n".join(cut) + b"\n", len(rows)


def _json_flipped_bytes(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    lines = [bytearray(line) for line in _json_lines(rows, chance)]
    for line in lines:
        if chance.random() < 0.3:
            line[chance.randrange(len(line))] = chance.choice([b for b in range(33, 256)])
    return "lines", "f.jsonl", b"\n".join(map(bytes, lines)) + b"\n", len(rows)


def _json_of_other_kinds(rows: list[list[str]], chance: random.Random) -> DamagedFile:
    others = [b"[1, 2]", b"null", b'"text"', b"12", b'{"ID": {"deep": [1]}}', b"{}"]
    lines = [
        chance.choice(others) if chance.random() < 0.4 else line
        for line in _json_lines(rows, chance)
    ]
    return "lines", "f.jsonl", b"\n".join(lines) + b"\n", len(rows)


DAMAGES: tuple[Damage, ...] = (
    _whole,
    _flipped_bytes,
    _nul_bytes,
    _mixed_encodings,
    _utf_16,
    _ragged_lines,
    _cut_short,
    _stray_quotes,
    _windows_line_ends,
    _damaged_header,
    _noise,
    _json_cut_lines,
    _json_flipped_bytes,
    _json_of_other_kinds,
)
