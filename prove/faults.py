"""Every fault that the local org can produce, where it hurts, alone and several at once."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

Fault = Mapping[str, object]

CALLS, JOBS = "composite/sobjects", "jobs/ingest"
_WHERE = (
    (CALLS, "calls (few rows)"),
    (f"{JOBS}$", "opening a job"),
    (f"{JOBS}/.*/batches", "uploading"),
    (f"{JOBS}/\\w+$", "closing and waiting"),
    (f"{JOBS}/.*(Results|records)", "fetching results"),
)


def alone() -> Iterator[tuple[str, list[Fault]]]:
    """Name and fault; each at every place of both paths where it can happen."""
    for path, where in _WHERE:
        for kind, settings in _AT_PATH:
            skip = {"skip": 2} if path == CALLS else {}
            fault = {"kind": kind, "path": path, **settings, **skip}
            values = (str(value) for name, value in settings.items() if name != "times")
            yield f"{' '.join((kind, *values))} at {where}", [fault]
    for name in ("Account", "Contact", "Lead"):
        rows = {"kind": "lock_rows", "object": name, "share": 0.3, "times": 3, "seed": 7}
        yield f"lock_rows of {name}", [rows]
    for end in ("Failed", "InProgress", "die_before_commit", "die_after_commit"):
        for chunks in (0, 3):
            job = {"kind": "job", "end": end, "object": "Lead", "after_chunks": chunks}
            yield f"job {end} after {chunks} chunks", [job]
    yield "expire_sessions", [{"kind": "expire_sessions"}]


_AT_PATH: tuple[tuple[str, Fault], ...] = (
    ("refuse", {"status": 401}),
    ("refuse", {"status": 403}),
    ("refuse", {"status": 500, "times": 2}),
    ("refuse", {"status": 503, "times": 9}),
    ("reset", {"during": "upload"}),
    ("reset", {"during": "answer"}),
    ("lose_answer", {"times": 2}),
    ("die", {"moment": "before_work"}),
    ("die", {"moment": "after_work"}),
)


def mixed(count: int, seed: int = 2026) -> Iterator[tuple[str, list[Fault]]]:
    """Name and three to five faults that come in one run."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    all_faults = list(alone())
    for _ in range(count):
        chosen = chance.sample(all_faults, chance.randint(3, 5))
        faults = [dict(fault) for _, some in chosen for fault in some]
        for fault in faults:
            if fault["kind"] != "expire_sessions":
                fault["skip"] = chance.randint(0, 3)
        yield " + ".join(name for name, _ in chosen), list(faults)
