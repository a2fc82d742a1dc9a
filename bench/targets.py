"""What the figures should be, and how each follows from a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.run import Result, Usage

OF_THE_ORG = ("org", "apply")
"""Stages that wait for Salesforce; a real org is slower than the local one, or faster."""

MB = 1_000_000


@dataclass(frozen=True)
class Target:
    """One line of the comparison.

    Attributes:
        what: in words.
        value: from a run; none where it cannot be told.
        must: people → the limit; of any other size, none.
        aim: people → what would be good.
        unit: behind the number.
        more: whether more is better.
        digits: behind the decimal point.
    """

    what: str
    value: Callable[[Result], float | None]
    must: Mapping[int, float]
    aim: Mapping[int, float]
    unit: str = ""
    more: bool = False
    digits: int = 1

    def met(self, result: Result) -> bool | None:
        """Whether a run does what it must; none where nothing is asked of its size."""
        value, must = self.value(result), self.must.get(result.people)
        if value is None or must is None:
            return None
        return value >= must if self.more else value <= must


def seconds(stages: Mapping[str, Usage]) -> float:
    """Of all stages together."""
    return sum(usage.seconds for usage in stages.values())


def to_plan(stages: Mapping[str, Usage]) -> float:
    """Seconds from files to the saved plan, with the snapshot of the org."""
    return seconds(stages) - stages["apply"].seconds


def processor_to_plan(stages: Mapping[str, Usage]) -> float:
    """The same in processor seconds of our process."""
    return sum(usage.cpu for name, usage in stages.items() if name != "apply")


def peak(result: Result) -> int | None:
    """Most bytes our process held in any stage of the first load."""
    peaks = [usage.peak for usage in result.first.values() if usage.peak is not None]
    return max(peaks, default=None)


def _gigabytes(result: Result) -> float | None:
    bytes_held = peak(result)
    return None if bytes_held is None else bytes_held / (1000 * MB)


SMALL, LARGE = 100_000, 1_000_000


def _both(limit: float) -> dict[int, float]:
    return {SMALL: limit, LARGE: limit}


TARGETS = (
    Target(
        "land → plan ÷ `read_csv` of the same bytes, in processor time",
        lambda run: processor_to_plan(run.first) / run.read_csv_cpu,
        must={LARGE: 20},
        aim={LARGE: 13},
    ),
    Target(
        "land → plan",
        lambda run: to_plan(run.first),
        must={SMALL: 5, LARGE: 18},
        aim={SMALL: 3.5, LARGE: 12},
        unit=" s",
    ),
    Target(
        "peak memory of our process",
        _gigabytes,
        must={LARGE: 1.2},
        aim={LARGE: 0.9},
        unit=" GB",
        digits=2,
    ),
    Target(
        "validating contacts ÷ the same rules in SQL",
        lambda run: run.validate_contacts / run.rules_in_sql,
        must=_both(1.3),
        aim=_both(1.1),
    ),
    Target(
        "identity: precision",
        lambda run: run.precision,
        must=_both(0.9999),
        aim=_both(0.9999),
        more=True,
        digits=4,
    ),
    Target(
        "identity: recall",
        lambda run: run.recall,
        must=_both(0.98),
        aim=_both(0.995),
        more=True,
        digits=4,
    ),
    Target(
        "our processor time of apply ÷ a raw PUT of the rows",
        lambda run: run.first["apply"].cpu / run.raw_put,
        must={LARGE: 8},
        aim={LARGE: 5},
    ),
    Target(
        "our processor time of apply",
        lambda run: run.first["apply"].cpu,
        must={LARGE: 4.5},
        aim={LARGE: 2.5},
        unit=" s",
    ),
    Target(
        "a 0.1 % batch",
        lambda run: seconds(run.change),
        must={LARGE: 3},
        aim={LARGE: 2},
        unit=" s",
    ),
    Target(
        "nothing to do",
        lambda run: seconds(run.nothing),
        must={LARGE: 1},
        aim={LARGE: 0.5},
        unit=" s",
    ),
)
