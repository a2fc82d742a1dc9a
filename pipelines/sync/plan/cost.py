"""What applying a plan takes of an org: API calls, Bulk batches and data storage.

Salesforce counts 2 KB for each record of the objects we write, whatever it holds, and cuts a Bulk
API 2.0 file into batches of 10,000 records, which have a limit of their own
(https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_limits.htm).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.sync.plan.row import UNDO_ACTIONS, WRITES

if TYPE_CHECKING:
    from pipelines.sync.plan.saved import Plan

COLLECTION, COLLECTIONS_UP_TO = 200, 2_000
BATCH = 10_000
ROWS_OF_A_JOB = 100_000  # a file of the size we aim at holds about as many records
JOB = 12  # create, upload, close, three results, and a few looks at it
AROUND = 6  # of each object: read its planned records before, and what became of them after
RECORD_KB = 2
_WAYS = (("create",), tuple(action for action in (*WRITES, *UNDO_ACTIONS) if action != "create"))


@dataclass(frozen=True)
class Cost:
    """What applying a plan is going to take.

    Attributes:
        calls: API calls of the day.
        batches: Bulk API batches of the day.
        storage_kb: data storage that new records take, less what deletes give back later.
    """

    calls: int = 0
    batches: int = 0
    storage_kb: int = 0


def predicted(plan: Plan) -> Cost:
    """Predict what applying ``plan`` takes, if nothing has to be sent twice."""
    calls = batches = created = 0
    for part in plan.objects.values():
        sizes = [sum(part.counts.get(action, 0) for action in way) for way in _WAYS]
        created += part.counts.get("create", 0)
        calls += AROUND if any(sizes) else 0
        for rows in sizes:
            if rows > COLLECTIONS_UP_TO:
                calls += JOB * _parts(rows, ROWS_OF_A_JOB)
                batches += _parts(rows, BATCH)
            else:
                calls += _parts(rows, COLLECTION)
    return Cost(calls, batches, created * RECORD_KB)


def exceeded(cost: Cost, limits: Mapping[str, Mapping[str, int]], daily_share: float) -> list[str]:
    """Why an org has no room for a plan, with the numbers; empty when it has.

    Args:
        cost: what applying takes.
        limits: as the org's ``limits`` resource says, ``{"Max": …, "Remaining": …}`` by name.
        daily_share: of a day's calls and batches, which all who use the org may take together.
    """
    reasons = []
    for name, needed, unit in (
        ("DailyApiRequests", cost.calls, "API calls"),
        ("DailyBulkApiBatches", cost.batches, "Bulk batches"),
    ):
        limit = limits.get(name)
        if limit is None or not needed:
            continue
        used = limit["Max"] - limit["Remaining"]
        if used + needed > daily_share * limit["Max"]:
            reasons.append(
                f"{needed:,} {unit} are needed, {used:,} of {limit['Max']:,} are used today; "
                f"api.daily_share stops above {daily_share:.0%}"
            )
    storage = limits.get("DataStorageMB")
    if storage is not None and cost.storage_kb > storage["Remaining"] * 1024:
        reasons.append(
            f"new records take {cost.storage_kb / 1024:,.0f} MB of data storage, "
            f"{storage['Remaining']:,} of {storage['Max']:,} MB are free"
        )
    return reasons


def _parts(rows: int, size: int) -> int:
    return -(-rows // size)
