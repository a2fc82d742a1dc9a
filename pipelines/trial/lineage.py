"""Which raw column ends in which field, by what ``describe.lineage`` found once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from pipelines.files import read_json, reading
from pipelines.sync.mapping.golden import PEOPLE
from pipelines.sync.mapping.values import mapping_columns

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.sync.mapping.model import ObjectMapping

LINEAGE = "golden.json"
"""The file of a template that keeps ``describe.lineage.raw_columns``."""

Golden = Mapping[str, Mapping[str, list[str]]]
"""Relation that mappings read → its column → the raw columns it comes from, ``raw_x.column``."""


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
