"""The rows of one object on their way: chunk by chunk, each noted before it goes.

Few rows travel through sObject Collections, many through Bulk API 2.0; what is sent and what comes
back is the same on both paths. Rows whose error says nothing about them go again, those that
another row may have taken along in halves, until the guilty one stands alone with its error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, Protocol

import tenacity

from pipelines.errors import InternalError
from pipelines.salesforce.errors import AnswerLost
from pipelines.salesforce.rows import DUPLICATES, Load, RowError, RowResult, json_text
from pipelines.sync.apply import bulk as apply_bulk
from pipelines.sync.apply import outcomes, payload
from pipelines.sync.apply.answers import Answers
from pipelines.sync.apply.journal import Chunk, name_of
from pipelines.sync.apply.payload import CREATES, DELETES, UNDELETES, WAYS, Shape
from pipelines.sync.apply.read_back import alive, org_time
from pipelines.sync.mapping.fields import INTEGERS, NUMBERS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COLLECTIONS_UP_TO = 2_000  # rows; Salesforce recommends Bulk API 2.0 above
COLLECTION, SINGLY = 200, 25  # rows of one call; a collection is one transaction

NAMED = 5  # duplicates of one row; a rule may find a hundred

Progress = Callable[[str, int, int], None]
"""Told object, rows done, and rows to send."""


class Sender(apply_bulk.Loader, Protocol):
    """What sending needs of an org; ``pipelines.salesforce.org.Org`` has it."""

    @property
    def pause(self) -> float:
        """Seconds that the first pause takes at most before something is sent again."""

    def collections(self, load: Load, records: Sequence[Mapping[str, Any]]) -> list[RowResult]:
        """Write up to 200 records in one call, one result each, in their order."""

    def singly(self, load: Load, records: Sequence[Mapping[str, Any]]) -> list[RowResult]:
        """Write up to 25 records in one call, but each on its own."""

    def undelete(self, ids: Sequence[str]) -> list[RowResult]:
        """Bring up to 200 records back from the recycle bin."""


@dataclass(frozen=True)
class Group:
    """Rows that are sent alike.

    Attributes:
        attempt: the how-manieth it is for these rows.
        size: of the calls; none leaves it to their number.
        way: the kind of chunk they must go in; none leaves it to their number.
    """

    attempt: int
    size: int | None = None
    way: Literal["collections", "singly"] | None = None

    @property
    def rows_of_a_call(self) -> int:
        """How many rows go together where they go in calls."""
        return self.size or (SINGLY if self.way == "singly" else COLLECTION)


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
        """Send what waits; says whether some of it has to go again, ``at once`` or later."""
        groups = self._groups()
        if not self.total:
            self.total = sum(rows for *_, rows in groups)
            self._report_progress(0)
        for *how, _ in groups:
            rows = payload.part_sql(*how) if self.answers.any else "payload"
            for shape, count in self._shapes(rows):
                if not self.stopped:
                    self._send(shape, rows, count, Group(*how))
        self.answers.gather()
        if self.stopped or not self.answers.any:
            return None
        [(transient,)] = self.connection.execute(
            "select bool_or(coalesce(verdict, '') = 'transient') from answers where again"
        ).fetchall()
        return None if transient is None else "transient" if transient else "at once"

    def _groups(self) -> list[tuple[Any, ...]]:
        """What waits: ``attempt``, ``size`` and ``way`` of a group, and how many rows it has.

        Once something was answered, the table ``pending`` says which rows they are.
        """
        if not self.answers.any:
            [(rows,)] = self.connection.execute(payload.count_sql()).fetchall()
            return [(1, None, None, rows)]
        pending = outcomes.pending_sql(self.target.duplicate_rules)
        self.connection.execute(f"create or replace temp table pending as {pending}")
        return self.connection.execute(
            "select attempt, size, way, count(*) from pending group by all order by all"
        ).fetchall()

    def _shapes(self, rows: str) -> list[tuple[Shape, int]]:
        """What there is to send and how much, a shape per way, in the order of the ways."""
        action_rows = self.connection.execute(payload.shapes_sql(rows)).fetchall()
        shapes = []
        for way in WAYS:
            actions_of_way = [
                (action, set(changed), count)
                for action, changed, count in action_rows
                if action in way
            ]
            if not actions_of_way:
                continue
            used: set[str] = set().union(*(changed for _, changed, _ in actions_of_way))
            shape = Shape(
                actions=way,
                fields=tuple(name for name in self.part.types if name in used),
                alike=all(changed == used for _, changed, _ in actions_of_way),
                keys=any(action in payload.KEYED for action, _, _ in actions_of_way),
            )
            shapes.append((shape, sum(count for *_, count in actions_of_way)))
        return shapes

    def _send(self, shape: Shape, rows: str, count: int, group: Group) -> None:
        one_by_one = group.size is not None or group.way is not None
        if not one_by_one and shape.actions != UNDELETES and count > COLLECTIONS_UP_TO:
            sent = (rows, count)
            self.stopped = not apply_bulk.send(
                self.org, self.answers, self._load(shape), shape, sent, group.attempt
            )
            self._report_progress(count)
            return
        records = self.connection.execute(payload.records_sql(self.part, shape, rows)).fetchall()
        step = group.rows_of_a_call
        for start in range(0, len(records), step):
            if not self.target.budget.allows():
                self.stopped = True
                return
            self._call(shape, records[start : start + step], group)

    def _call(self, shape: Shape, rows: Sequence[Sequence[Any]], group: Group) -> None:
        """One call of sObject Collections, or one of single records."""
        records = [self._record(shape, row) for row in rows]
        chunk = Chunk(
            name=name_of(json_text(records).encode(), group.attempt),
            kind="undelete" if shape.actions == UNDELETES else group.way or "collections",
            actions=shape.actions,
            attempt=group.attempt,
            size=len(rows),
            sent_at=org_time(self.org),
            keys=tuple(row[0] for row in rows),
        )
        self.answers.journal.note(chunk)
        try:
            results = self._written(shape, records, group)
        except AnswerLost:
            self.answers.add_read_back(chunk)
        else:
            row_results = zip(rows, results, strict=True)
            answers = [self._answer(shape, row, result, group.way) for row, result in row_results]
            self.answers.add_rows(chunk, answers)
        self._report_progress(len(rows))

    def _written(
        self, shape: Shape, records: Sequence[Mapping[str, Any]], group: Group
    ) -> list[RowResult]:
        if shape.actions != UNDELETES:
            write = self.org.singly if group.way == "singly" else self.org.collections
            return write(self._load(shape), records)
        ids = [record["Id"] for record in records]
        results = self.org.undelete(ids)
        # A parent may have taken its children out of the bin along with it.
        refused = [sf_id for sf_id, result in zip(ids, results, strict=True) if not result.success]
        back = alive(self.org, self.part, refused)
        return [
            RowResult(sf_id, success=True, created=False) if sf_id in back else result
            for sf_id, result in zip(ids, results, strict=True)
        ]

    def _load(self, shape: Shape) -> Load:
        name = self.part.object
        allow = self.target.duplicate_rules == "allow"
        if shape.actions == CREATES:
            rule = self.target.assignment_rule
            return Load(
                name,
                "upsert",
                self.part.key_field,
                assignment_rule=rule,
                allow_duplicates=allow,
            )
        if shape.actions == DELETES:
            return Load(name, "delete")
        return Load(name, "update", allow_duplicates=allow)

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

    def _answer(
        self, shape: Shape, row: Sequence[Any], result: RowResult, way: str | None
    ) -> dict[str, Any]:
        key, _, sf_id, changed, *_ = row
        if result.success:
            done = "deleted" if shape.actions == DELETES else "updated"
            if shape.actions == UNDELETES and changed:
                done = outcomes.UNDELETED
            outcome = "created" if result.created else done
            return {"key": key, "outcome": outcome, "sf_id": result.id or sf_id, "fields": []}
        error = result.errors[0]
        alerted = error.code == DUPLICATES and (error.duplicates or way == "singly")
        waits = alerted and self.target.duplicate_rules == "review"
        return {
            "key": key,
            "outcome": "held" if waits else "rejected",
            "sf_id": sf_id,
            "code": error.code,
            "message": "; ".join(map(_error_text, result.errors)),
            "fields": [name for error in result.errors for name in error.fields],
        }

    def _report_progress(self, rows: int) -> None:
        self.done += rows
        if self.progress is not None:
            self.progress(self.part.object, min(self.done, self.total), self.total)


def _error_text(error: RowError) -> str:
    """What the org says; of duplicates also which records they are, for somebody to look at."""
    if not error.duplicates:
        return error.message
    first, more = error.duplicates[:NAMED], len(error.duplicates) - NAMED
    listed = ", ".join(first) + (f" and {more} more" if more > 0 else "")
    return f"the duplicate rule {error.rule} finds {listed}: {error.message}"


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
