"""Ctrl-C and a polite end by whoever supervises us: said in a word, and nothing is lost."""

from __future__ import annotations

import signal
from types import FrameType

from pipelines.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def heed() -> None:
    """Let signals end the command in words; a second one ends it at once, which loses nothing."""
    for number in SIGNALS:
        signal.signal(number, _interrupt)


_received: list[int] = []


def exit_code() -> int | None:
    """What a command ends with that was interrupted, as shells count; none where it was not."""
    return 128 + _received[0] if _received else None


def _interrupt(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    raise Interrupted("interrupted")
