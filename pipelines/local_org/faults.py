"""Faults on demand: what goes wrong with a real org once in a while, when a test wants it.

Only an org that was started for it has faults (`causeway org start --faults`,
`control.start(home, faults=True)`). They are armed with `causeway org fault KIND name=value …`,
`control.inject(home, {"kind": KIND, …})`, or a POST to `/control/faults`.

    kind              settings                              what happens
    refuse            status=401|403|500|503 path= method=  an error instead of the work
    slow              seconds= path= method=                the work waits
    reset             during=upload|answer after_bytes=     the connection breaks while the body
                      path= method=                         arrives (nothing is done), or in the
                                                            middle of the answer (the work is done)
    lose_answer       path= method=                         the work is done, the connection breaks
                                                            before a byte of the answer: nobody
                                                            knows what became of it
    die               moment=before_work|after_work         kill -9 of the org at a request, before
                      path= method=                         or after its work is on disk
    expire_sessions                                         every access token ends, at once
    lock_rows         object= share= seed=                  UNABLE_TO_LOCK_ROW for a share of the
                                                            rows of one write, chosen by the seed
    lock_contention                                         writers of one account at once lock
                                                            each other out, until `clear`: batches
                                                            of Bulk jobs, and requests of every
                                                            other API (see `dml.contention`)
    job               end=Failed|InProgress|                a Bulk 2.0 job fails, or hangs until it
                      die_before_commit|die_after_commit    is aborted or the org ends, or kill -9
                      after_chunks= object= operation=      of the org, before or after a step is
                                                            on disk; in each case after so many
                                                            chunks of 200 rows were written

Every other kind takes `times` (how often it happens, 1) and `skip` (how many occasions pass
unharmed first, 0), so that any request, write or step can be hit, again and again in the same way.
`path` is a regular expression searched in the URL's path, everything unless given. What is still to
happen lies in the org's home and outlives its process: `times=3` with a kind that kills the org
kills it three times.

An org in which writers always contend is one whose set-up says so (`lock_contention`).
"""

import json
import math
import os
import re
import signal
import threading
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from pipelines.local_org.dml.outcome import error_sql

CHUNK = 200


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    times: int = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)


class _AtPath(_Fault):
    method: str | None = None
    path: str = ".*"

    def meets(self, method: str, path: str) -> bool:
        """Whether a request is one that this fault waits for; `path` is a regular expression."""
        return self.method in (None, method) and re.search(self.path, path) is not None


class Refuse(_AtPath):
    """Answer with an error instead of doing the work."""

    kind: Literal["refuse"]
    status: Annotated[Literal[401, 403, 500, 503], BeforeValidator(int)]


class Slow(_AtPath):
    """Wait before the work is done."""

    kind: Literal["slow"]
    seconds: float = Field(gt=0)


class Reset(_AtPath):
    """Cut the connection: while the body arrives, or in the middle of the answer."""

    kind: Literal["reset"]
    during: Literal["upload", "answer"]
    after_bytes: int = Field(default=0, ge=0)
    """Of the body or of the answer's; 0 means its first block, or the middle of it."""


class LoseAnswer(_AtPath):
    """Do the work, then cut the connection instead of answering."""

    kind: Literal["lose_answer"]


class Die(_AtPath):
    """Kill the whole process at a request."""

    kind: Literal["die"]
    moment: Literal["before_work", "after_work"] = "after_work"


class ExpireSessions(_Fault):
    """End every access token, at once."""

    kind: Literal["expire_sessions"]


class LockRows(_Fault):
    """Refuse a share of the rows of the next writes with `UNABLE_TO_LOCK_ROW`."""

    kind: Literal["lock_rows"]
    object: str
    share: float = Field(gt=0, le=1)
    seed: int = 0


