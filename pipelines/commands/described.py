"""What an org says of its fields: asked now, or as the newest snapshot saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.sync.fields import OrgSchema


@dataclass(frozen=True)
class Described:
    """An org's fields, and how we know them."""

    schema: OrgSchema
    since: date | None  # the snapshot's day; None when the org was asked now


def described(here: Project) -> Described:
    """Ask the org, or where it is down read the newest snapshot.

    Raises:
        ConfigError: the org is down and there is no snapshot yet.
    """
    from pipelines.project import OBJECTS
    from pipelines.salesforce.errors import TransientError
    from pipelines.snapshot import read_schema
    from pipelines.sync.fields import org_schema, schema_rows

    try:
        with here.org() as org:
            rows = [row for name in OBJECTS for row in schema_rows(org.describe(name))]
        return Described(org_schema(rows), None)
    except TransientError as error:
        days = here.warehouse.days("org_schema")
        if not days:
            raise ConfigError(
                f"The mappings need the org's fields. {error} Without an org, one snapshot"
                " (`causeway sync --plan-only`) is enough."
            ) from None
        return Described(read_schema(here, days[-1]), days[-1])
