"""What is to be known of a relation that was just made: plain values, for whoever keeps them.

Knows nothing of the orchestrator. They go through JSON unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.warehouse import Written

Lineage = Mapping[str, list[tuple[str, str]]]
"""Column → the relations and columns that it comes from."""

Fact = int | float | str | None | Sequence[str]
"""A number, a text, or lines of text; of data, so nothing in it is Markdown."""


@dataclass(frozen=True)
class Check:
    """What a check of a relation came to.

    Attributes:
        name: as people know it.
        passed: whether all is as it should be.
        facts: numbers, texts and lines behind it.
        warns: whether a failure is to be looked at only, and stops nobody.
    """

    name: str
    passed: bool
    facts: Mapping[str, Fact]
    warns: bool = True


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type, what is said of it, and where it comes from."""

    name: str
    type: str
    note: str = ""
    origins: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Description:
    """What is known of a relation of one day.

    Attributes:
        relation: whose.
        rows: how many it has; none where only checks of it were made.
        columns: in their order.
        file: where it lies.
        facts: whatever else is to be known.
        links: pages, by what they are called.
        checks: of it.
    """

    relation: str
    rows: int | None = None
    columns: tuple[Column, ...] = ()
    file: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Description:
        """What ``document`` gave, read back."""
        columns = tuple(
            Column(**{**column, "origins": tuple(map(tuple, column["origins"]))})
            for column in document["columns"]
        )
        checks = tuple(Check(**check) for check in document["checks"])
        return cls(**{**document, "columns": columns, "checks": checks})


def of_written(
    written: Written,
    *,
    lineage: Lineage | None = None,
    notes: Mapping[str, str] | None = None,
    facts: Mapping[str, Fact] | None = None,
    links: Mapping[str, str] | None = None,
    checks: tuple[Check, ...] = (),
) -> Description:
    """Describe a relation that was just written."""
    origins = lineage or {}
    columns = tuple(
        Column(name, kind, (notes or {}).get(name, ""), tuple(origins.get(name, ())))
        for name, kind in written.columns.items()
    )
    return Description(
        written.relation, written.rows, columns, str(written.path), facts or {}, links or {}, checks
    )
