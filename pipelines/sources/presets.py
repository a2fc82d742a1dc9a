"""The exports Causeway knows: ``presets/*.yaml``, one file each.

A preset has one or more *shapes*, one for each kind of file the export consists of. A file goes
to the shape whose mandatory columns its header has; see ``pipelines.sources.shapes``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, get_args

from pipelines.config import Frozen, read_model

Entity = Literal["contacts", "customers", "subscribers", "orders"]
ENTITIES: tuple[Entity, ...] = get_args(Entity)

RELATIONS: dict[Entity, tuple[str, ...]] = {
    "contacts": ("raw_contacts",),
    "customers": ("raw_customers", "raw_customer_addresses"),
    "subscribers": ("raw_subscribers",),
    "orders": ("raw_orders", "raw_order_addresses"),
}
"""Entity → the raw relations its files may land in; the entity's own comes first."""

ADDRESSES = "raw_customer_addresses"

FOLDER = Path(__file__).parent / "presets"


class Shape(Frozen):
    """One kind of file.

    Attributes:
        relation: the raw relation its rows land in.
        id: the raw column that holds the record's own id.
        mandatory: raw columns the header must give; of a nested list, one is enough.
        columns: header → raw column; of several headers for one column the first present wins.
        addresses: header → column of raw_customer_addresses, where the rows carry an address too.
    """

    relation: str
    id: str
    mandatory: tuple[str | tuple[str, ...], ...]
    columns: dict[str, str]
    addresses: dict[str, str] | None = None


class Preset(Frozen):
    """A known export.

    Attributes:
        about: what it is, in a few words.
        invented: the export's headers are not public, and these are made up after its screens.
        entity: what its rows are; a preset for any entity leaves it out.
        shapes: its kinds of files.
    """

    about: str
    invented: bool = False
    entity: Entity | None = None
    shapes: tuple[Shape, ...]

    def shapes_of(self, entity: Entity) -> tuple[Shape, ...]:
        """The shapes whose rows may belong to ``entity``."""
        return tuple(shape for shape in self.shapes if shape.relation in RELATIONS[entity])


@cache
def presets() -> dict[str, Preset]:
    """Every preset by name, the name being its file's stem."""
    return {path.stem: read_model(path, Preset) for path in sorted(FOLDER.glob("*.yaml"))}