class LockContention(BaseModel):
    """Let writers of one account at once lock each other out, until all faults are cleared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["lock_contention"]


class JobFault(_Fault):
    """Let a job fail, hang in progress, or end the whole process, once it did some chunks."""

    kind: Literal["job"]
    end: Literal["Failed", "InProgress", "die_before_commit", "die_after_commit"]
    object: str | None = None
    operation: str | None = None
    after_chunks: int = Field(default=0, ge=0)

    def meets(self, sobject: str, operation: str) -> bool:
        """Whether a job is one that this fault waits for."""
        return self.object in (None, sobject) and self.operation in (None, operation)


AtRequest = Refuse | Slow | Reset | LoseAnswer | Die
Fault = AtRequest | ExpireSessions | LockRows | LockContention | JobFault
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
    """The faults that are still to happen, kept in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._pending: list[Fault] = []
        if file.exists():
            self._pending = _FAULTS.validate_json(file.read_bytes())

    def arm(self, described: object) -> list[Fault]:
        """Add faults; one that happens at once is not kept.

        Raises:
            WrongFault: naming every problem.
        """
        try:
            faults = _FAULTS.validate_python(described)
        except ValidationError as error:
            raise WrongFault(_problems(error)) from error
        with self._lock:
            self._pending += [fault for fault in faults if not isinstance(fault, ExpireSessions)]
            self._save()
        return faults

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._pending = []
            self._save()

    def listed(self) -> list[dict[str, object]]:
        """What is still to happen."""
        return [fault.model_dump(exclude_none=True) for fault in self._pending]

    def request(self, method: str, path: str) -> list[AtRequest]:
        """What shall happen to a request; it is counted as happened."""
        met = [f for f in self._pending if isinstance(f, AtRequest) and f.meets(method, path)]
        return [fault for fault in met if self._happens(fault)]

    @property
    def contention(self) -> bool:
        """Whether writers of one account at once lock each other out."""
        return any(isinstance(fault, LockContention) for fault in self._pending)

    def lock_sql(self, sobject: str, rows: str) -> str | None:
        """SQL that refuses rows of a table, when a write of this object shall fail."""
        for fault in self._pending:
            if isinstance(fault, LockRows) and fault.object == sobject and self._happens(fault):
                return (
                    f"update {rows} set _error = {LOCKED} where _error is null "
                    f"and hash(_row + {fault.seed}) % 1000000 < {int(fault.share * 1_000_000)}"
                )
        return None

    def step(self, sobject: str, operation: str, most: int) -> int:
        """How many rows a job may write at once, so that a fault finds its chunk; ≤ `most`."""
        for fault in self._pending:
            if isinstance(fault, JobFault) and fault.meets(sobject, operation):
                most = math.gcd(most, fault.after_chunks * CHUNK)
        return most

    def job(self, sobject: str, operation: str, rows_done: int, moment: str) -> str | None:
        """What happens to a job now; `moment` is `between`, `before_commit` or `after_commit`.

        Returns:
            `Failed` or `InProgress` when the job shall end or hang; dies itself when it shall die.
        """
        for fault in list(self._pending):
            if not isinstance(fault, JobFault) or not fault.meets(sobject, operation):
                continue
            if rows_done < fault.after_chunks * CHUNK:
                continue
            if fault.end == f"die_{moment}" and self._happens(fault):
                die()
            if moment == "between" and not fault.end.startswith("die") and self._happens(fault):
                return fault.end
        return None

    def _happens(self, fault: AtRequest | LockRows | JobFault) -> bool:
        """Whether a fault that met its occasion happens; either way the occasion is counted."""
        with self._lock:
            place = next((i for i, armed in enumerate(self._pending) if armed is fault), None)
            if place is None:
                return False
            if fault.skip:
                self._pending[place] = fault.model_copy(update={"skip": fault.skip - 1})
            elif fault.times > 1:
                self._pending[place] = fault.model_copy(update={"times": fault.times - 1})
            else:
                del self._pending[place]
            self._save()
            return fault.skip == 0

    def _save(self) -> None:
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps([fault.model_dump() for fault in self._pending]))
        part.replace(self._file)


LOCKED = error_sql(
    "UNABLE_TO_LOCK_ROW",
    "",
    "'unable to obtain exclusive access to this record or 1 records: ', "
    "coalesce(left(_id, 15), '')",
)
"""SQL, over `work`, for the error of a row that somebody else holds."""


def die() -> None:
    """End this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


def _problems(error: ValidationError) -> str:
    """Every problem on a line, with the setting it is about."""
    lines = []
    for problem in error.errors():
        place = ".".join(str(step) for step in problem["loc"][1:]) or "fault"
        lines.append(f"{place}: {problem['msg']}")
    return "\n".join(lines)
