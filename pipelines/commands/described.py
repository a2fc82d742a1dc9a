"""What an org says of its fields: asked now, as it was saved, or as a snapshot saw it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.sync.mapping.fields import OrgSchema


@dataclass(frozen=True)
class Described:
    """An org's fields, and how we know them."""

    schema: OrgSchema
    drift: list[str]  # what the org says otherwise than the saved copy, where it was asked


def described(project: Project) -> Described:
    """Ask the org; where it is down read the copy saved beside the mappings, or a snapshot.

    Raises:
        ConfigError: the org is down, and there is neither copy nor snapshot.
    """
    from pipelines.batch import Batch
    from pipelines.org import describes
    from pipelines.salesforce.errors import TransientError
    from pipelines.sync.mapping.fields import org_schema

    saved = describes.saved(project.mappings)
    try:
        with project.org() as org:
            folder = project.org_home(org.organization_id) / "describe"
            descriptions = describes.describe(org, folder, project.objects)
            schema = org_schema(row for description in descriptions for row in description.rows)
        return Described(schema, list(describes.drift(saved, schema)) if saved else [])
    except TransientError as error:
        if saved:
            return Described(saved, [])
        days = project.warehouse.days("org_schema")
        if not days:
            raise ConfigError(
                f"The mappings need the org's fields. {error} Without an org, a saved copy"
                " (`causeway org describe --save`) or one snapshot (`causeway sync --plan-only`)"
                " is enough."
            ) from None
        return Described(Batch(project, days[-1]).schema, [])
