"""A compiled query: its SQL, and the shape that its rows have for the client."""

from dataclasses import dataclass

from pipelines.local_org.catalog.model import Field, SObject

KIND = "\0"
"""Stands in a step of a route between the relationship and the one kind of parent it is for."""


def step_name(step: str) -> str:
    """The relationship of a step, without the kind that `TYPEOF` asks for."""
    return step.partition(KIND)[0]


@dataclass(frozen=True)
class Output:
    """One value of a row: where it stands in the record, and of which type it is."""

    route: tuple[str, ...]
    name: str
    field: Field
    sql: str
    function: str = ""
    """For aggregates: how the call is written, such as `COUNT(Id)`."""


@dataclass(frozen=True)
class Child:
    """A sub-query: its name in the record and its own compiled query."""

    name: str
    reference: Field
    query: "Compiled"


@dataclass(frozen=True)
class Compiled:
    """A query ready to run.

    `sql` selects, in this order: `_id` (the record's), one column per parent route (`routes`),
    and one per output. Aggregates have no `_id` and no routes; `count()` is one number.
    """

    kind: str  # records, aggregate, count
    sobject: SObject
    sql: str
    outputs: tuple[Output, ...]
    routes: tuple[tuple[str, ...], ...] = ()
    route_objects: tuple[tuple[SObject, ...], ...] = ()
    """Per route, the objects that a parent there may be of."""
    children: tuple[Child, ...] = ()
    grouped: bool = False
