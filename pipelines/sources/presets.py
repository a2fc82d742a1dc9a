"""The exports Causeway knows: ``presets/*.yaml``, one file each; people add their own.

A preset has one or more *shapes*, one for each kind of file the export consists of. A file goes
to the shape whose mandatory columns its header has; see ``pipelines.sources.shapes``. People's own
presets stand in ``mappings/presets/*.yaml``, in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field

from pipelines.config import Frozen, line_of, read_model, read_yaml
from pipelines.errors import ConfigError, Problem
from pipelines.nearest import did_you_mean
from pipelines.sources.columns import has_words
from pipelines.sources.relations import RAW

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

GENERIC = "generic"
"""The preset for any file; one whose header bears the signature of another goes to that."""

FOLDER = Path(__file__).parent / "presets"


class Shape(Frozen):
    """One kind of file.

    Attributes:
        relation: the raw relation its rows land in.
        id: the raw column that holds the record's own id.
        mandatory: raw columns the header must give; of a nested list, one is enough.
        signature: headers by which a file is known as this kind though its source does not name
            the preset: all must be there. Without them it must be named.
        columns: header → raw column; several for one column are an order of preference.
        addresses: header → column of raw_customer_addresses, where the rows carry an address too.
        words: the headers that are not listed are read by their words (words.yaml).
        unread: headers that are not read by their words, as they mean something else in this file.
        separator: what stands between several values of a cell; of e-mail addresses, phones and
            web sites the first counts.
    """

    relation: str
    id: str
    mandatory: tuple[str | tuple[str, ...], ...]
    signature: tuple[str, ...] = ()
    columns: dict[str, str] = Field({})
    addresses: dict[str, str] | None = None
    words: bool = False
    unread: tuple[str, ...] = ()
    separator: str | None = Field(None, min_length=1)

    def header_of(self, column: str) -> str | None:
        """A header that is read as a raw column: the first listed, or its own name in words."""
        listed = next((header for header, raw in self.columns.items() if raw == column), None)
        if listed is None and self.words and has_words(column, self.relation):
            return column.replace("_", " ").title()
        return listed


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
    """Every preset of ours by name, the name being its file's stem."""
    return {path.stem: read_model(path, Preset) for path in sorted(FOLDER.glob("*.yaml"))}


def own_presets(folder: Path) -> dict[str, Preset]:
    """People's presets by name, from the YAML files of a folder, which need not be there.

    Raises:
        ConfigError: with every problem of every file, each with its line.
    """
    found: dict[str, Preset] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found[path.stem] = read_model(path, Preset)
        except ConfigError as error:
            problems += error.problems
        else:
            problems += _check(path, found[path.stem])
    if problems:
        raise ConfigError(problems)
    return found


def _check(path: Path, preset: Preset) -> Iterator[Problem]:
    _, lines = read_yaml(path)
    if path.stem in presets():
        yield Problem(str(path), None, f"{path.stem!r} is a preset of ours; choose another name")
    if not preset.shapes:
        yield Problem(str(path), line_of(lines, ("shapes",)), "name at least one shape")
    for at, shape in enumerate(preset.shapes):
        for loc, message in _faults(shape, preset):
            yield Problem(str(path), line_of(lines, ("shapes", at, *loc)), message)


def _faults(shape: Shape, preset: Preset) -> Iterator[tuple[tuple[str | int, ...], str]]:
    known = RELATIONS[preset.entity] if preset.entity else tuple(RAW)
    if shape.relation not in known:
        listed = f"expected one of {', '.join(known)}"
        yield ("relation",), f"{shape.relation!r} is no relation of its rows; {listed}"
        return
    columns = RAW[shape.relation]
    yield from _unknown("columns", shape.columns, columns)
    if shape.addresses is not None:
        if shape.relation != "raw_customers":
            yield ("addresses",), "'addresses' is for rows of raw_customers"
        yield from _unknown("addresses", shape.addresses, RAW[ADDRESSES])
    if shape.id not in columns:
        yield ("id",), f"there is no column {shape.id!r}{did_you_mean(shape.id, columns)}"
    for at, choice in enumerate(shape.mandatory):
        for column in (choice,) if isinstance(choice, str) else choice:
            if column not in columns:
                hint = did_you_mean(column, columns)
                yield ("mandatory", at), f"there is no column {column!r}{hint}"


def _unknown(
    key: str, named: Mapping[str, str], columns: tuple[str, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for header, column in named.items():
        if column not in columns:
            yield (key, header), f"there is no column {column!r}{did_you_mean(column, columns)}"
