"""The rows of one object on their way: chunk by chunk, each noted before it goes.

Few rows travel through sObject Collections, many through Bulk API 2.0; what is sent and what comes
back is the same on both paths. Rows whose error says nothing about them go again, those that
another row may have taken along in halves, until the guilty one stands alone with its error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import tenacity

from pipelines.errors import InternalError
from pipelines.salesforce.errors import AnswerLost
from pipelines.salesforce.rows import Load, RowResult, json_text
from pipelines.sync import apply_bulk, outcomes, payload
from pipelines.sync.apply_answers import Answers
from pipelines.sync.fields import INTEGERS, NUMBERS
from pipelines.sync.journal import Chunk, name_of
from pipelines.sync.payload import CREATES, DELETES, WAYS, Shape
from pipelines.sync.read_back import now_there

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLLECTIONS_UP_TO = 2_000  # rows; Salesforce recommends Bulk API 2.0 above
COLLECTION = 200  # rows of one call, which is one transaction

Progress = Callable[[str, int, int], None]
"""Told object, rows done, and rows to send."""


class Sender(apply_bulk.Loader, Protocol):
    """What sending needs of an org; ``pipelines.salesforce.org.Org`` has it."""

    @property
    def pause(self) -> float:
        """Seconds that the first pause takes at most before something is sent again."""

    def collections(self, load: Load, records: Sequence[Mapping[str, Any]]) -> list[RowResult]:
        """Write up to 200 records in one call, one result each, in their order."""


class Sending:
    """Sends what the view ``payload`` of a connection holds and ``answers`` does not answer."""

    def __init__(self, org: Sender, answers: Answers, progress: Progress | None) -> None:
        self.org = org
        self.answers = answers
        self.target, self.part = answers.target, answers.part
        self.connection: DuckDBPyConnection = answers.connection
        self.progress = progress
        self.stopped = False
        """Whether the budget was used up before everything was sent."""
        self.done = self.total = 0

    def run(self) -> None:
        """Send until every row has its final answer, or the budget is used up."""
        backs_off = tenacity.wait_random_exponential(multiplier=self.org.pause, max=30)
        tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda again: again is not None),
            wait=lambda state: backs_off(state) if _result(state) == "transient" else 0.0,
            stop=tenacity.stop_after_attempt(4 * outcomes.ATTEMPTS),
            retry_error_callback=_endless,
        )(self._round)

    def _round(self) -> str | None:
        """Send what waits; the verdict for which some of it has to go again, if any has."""
        groups = self._groups()
        if not self.total:
            self.total = sum(rows for *_, rows in groups)
            self._tell(0)
        for attempt, size, _ in groups:
            rows = payload.part_sql(attempt, size) if self.answers.any else "payload"
            for shape, count in self._shapes(rows):
                if not self.stopped:
                    self._send(shape, rows, count, (attempt, size))
        self.answers.gather()
        if self.stopped or not self.answers.any:
            return None
        [(verdict,)] = self.connection.execute(
            "select max(verdict) from answers where again"  # transient comes after suspect
        ).fetchall()
        return None if verdict is None else str(verdict)

    def _groups(self) -> list[tuple[int, int | None, int]]:
        """What waits: which attempt it will be, in groups of which size, how many rows.

        Once something was answered, the table ``pending`` says which rows they are.
        """
        if not self.answers.any:
            [(rows,)] = self.connection.execute(payload.count_sql()).fetchall()
            return [(1, None, rows)]
        self.connection.execute(f"create or replace temp table pending as {outcomes.PENDING}")
        return self.connection.execute(
            "select attempt, size, count(*) from pending group by all order by all"
        ).fetchall()

    def _shapes(self, rows: str) -> list[tuple[Shape, int]]:
        """What there is to send and how much, a shape per way, in the order of the ways."""
        found = self.connection.execute(payload.shapes_sql(rows)).fetchall()
        shapes = []
        for way in WAYS:
            here = [(action, set(changed), count) for action, changed, count in found
                    if action in way]  # fmt: skip
            if not here:
                continue
            used: set[str] = set().union(*(changed for _, changed, _ in here))
            shape = Shape(
                actions=way,
                fields=tuple(name for name in self.part.types if name in used),
                alike=all(changed == used for _, changed, _ in here),
                keys=any(action in payload.KEYED for action, _, _ in here),
            )
            shapes.append((shape, sum(count for *_, count in here)))
        return shapes

    def _send(self, shape: Shape, rows: str, count: int, how: tuple[int, int | None]) -> None:
        attempt, size = how
        if size is None and count > COLLECTIONS_UP_TO:
            load = self._load(shape)
            all_of_it = apply_bulk.send(self.org, self.answers, load, shape, (rows, count), attempt)
            self.stopped = not all_of_it
            self._tell(count)
            return
        found = self.connection.execute(payload.records_sql(self.part, shape, rows)).fetchall()
        step = size or COLLECTION
        for start in range(0, len(found), step):
            if not self.target.budget.allows():
                self.stopped = True
                return
            self._call(shape, found[start : start + step], attempt)

    def _call(self, shape: Shape, rows: Sequence[Sequence[Any]], attempt: int) -> None:
        """One call of sObject Collections."""
        records = [self._record(shape, row) for row in rows]
        chunk = Chunk(
            name=name_of(json_text(records).encode(), attempt),
            kind="collections",
            actions=shape.actions,
            attempt=attempt,
            size=len(rows),
            sent_at=now_there(self.org),
            keys=tuple(row[0] for row in rows),
        )
        self.answers.journal.note(chunk)
        try:
            results = self.org.collections(self._load(shape), records)
        except AnswerLost:
            self.answers.lost(chunk)
        else:
            told = [_answer(shape, *row) for row in zip(rows, results, strict=True)]
            self.answers.said(chunk, told)
        self._tell(len(rows))

    def _load(self, shape: Shape) -> Load:
        name = self.part.object
        if shape.actions == CREATES:
            rule = self.target.assignment_rule
            return Load(name, "upsert", self.part.key_field, assignment_rule=rule)
        return Load(name, "delete" if shape.actions == DELETES else "update")

    def _record(self, shape: Shape, row: Sequence[Any]) -> dict[str, Any]:
        key, action, sf_id, changed, *values = row
        key_field = self.part.key_field
        record: dict[str, Any] = {key_field: key} if action == "create" else {"Id": sf_id}
        if action in payload.KEYED:
            record[key_field] = key if action == "adopt" else None
        for name, value in zip(shape.fields, values, strict=True):
            if name in changed:
                record[name] = _json(self.part.types[name], value)
        return record

    def _tell(self, rows: int) -> None:
        self.done += rows
        if self.progress is not None:
            self.progress(self.part.object, min(self.done, self.total), self.total)


def _answer(shape: Shape, row: Sequence[Any], result: RowResult) -> dict[str, Any]:
    key, _, sf_id, *_ = row
    if result.success:
        done = "deleted" if shape.actions == DELETES else "updated"
        outcome = "created" if result.created else done
        return {"key": key, "outcome": outcome, "sf_id": result.id or sf_id, "fields": []}
    error = result.errors[0]
    return {
        "key": key,
        "outcome": "rejected",
        "sf_id": sf_id,
        "code": error.code,
        "message": "; ".join(error.message for error in result.errors),
        "fields": [name for error in result.errors for name in error.fields],
    }


def _json(kind: str, value: str | None) -> Any:
    """A wire value as JSON writes it, no digit lost; null clears the field."""
    if value is None:
        return None
    if kind == "boolean":
        return value == "true"
    if kind in INTEGERS:
        return int(value)
    return Decimal(value) if kind in NUMBERS else value


def _result(state: tenacity.RetryCallState) -> Any:
    return None if state.outcome is None else state.outcome.result()


def _endless(state: tenacity.RetryCallState) -> None:
    raise InternalError(f"rows wait to be sent again after {state.attempt_number} rounds")
