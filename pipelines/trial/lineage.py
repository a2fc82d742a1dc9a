"""Which raw column ends in which field: followed through staging and resolving once, and kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from pipelines.describe.lineage import lineage_of
from pipelines.files import read_json, reading
from pipelines.project import stage_files
from pipelines.sources.relations import SPEAKING
from pipelines.sync.mapping.golden import OF_ACCOUNT, PEOPLE, origin
from pipelines.sync.mapping.model import GOLDEN
from pipelines.sync.mapping.values import mapping_columns

if TYPE_CHECKING:
    from pipelines.describe.description import Lineage
    from pipelines.project import Project
    from pipelines.sync.mapping.model import ObjectMapping

LINEAGE = "golden.json"
"""The file of a template that keeps what ``followed`` found."""

Golden = Mapping[str, Mapping[str, list[str]]]
"""Relation that mappings read → its column → the raw columns it comes from, ``raw_x.column``."""


def followed(project: Project) -> dict[str, dict[str, list[str]]]:
    """Follow every column that a mapping may read to the raw columns; takes a second or two."""
    files = {file.relation: file for stage in ("staging", "resolve") for file in stage_files(stage)}
    lineages: dict[str, Lineage] = {}
    found: dict[tuple[str, str], set[str]] = {}

    def raw(relation: str, column: str) -> set[str]:
        relation = relation.replace("valid_", "stg_")
        if relation.startswith("raw_"):
            return {f"{relation}.{column}"}
        if relation not in files:
            return set()
        if (relation, column) not in found:
            found[relation, column] = set()  # a column that is made from itself ends there
            if relation not in lineages:
                lineages[relation] = lineage_of(project, files[relation])
            for origin_relation, origin_column in lineages[relation].get(column, ()):
                found[relation, column] |= raw(origin_relation, origin_column)
        return found[relation, column]

    with project.warehouse.connect() as connection:
        columns = {
            name: list(project.warehouse.describe(connection, name, None).columns)
            for name in GOLDEN
        }
    columns[PEOPLE] += OF_ACCOUNT
    # What a person said is kept in the state, by address, where no lineage leads.
    for column in ("opted_out", "do_not_call"):
        found["people", column] = {f"{relation}.{column}" for relation in SPEAKING}
    found["people", "opted_out"].add("raw_subscribers.status")
    return {
        name: {column: _named_alike(column, raw(*origin(name, column))) for column in listed}
        for name, listed in columns.items()
    }


_PARTS = {
    "street": ("street", "street2", "building"),
    "city": ("city",),
    "state": ("state", "region"),
    "postal_code": ("postal_code",),
    "country": ("country",),
    "first_name": ("first_name", "name"),
    "middle_name": ("middle_name", "name"),
    "last_name": ("last_name", "name"),
    "suffix": ("suffix",),
    "salutation": ("prefix",),
}
"""Part of a golden name or address, which survives as one block → the raw columns it is made of."""

_OTHER = "other_"


def _named_alike(column: str, raw: set[str]) -> list[str]:
    """Of the raw columns of a whole block those that are the part of it that a column is.

    Lineage ends at the block. Whatever text gathers more addresses is no place of any one column.
    """
    if column == "further_addresses":
        return []
    part = next((part for part in _PARTS if column == part or column.endswith(f"_{part}")), None)
    if part is not None:
        raw = {one for one in raw if _column(one).removeprefix(_OTHER) in _PARTS[part]}
    elif column.endswith("phone"):
        raw = {one for one in raw if _column(one).endswith("phone")}
    if column.startswith(_OTHER):  # a row's own second address, where it has one
        second = {one for one in raw if _column(one).startswith(_OTHER)}
        relations = {one.partition(".")[0] for one in second}
        raw = second | {one for one in raw if one.partition(".")[0] not in relations}
    return sorted(one for one in raw if not _column(one).startswith("_"))


def _column(raw: str) -> str:
    return raw.partition(".")[2]


def fields_of(project: Project, objects: Collection[str]) -> dict[str, list[str]]:
    """Raw column (``raw_x.column``) → the fields of these objects that it ends in, ``X.Field``."""
    path = project.home / LINEAGE
    golden: Golden = read_json(path)
    fields: dict[str, list[str]] = {}
    with reading(path):
        mapped = (one for one in project.object_mappings.values() if one.object in objects)
        # What a row is itself comes before the account that it belongs to.
        for mapping in sorted(mapped, key=lambda one: one.from_ != PEOPLE):
            for field, read in _read(mapping).items():
                for column in read:
                    for raw in golden[mapping.from_].get(column, ()):
                        ends = fields.setdefault(raw, [])
                        if (end := f"{mapping.object}.{field}") not in ends:
                            ends.append(end)
    return fields


def _read(mapping: ObjectMapping) -> dict[str, list[str]]:
    columns = mapping_columns(mapping)
    return {field: columns[field] for field in mapping.enabled()}
