"""What we wrote of every record and field, and what the org then held: the ledger of one org.

    <org home>/ledger/contact/<stamp>-<plan_id>.parquet          what a plan wrote
    <org home>/ledger/contact/stored/<stamp>-<plan_id>.parquet   read back; only what differs

It is kept by object. What a mapping wrote whose file is not called as its object is has the name
``<stamp>-<plan_id>.<mapping>.parquet``.

The ledger is a log: a plan adds a *segment*, and the newest segment that wrote a field speaks for
it. A segment is wide (``key``, ``sf_id``, ``action``, ``plan_id``, ``written_at``, ``fields``, one
``sent_<Field>`` per field) and is written at the speed of a copy. What reading back found is a
file of its own, so that proving a million rows costs only what the org changed of them; that the
file is there says that the segment was read back. Many segments are folded into one.

A record begins anew with its ``create`` or ``adopt`` and ends with its ``delete`` or
``clear_key``: what was written of its key before says nothing of it any more.

Whoever writes holds the org's lock; whoever reads needs none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.sync.ledger_sql import (
    SENT,
    corrections_sql,
    created_sql,
    files_sql,
    folded_sql,
    ledger_sql,
    segment_sql,
    written_sql,
)
from pipelines.sync.plan.saved import ObjectPlan
from pipelines.warehouse import literal, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLD_ABOVE = 32  # segments; each costs every later read an open file
FOLDED = "folded"
_STAMP = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True)
class Ledger:
    """The files of one object's ledger.

    Attributes:
        folder: ``<org home>/ledger/<object>``.
    """

    folder: Path

    @classmethod
    def of(cls, org_home: Path, object_name: str) -> Ledger:
        """The ledger of one object of the org whose files lie below ``org_home``."""
        return cls(org_home / "ledger" / object_name.lower())

    def segments(self) -> list[Path]:
        """What was written, oldest first."""
        return sorted(self.folder.glob("*.parquet"))

    def corrections(self) -> list[Path]:
        """What was read back otherwise, oldest first."""
        return sorted(self.folder.glob("stored/*.parquet"))

    def segment(self, plan_id: str, stem: str) -> Path | None:
        """What a mapping wrote in a plan, unless that was nothing or its segment was folded."""
        name = self._name(plan_id, stem)
        return next((path for path in self.segments() if _name_of(path) == name), None)

    def new_segment(self, plan_id: str, stem: str) -> Path:
        """Where the segment of a mapping's part of a plan is going to lie."""
        return self.folder / f"{self.next_stamp()}-{self._name(plan_id, stem)}.parquet"

    def unproven(self) -> list[tuple[str, str]]:
        """Plan and mapping of the segments that were not read back yet, oldest first."""
        read_back = {path.name for path in self.corrections()}
        names = (_name_of(path) for path in self.segments() if path.name not in read_back)
        parts = (name.partition(".") for name in names)
        return [(plan_id, stem or self.folder.name) for plan_id, _, stem in parts]

    def _name(self, plan_id: str, stem: str) -> str:
        return plan_id if stem == self.folder.name else f"{plan_id}.{stem}"

    def sql(self, keys: str) -> str:
        """The ledger in long form, one row per field that we wrote: what the newest segment says.

        Columns: ``key``, ``sf_id``, ``field``, ``sent``, ``stored`` (as sent while it was not read
        back), ``proven`` (it was), ``plan_id``, ``written_at``. Only for the keys of the relation
        ``keys``, which has a column ``key``: who asks for few records pays for few.

        An opt-out has an entry only while it is our own: that we once took ours back gives no
        right to take back the next one, which somebody else has set.
        """
        unproven = list(dict.fromkeys(plan_id for plan_id, _ in self.unproven()))
        return ledger_sql(self.segments(), self.corrections(), unproven, keys)

    def written_sql(self, keys: str) -> str:
        """Which keys of the relation ``keys`` we wrote and did not take back, with their Ids."""
        return written_sql(self.segments(), keys)

    def created_sql(self, records: str) -> str:
        """Which ``sf_id`` of the relation ``records`` we created ourselves."""
        return created_sql(self.segments(), records)

    def next_stamp(self) -> str:
        """A stamp later than every one before, also where the clock went back."""
        moment = datetime.now(UTC)
        for path in (*self.segments()[-1:], *self.corrections()[-1:]):
            moment = max(moment, _time_of(path) + timedelta(microseconds=1))
        return moment.strftime(_STAMP)


