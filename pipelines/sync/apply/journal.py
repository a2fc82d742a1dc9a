"""What was sent of a plan and what was said of it, on disk before anything depends on it.

    <home>/plans/<plan_id>/applied/<mapping>/
        <chunk>.json              rows that went out together; on the disk before they go
        <chunk>.csv               the same rows, while nobody knows what became of them
        <chunk>.answers.parquet   what the org said of each of them
        outcomes.parquet          one final outcome per row of the plan
        settled                   every file that follows from the outcomes is written

A chunk is known by its content, the SHA-256 of its CSV or JSON, and by how often its rows were
sent. A chunk without answers is in doubt: it may have been carried out, and is never sent again
before the org was asked. A Bulk job does nothing before it is closed, so its chunk is noted, with
the job's id, right before that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipelines.files import draft, read_json, reading, sync, write
from pipelines.warehouse import parquet_sql, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER = "applied"
_ANSWERS = ".answers.parquet"


@dataclass(frozen=True)
class Chunk:
    """Rows that go to the org together.

    Attributes:
        name: SHA-256 of what is sent, and the attempt.
        kind: a Bulk job, one call of sObject Collections, of several single records, or
            one that undeletes.
        actions: the plan's actions that its rows have.
        attempt: how often its rows were sent, this time included.
        size: rows of the transaction in which the org carries them out; at most 200.
        sent_at: the org's clock before they were sent; nothing it did before is their doing.
        job_id: of a Bulk job.
        keys: of a call; the rows of a job lie beside it as CSV.
    """

    name: str
    kind: Literal["bulk", "collections", "singly", "undelete"]
    actions: tuple[str, ...]
    attempt: int
    size: int
    sent_at: str
    job_id: str | None = None
    keys: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Journal:
    """The journal of one mapping's part of one plan.

    Attributes:
        folder: ``<plan>/applied/<mapping>``.
    """

    folder: Path

    @classmethod
    def of(cls, plan: Path, stem: str) -> Journal:
        """The journal of one mapping's part of the plan whose folder is ``plan``."""
        return cls(plan / FOLDER / stem)

    @property
    def outcomes(self) -> Path:
        """The relation ``salesforce_<mapping>``; there when every row has its final outcome."""
        return self.folder / "outcomes.parquet"

    @property
    def begun(self) -> bool:
        """Whether rows may have been sent."""
        return self.folder.exists()

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return (self.folder / "settled").exists()

    def begin(self) -> None:
        """Let a run that comes after know that rows are about to be sent."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in (self.folder, *self.folder.parents[:2]):
            sync(path)

    def settle(self) -> None:
        """Note that all that follows from the outcomes is written."""
        write(self.folder / "settled", "")

    def csv(self, name: str) -> Path:
        """Where the rows of a job lie until it was answered."""
        return self.folder / f"{name}.csv"

    def note(self, chunk: Chunk) -> None:
        """Put a chunk on the disk, before it can reach anybody. Any thread may."""
        write(self.folder / f"{chunk.name}.json", json.dumps(asdict(chunk)))

    def chunks(self) -> Iterator[Chunk]:
        """Every chunk that was sent, in no order."""
        for path in sorted(self.folder.glob("*.json")):
            facts = read_json(path)
            with reading(path):
                chunk = Chunk(**facts | {name: tuple(facts[name]) for name in ("actions", "keys")})
            yield chunk

    def in_doubt(self) -> list[Chunk]:
        """Chunks that nobody knows the answers to, oldest attempt first."""
        unknown = [chunk for chunk in self.chunks() if not self._answers(chunk).exists()]
        return sorted(unknown, key=lambda chunk: (chunk.attempt, chunk.name))

    def answered(self) -> list[Path]:
        """The files with answers."""
        return sorted(self.folder.glob(f"*{_ANSWERS}"))

    def answer(
        self,
        connection: DuckDBPyConnection,
        chunk: Chunk,
        query: str,
        *,
        look: Callable[[str], str | None] | None = None,
    ) -> None:
        """Keep what the org said of a chunk; from here on it is in doubt no more.

        Args:
            connection: runs the query.
            chunk: whose answers they are.
            query: one row per row of the chunk.
            look: gets the answers as a table before they count; another query replaces them.
        """
        path = self._answers(chunk)
        with draft(path) as temporary:
            write_parquet(connection, query, temporary)
            better = look(parquet_sql(temporary)) if look is not None else None
            if better is not None:
                write_parquet(connection, better, temporary)
        self.csv(chunk.name).unlink(missing_ok=True)

    def _answers(self, chunk: Chunk) -> Path:
        return self.folder / f"{chunk.name}{_ANSWERS}"


def unsettled(home: Path) -> Iterator[tuple[str, str]]:
    """Plan id and mapping of each part whose rows a run began to send and did not settle."""
    for folder in sorted((home / "plans").glob(f"[!.]*/{FOLDER}/*")):
        if not Journal(folder).settled:
            yield folder.parent.parent.name, folder.name


def name_of(content: bytes | Path, attempt: int) -> str:
    """The name of a chunk: the hash of what is sent, for the how-manieth time."""
    if isinstance(content, bytes):
        return f"{hashlib.sha256(content).hexdigest()}-{attempt}"
    with content.open("rb") as file:
        return f"{hashlib.file_digest(file, 'sha256').hexdigest()}-{attempt}"
