"""How many calls we may still make before other users of the org would miss them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

JOB = 12  # calls of one Bulk job: create, upload, close, three results, and a few looks at it


@dataclass(frozen=True)
class Budget:
    """A stop line on the org's API calls of 24 hours, whoever made them.

    Attributes:
        usage: gives the calls used and allowed, as the org's last answer said; none while it has
            said nothing.
        share: of the allowed calls, above which we begin nothing new.
    """

    usage: Callable[[], tuple[int, int] | None]
    share: float = 1.0

    def allows(self, calls: int = 1) -> bool:
        """Whether this many more calls stay below the line."""
        usage = self.usage()
        return usage is None or usage[0] + calls <= usage[1] * self.share

    def __str__(self) -> str:
        used, allowed = self.usage() or (0, 0)
        message = f"{used:,} of {allowed:,} API calls of the org are used"
        return f"{message}, and api.daily_share is {self.share:.0%}"
