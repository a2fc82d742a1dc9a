"""API requests counted against the org's limits."""

import datetime as dt
import threading
from typing import Any

from pipelines.local_org.dml.storage import KILOBYTES_PER_RECORD
from pipelines.local_org.store.store import Store

LIMITS = {
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyApiRequests": 15000,
    "DailyAsyncApexExecutions": 250000,
    "DailyBulkApiBatches": 15000,
    "DailyBulkV2QueryFileStorageMB": 976562,
    "DailyBulkV2QueryJobs": 10000,
    "DailyDurableStreamingApiEvents": 10000,
    "DailyWorkflowEmails": 50,
    "DataStorageMB": 5,
    "FileStorageMB": 20,
    "HourlyAsyncReportRuns": 1200,
    "HourlyDashboardRefreshes": 200,
    "HourlyDashboardResults": 5000,
    "HourlyDashboardStatuses": 999999999,
    "HourlyODataCallout": 1000,
    "HourlySyncReportRuns": 500,
    "HourlyTimeBasedWorkflow": 1000,
    "MassEmail": 10,
    "PermissionSets": 1500,
    "SingleEmail": 15,
}
SAVE_EVERY = 50


class Usage:
    """Counts what was used today, in memory; the store keeps it across restarts."""

    def __init__(self, store: Store, overrides: dict[str, int]) -> None:
        self._store = store
        self._limits = LIMITS | overrides
        self._lock = threading.Lock()
        self._day = _today()
        self._unsaved = 0
        with store.read() as connection:
            counts = connection.execute(
                "select kind, used from org.usage where day = ?", [self._day]
            ).fetchall()
        self._used: dict[str, int] = dict(counts)

    def count(self, kind: str, number: int = 1) -> None:
        """Add to what was used of a limit today."""
        with self._lock:
            if self._day != _today():
                self._day, self._used = _today(), {}
            self._used[kind] = self._used.get(kind, 0) + number
            self._unsaved += 1
            due = self._unsaved >= SAVE_EVERY
            self._unsaved = 0 if due else self._unsaved
        if due:
            self.save()

    def most(self, kind: str) -> int:
        """What a limit is."""
        return self._limits[kind]

    def exhausted(self, kind: str) -> bool:
        """Whether nothing is left of a limit."""
        return self._used.get(kind, 0) >= self._limits[kind]

    def api_usage(self) -> str:
        """The value of `Sforce-Limit-Info`."""
        used = self._used.get("DailyApiRequests", 0)
        return f"api-usage={used}/{self._limits['DailyApiRequests']}"

    def remaining(self, records: int) -> dict[str, dict[str, Any]]:
        """Every limit with what is left of it; `records` is how many the org holds."""
        stored = records * KILOBYTES_PER_RECORD // 1024
        used = self._used | {"DataStorageMB": stored}
        limits: dict[str, Any] = {
            name: {"Max": most, "Remaining": max(0, most - used.get(name, 0))}
            for name, most in sorted(self._limits.items())
        }
        sets = limits["PermissionSets"]
        return limits | {"PermissionSets": sets | {"CreateCustom": sets}}

    def save(self) -> None:
        """Write the counts of today into the store."""
        with self._store.write() as connection:
            connection.execute("delete from org.usage where day = ?", [self._day])
            for kind, used in dict(self._used).items():
                connection.execute(
                    "insert into org.usage values (?, ?, ?)", [self._day, kind, used]
                )


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
