"""Whether we see all there is: a record we cannot read would be created a second time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.salesforce.errors import RequestRefused

if TYPE_CHECKING:
    from pipelines.salesforce.org import Org

# A profile is a permission set too, assigned to its users; a group of sets counts as one.
# https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionset.htm
ASSIGNMENTS = "PermissionSetAssignment where AssigneeId = '{user}'"
ALL_DATA = "select count() from {assignments} and PermissionSet.PermissionsViewAllData = true"
ALL_RECORDS = (
    "select SobjectType from ObjectPermissions where PermissionsViewAllRecords = true"
    " and ParentId in (select PermissionSetId from {assignments}) and SobjectType in ({objects})"
)


def check_reading(org: Org, objects: Sequence[str]) -> None:
    """Hold our user to the right to read every record of the objects.

    Raises:
        ConfigError: the user lacks it for an object, or may not see its own permissions.
    """
    try:
        hidden = hidden_objects(org, objects)
    except RequestRefused as error:
        raise ConfigError(
            f"{org.connection.name}: the user {org.user_id} may not see its own permissions"
            f" ({error.code}), so nobody can tell whether it reads every record; give it View"
            " Setup and Configuration in a permission set"
        ) from error
    if hidden:
        raise ConfigError(
            f"{org.connection.name}: {org.username} may not read every {' and every '.join(hidden)}"
            " of the org, and records it does not see would be created again; run"
            " `causeway org setup`, or let an admin give it View All on these objects, or View"
            " All Data, in a permission set"
        )


def hidden_objects(org: Org, objects: Sequence[str]) -> list[str]:
    """The objects of which our user may not read every record, whoever owns it."""
    assignments = ASSIGNMENTS.format(user=org.user_id)
    if org.count(ALL_DATA.format(assignments=assignments)):
        return []
    listed = ", ".join(f"'{name}'" for name in objects)
    readable = {
        row["SobjectType"]
        for row in org.query(ALL_RECORDS.format(assignments=assignments, objects=listed))
    }
    return [name for name in objects if name not in readable]
