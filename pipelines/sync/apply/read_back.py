"""What became of rows whose answer was lost: their records are asked.

A record is *ours* when our user made it after the plan, and *written* when our user was the last to
touch it since the rows were sent. The clocks are the org's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from pipelines.sync.apply.outcomes import NO_ANSWER, UNDELETED
from pipelines.sync.apply.payload import CREATES, DELETES, UNDELETES
from pipelines.sync.plan.saved import ObjectPlan

KEYS_PER_QUERY = 150  # keys of up to 36 characters, quoted, in a URL of at most 16 KB
_TOUCHED = "CreatedById, CreatedDate, LastModifiedById, LastModifiedDate"


class Reader(Protocol):
    """What reading back needs of an org; ``pipelines.salesforce.org.Org`` has it."""

    @property
    def user_id(self) -> str:
        """Id of the user we act as."""

    @property
    def clock_ahead(self) -> timedelta:
        """How far the org's clock is before ours."""

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the records of a query."""


@dataclass(frozen=True)
class SentRow:
    """One row in doubt: its key, and the Id that the plan knows."""

    key: str
    sf_id: str | None


def read_back(
    org: Reader,
    part: ObjectPlan,
    rows: Sequence[SentRow],
    actions: Sequence[str],
    *,
    planned_at: str,
    sent_at: str,
) -> list[dict[str, Any]]:
    """One answer per row; of a row that left no trace it says so, and that it may be sent again.

    Args:
        org: to be asked, 150 records at a time.
        part: the object.
        rows: in doubt.
        actions: what was to be done with them, one of ``pipelines.sync.apply.payload.WAYS``.
        planned_at: our clock when the plan was made.
        sent_at: the org's clock before the rows were sent.
    """
    if tuple(actions) == CREATES:
        created = created_by_us(org, part, (row.key for row in rows), planned_at)
        return [_created(row, created.get(row.key), org, sent_at) for row in rows]
    records = _by_id(org, part, [row.sf_id for row in rows if row.sf_id], deleted=True)
    if tuple(actions) == UNDELETES:
        return [_undeleted(row, records.get(row.sf_id or "")) for row in rows]
    deletes = tuple(actions) == DELETES
    return [
        _changed(row, records.get(row.sf_id or ""), org, sent_at, deletes=deletes) for row in rows
    ]


def alive(org: Reader, part: ObjectPlan, ids: Sequence[str]) -> set[str]:
    """Those of some records that are there and not in the recycle bin."""
    return set(_by_id(org, part, ids, deleted=False))


def created_by_us(
    org: Reader, part: ObjectPlan, keys: Iterable[str], planned_at: str
) -> dict[str, dict[str, Any]]:
    """The records that carry these keys; ``ours`` says that our user made them after the plan."""
    since = datetime.fromisoformat(planned_at) + org.clock_ahead - timedelta(seconds=1)
    records: dict[str, dict[str, Any]] = {}
    for some in _batched(list(keys)):
        listed = ", ".join(f"'{_escaped(key)}'" for key in some)
        soql = (
            f"select Id, {part.key_field}, {_TOUCHED} from {part.object}"
            f" where {part.key_field} in ({listed})"
        )
        for record in org.query(soql):
            is_ours = (
                record["CreatedById"] == org.user_id and _moment(record["CreatedDate"]) >= since
            )
            records[record[part.key_field]] = record | {"created_by_us": is_ours}
    return records


def org_time(org: Reader) -> str:
    """The org's clock, rounded down to its second, which is how exact a record's stamps are."""
    return (datetime.now(UTC) + org.clock_ahead).replace(microsecond=0).isoformat()


def _by_id(
    org: Reader, part: ObjectPlan, ids: Sequence[str], *, deleted: bool
) -> dict[str, dict[str, Any]]:
    records: dict[str, dict[str, Any]] = {}
    for some in _batched(ids):
        listed = ", ".join(f"'{_escaped(sf_id)}'" for sf_id in some)
        soql = f"select Id, IsDeleted, {_TOUCHED} from {part.object} where Id in ({listed})"
        records |= {record["Id"]: record for record in org.query(soql, include_deleted=deleted)}
    return records


def _batched(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), KEYS_PER_QUERY):
        yield items[start : start + KEYS_PER_QUERY]


def _created(
    row: SentRow, record: Mapping[str, Any] | None, org: Reader, sent_at: str
) -> dict[str, Any]:
    if record is not None and record["created_by_us"]:
        return _done(row, "created", record["Id"])
    if record is not None and _written(record, org, sent_at):
        return _done(row, "updated", record["Id"])
    return _lost(row)


def _changed(
    row: SentRow, record: Mapping[str, Any] | None, org: Reader, sent_at: str, *, deletes: bool
) -> dict[str, Any]:
    if deletes and (record is None or record["IsDeleted"]):
        return _done(row, "deleted", row.sf_id)
    if record is not None and not deletes and _written(record, org, sent_at):
        return _done(row, "updated", row.sf_id)
    return _lost(row)


def _undeleted(row: SentRow, record: Mapping[str, Any] | None) -> dict[str, Any]:
    if record is not None and not record["IsDeleted"]:
        return _done(row, UNDELETED, row.sf_id)
    return _lost(row)


def _written(record: Mapping[str, Any], org: Reader, sent_at: str) -> bool:
    touched = _moment(record["LastModifiedDate"])
    return record["LastModifiedById"] == org.user_id and touched >= _moment(sent_at)


def _done(row: SentRow, outcome: str, sf_id: str | None) -> dict[str, Any]:
    return {"key": row.key, "outcome": outcome, "sf_id": sf_id, "fields": []}


def _lost(row: SentRow) -> dict[str, Any]:
    return {
        "key": row.key,
        "outcome": "rejected",
        "sf_id": row.sf_id,
        "code": NO_ANSWER,
        "message": "the org gave no answer, and its record shows no trace of this row",
        "fields": [],
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
