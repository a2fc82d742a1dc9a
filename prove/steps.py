"""What a run does, step by step, in words; which of the steps to be killed at."""

from __future__ import annotations

import re
from collections.abc import Sequence

_KINDS = (
    (r"^send \S+ .*composite/sobjects", "before a call of sObject Collections"),
    (r"^send POST .*jobs/ingest$", "before a Bulk job is opened"),
    (r"^send PUT ", "before a file is uploaded"),
    (r"^send PATCH .*jobs/ingest", "before a job is closed"),
    (r"^send a body", "while a body is sent"),
    (r"^send GET .*jobs/ingest/\w+$", "while a job is waited for"),
    (r"^send GET .*jobs/ingest", "before results are fetched"),
    (r"^send ", "before any other request"),
    (r"^rename .*answers\.parquet$", "before answers are kept"),
    (r"^rename .*applied/\w+/[0-9a-f-]+\.json$", "before a chunk is noted"),
    (r"^rename .*applied/\w+/[0-9a-f-]+\.csv$", "before a file to upload has its name"),
    (r"^rename .*outcomes\.parquet$", "before outcomes are kept"),
    (r"^rename .*settled$", "before a plan counts as settled"),
    (r"^rename .*/ledger/", "before the ledger has its segment"),
    (r"^rename .*/changes/", "before a change is noted"),
    (r"^rename .*/state/", "before the state is published"),
    (r"^rename ", "before any other file has its name"),
    (r"^remove .*/changes/", "before a change counts as made"),
    (r"^remove ", "before a file goes"),
    (r"^rmdir ", "before a folder goes"),
    (r"^open ", "before a file is written"),
)


def kind_of(step: str) -> str:
    """What a step is, in words."""
    return next(words for pattern, words in _KINDS if re.search(pattern, step))


def places(steps: Sequence[str], count: int) -> list[int]:
    """So many steps to be killed at, from 1: the first of every kind, then evenly spread."""
    kinds: dict[str, int] = {}
    for number, step in enumerate(steps, 1):
        kinds.setdefault(kind_of(step), number)
    chosen = set(kinds.values())
    total = min(max(count, len(chosen)), len(steps))
    others = [number for number in range(1, len(steps) + 1) if number not in chosen]
    missing = total - len(chosen)
    chosen |= {others[n * len(others) // missing] for n in range(missing)}
    return sorted(chosen)
