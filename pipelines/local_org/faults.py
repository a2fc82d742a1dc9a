"""Faults on demand: what goes wrong with a real org once in a while, when a test wants it.

Only an org that was started for it has faults. Each fault counts down and is gone when used up;
rows are chosen by a seeded hash, so that a run can be repeated exactly.
"""

import os
import re
import signal
import threading
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipelines.local_org.dml.outcome import error_sql


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    times: int = Field(default=1, ge=1)


class _AtPath(_Fault):
    method: str | None = None
    path: str = ".*"

    def meets(self, method: str, path: str) -> bool:
        """Whether a request is one that this fault waits for; `path` is a regular expression."""
        return self.method in (None, method) and re.search(self.path, path) is not None


class Refuse(_AtPath):
    """Answer with an error instead of doing the work."""

    kind: Literal["refuse"]
    status: Literal[401, 403, 500, 503]


class Slow(_AtPath):
    """Wait before the work is done."""

    kind: Literal["slow"]
    seconds: float = Field(gt=0)


class Reset(_AtPath):
    """Cut the connection: while the body arrives, or in the middle of the answer."""

    kind: Literal["reset"]
    during: Literal["upload", "answer"]


class ExpireSessions(_Fault):
    """End every access token, at once."""

    kind: Literal["expire_sessions"]


class LockRows(_Fault):
    """Refuse a share of the rows of the next writes with `UNABLE_TO_LOCK_ROW`."""

    kind: Literal["lock_rows"]
    object: str
    share: float = Field(gt=0, le=1)
    seed: int = 0


class JobFault(_Fault):
    """Let a job fail, hang in progress, or end the whole process, once it did some rows."""

    kind: Literal["job"]
    end: Literal["Failed", "InProgress", "die_before_commit", "die_after_commit"]
    object: str | None = None
    after_rows: int = 0


Fault = Refuse | Slow | Reset | ExpireSessions | LockRows | JobFault
_FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(list[Annotated[Fault, Field(discriminator="kind")]])
REFUSALS = {
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    503: ("SERVER_UNAVAILABLE", "Server unavailable"),
}


class WrongFault(Exception):
    """A fault that is described wrongly."""


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: list[tuple[Fault, int]] = []

    def arm(self, described: object) -> list[Fault]:
        """Add faults.

        Raises:
            WrongFault: naming every problem.
        """
        try:
            faults = _FAULTS.validate_python(described)
        except ValidationError as error:
            raise WrongFault(str(error)) from error
        with self._lock:
            self._left += [(fault, fault.times) for fault in faults]
        return faults

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._left = []

    def listed(self) -> list[dict[str, object]]:
        """What is still to happen."""
        return [{**fault.model_dump(), "times": left} for fault, left in self._left]

    def request(self, method: str, path: str) -> list[Refuse | Slow | Reset]:
        """What shall happen to a request; it is counted as happened."""
        wanted = (Refuse, Slow, Reset)
        met = [f for f, _ in self._left if isinstance(f, wanted) and f.meets(method, path)]
        return [fault for fault in met if self._use(fault)]

    def lock_sql(self, sobject: str) -> str | None:
        """SQL that refuses rows of the table `work`, when a write of this object shall fail."""
        fault = next(
            (f for f, _ in self._left if isinstance(f, LockRows) and f.object == sobject), None
        )
        if fault is None or not self._use(fault):
            return None
        error = error_sql(
            "UNABLE_TO_LOCK_ROW",
            "",
            "'unable to obtain exclusive access to this record or 1 records: ', "
            "coalesce(left(_id, 15), '')",
        )
        return (
            f"update work set _error = {error} where _error is null "
            f"and hash(_row + {fault.seed}) % 1000000 < {int(fault.share * 1_000_000)}"
        )

    def job(self, sobject: str, rows_done: int, moment: str) -> str | None:
        """What happens to a job now; `moment` is `between`, `before_commit` or `after_commit`.

        Returns:
            `Failed` or `InProgress` when the job shall end or hang; dies itself when it shall die.
        """
        for fault in [f for f, _ in self._left if isinstance(f, JobFault)]:
            if fault.object not in (None, sobject) or rows_done < fault.after_rows:
                continue
            if fault.end == f"die_{moment}" and self._use(fault):
                os.kill(os.getpid(), signal.SIGKILL)
            if moment == "between" and not fault.end.startswith("die") and self._use(fault):
                return fault.end
        return None

    def _use(self, fault: Fault) -> bool:
        with self._lock:
            for place, (known, left) in enumerate(self._left):
                if known is fault:
                    if left > 1:
                        self._left[place] = (fault, left - 1)
                    else:
                        del self._left[place]
                    return True
        return False
