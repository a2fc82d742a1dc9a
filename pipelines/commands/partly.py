"""Checking what is right of the mappings, though something else is wrong: all faults at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

from pipelines.commands.described import described
from pipelines.org.snapshot import check_against
from pipelines.project import Project
from pipelines.relations import schemas_stamp
from pipelines.sync.mapping.folder import read_what_is_right
from pipelines.sync.mapping.model import ObjectMapping


@dataclass(frozen=True)
class _AsFarAsRight(Project):
    """A project with what is right of its mappings, to find what else is wrong with them."""

    @cached_property
    def object_mappings(self) -> dict[str, ObjectMapping]:
        """The mappings by stem, in no order; fields that are wrong are left out."""
        return read_what_is_right(self.mappings)[0]


def check_what_is_right(project: Project) -> None:
    """Check the fields that could be read, though something else could not.

    Their columns are known in a home that was ever prepared.

    Raises:
        ConfigError: every problem of what could be read.
    """
    facts = {field.name: getattr(project, field.name) for field in fields(project)}
    readable = _AsFarAsRight(**facts)
    if schemas_stamp(project) and readable.object_mappings:
        check_against(readable, described(readable).schema, whole=False)