def write(
    connection: DuckDBPyConnection,
    ledger: Ledger,
    plan_id: str,
    part: ObjectPlan,
    *,
    payload: str,
    outcomes: str,
) -> Path | None:
    """Add what a plan wrote of one mapping; the same plan again replaces its segment in place.

    Args:
        connection: sees both relations.
        ledger: of the org and object.
        plan_id: the plan that was applied.
        part: the mapping's part of that plan.
        payload: relation of the plan's rows, with look-ups that waited answered by Ids.
        outcomes: relation ``salesforce_<object>`` of the plan.

    Returns:
        The segment; none when the plan wrote nothing.
    """
    path = ledger.segment(plan_id, part.stem) or ledger.new_segment(plan_id, part.stem)
    query = segment_sql(part, payload, outcomes, plan_id, _time_of(path))
    if not connection.execute(f"select 1 from ({query}) limit 1").fetchall():
        return None
    _stored(path).unlink(missing_ok=True)  # what more was written is not read back yet
    write_parquet(connection, query, path)
    if len(ledger.segments()) > FOLD_ABOVE:
        fold(connection, ledger)
    return path


def store(connection: DuckDBPyConnection, segment: Path, plan_id: str, differing: str) -> None:
    """Note that a plan's rows were read back; ``differing`` holds what is not as it was sent.

    Args:
        connection: sees the relation.
        segment: what was written, which is proven with this.
        plan_id: the plan that wrote it.
        differing: relation with ``key``, ``field`` and ``stored``.
    """
    query = f"select {literal(plan_id)} as plan_id, key, field, stored from {differing}"
    write_parquet(connection, _stamped_sql(query, _time_of(segment)), _stored(segment))


def correct(connection: DuckDBPyConnection, ledger: Ledger, differing: str) -> None:
    """Note what the org changed later of what we wrote, when it was our own automation.

    Args:
        connection: sees the relation.
        ledger: of the org and object.
        differing: relation with ``key``, ``field``, ``stored``, and the entry's ``plan_id``.
    """
    if connection.execute(f"select 1 from {differing} limit 1").fetchall():
        path = ledger.folder / "stored" / f"{ledger.next_stamp()}-later.parquet"
        query = f"select plan_id, key, field, stored from {differing}"
        write_parquet(connection, _stamped_sql(query, _time_of(path)), path)


def fold(connection: DuckDBPyConnection, ledger: Ledger) -> None:
    """Make one segment of all that were read back; what the ledger says stays the same.

    A crash on the way leaves rows twice, which say the same, until the next fold.
    """
    corrections = ledger.corrections()
    read_back = {path.name for path in corrections}
    old = [path for path in ledger.segments() if path.name in read_back]
    path = ledger.folder / f"{ledger.next_stamp()}-{FOLDED}.parquet"
    names = connection.execute(f"describe select columns('^{SENT}') from {files_sql(old)}")
    fields = [row[0].removeprefix(SENT) for row in names.fetchall()]
    write_parquet(connection, corrections_sql(corrections), _stored(path))
    write_parquet(connection, folded_sql(old, fields), path)
    for file in old:
        file.unlink()
    for file in corrections:  # after its segment, which would count as not read back
        file.unlink()


def _stamped_sql(query: str, at: datetime) -> str:
    return f"select *, timestamptz {literal(at.isoformat())} as read_at from ({query})"


def _stored(segment: Path) -> Path:
    return segment.parent / "stored" / segment.name


def _name_of(path: Path) -> str:
    """A segment's plan and mapping, as ``Ledger`` writes them."""
    return path.stem.split("-", 1)[1]


def _time_of(path: Path) -> datetime:
    return datetime.strptime(path.stem.split("-", 1)[0], _STAMP).replace(tzinfo=UTC)
