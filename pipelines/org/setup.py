"""Give an org what Causeway needs: the key fields, and a permission set that shows them to us.

A field that was just made is invisible, even to its maker, until a permission set grants it; that
is why a field alone is not enough, and why the end is a look with our own eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pipelines.errors import ConfigError
from pipelines.org.access import check_reading, hidden_objects
from pipelines.project import Project
from pipelines.salesforce.errors import RequestRefused
from pipelines.salesforce.org import Org
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.model import ObjectMapping

PERMISSION_SET = "Causeway"
KEY_LENGTH = 36
"""Of the longest key we mint: a kind, a dash and 32 hexadecimal digits."""

Report = Callable[[str], None]


def set_up(project: Project, report: Report) -> None:
    """Make what is missing in the project's org; running it again makes nothing.

    Args:
        project: whose org and mappings.
        report: gets one line per thing that was made.

    Raises:
        ConfigError: what an admin must do by hand, for each field that we still cannot write, and
            where we still do not see every record.
        SalesforceError: the org refused or did not answer.
    """
    mappings = [of_object(project.object_mappings, name)[0] for name in project.objects]
    with project.org() as org:
        lacking = [mapping for mapping in mappings if _lacks(org, mapping)]
        for mapping in lacking:
            _make_field(org, mapping, report)
        hidden = hidden_objects(org, project.objects)
        if lacking or hidden:
            granted = _permission_set(org, report)
            _grant_fields(
                org,
                granted,
                [f"{lacking_mapping.object}.{lacking_mapping.key}" for lacking_mapping in lacking],
                report,
            )
            _grant_sight(org, granted, hidden, report)
            _assign(org, granted, report)
        problems = [
            mapping.problem(f"{reason}; {_by_hand(mapping)}", "key")
            for mapping in mappings
            if (reason := _lacks(org, mapping))
        ]
        if problems:
            raise ConfigError(problems)
        check_reading(org, project.objects)


def _lacks(org: Org, mapping: ObjectMapping) -> str | None:
    """What keeps the key field from being used, in words; none if it can be."""
    fields = {field["name"]: field for field in org.describe(mapping.object)["fields"]}
    field = fields.get(mapping.key)
    name = f"{mapping.object}.{mapping.key}"
    if field is None:
        return f"{name} is missing or invisible to {org.username}"
    if not (field["externalId"] and field["unique"]):
        return f"{name} is not both External Id and unique"
    if not (field["createable"] and field["updateable"]):
        return f"{name} cannot be written by {org.username}"
    return None


def _make_field(org: Org, mapping: ObjectMapping, report: Report) -> None:
    # https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_customfield.htm
    metadata = {
        "label": mapping.key.removesuffix("__c").replace("_", " "),
        "type": "Text",
        "length": KEY_LENGTH,
        "externalId": True,
        "unique": True,
        "caseSensitive": False,
        "inlineHelpText": "The key by which Causeway knows this record. Do not edit.",
    }
    body = {"FullName": f"{mapping.object}.{mapping.key}", "Metadata": metadata}
    try:
        org.session.post("tooling/sobjects/CustomField", json=body)
    except RequestRefused as error:
        if error.code != "DUPLICATE_DEVELOPER_NAME":
            raise
    else:
        report(f"made the field {body['FullName']}")


def _permission_set(org: Org, report: Report) -> str:
    is_new, granted = _find_or_create(
        org, "PermissionSet", {"Name": PERMISSION_SET}, {"Label": PERMISSION_SET}
    )
    if is_new:
        report(f"made the permission set {PERMISSION_SET}")
    return granted


def _grant_fields(org: Org, granted: str, fields: Iterable[str], report: Report) -> None:
    for field in fields:
        is_new, _ = _find_or_create(
            org,
            "FieldPermissions",
            {"ParentId": granted, "Field": field},
            {
                "SobjectType": field.split(".")[0],
                "PermissionsRead": True,
                "PermissionsEdit": True,
            },
        )
        if is_new:
            report(f"{PERMISSION_SET} may read and edit {field}")


def _grant_sight(org: Org, granted: str, objects: Iterable[str], report: Report) -> None:
    """A record that we do not see would be created a second time."""
    sight = {"PermissionsRead": True, "PermissionsViewAllRecords": True}
    for name in objects:
        identifying = {"ParentId": granted, "SobjectType": name}
        is_new, record = _find_or_create(org, "ObjectPermissions", identifying, sight)
        if not is_new:
            org.session.patch(f"sobjects/ObjectPermissions/{record}", json=sight)
        report(f"{PERMISSION_SET} may read every {name}")


def _assign(org: Org, granted: str, report: Report) -> None:
    is_new, _ = _find_or_create(
        org, "PermissionSetAssignment", {"PermissionSetId": granted, "AssigneeId": org.user_id}, {}
    )
    if is_new:
        report(f"gave {PERMISSION_SET} to {org.username}")


def _find_or_create(
    org: Org, object_name: str, identifying: Mapping[str, str], more: Mapping[str, Any]
) -> tuple[bool, str]:
    """Whether the record had to be made, and its Id."""
    condition = " and ".join(f"{name} = '{value}'" for name, value in identifying.items())
    for record in org.query(f"select Id from {object_name} where {condition}"):
        return False, str(record["Id"])
    answer = org.session.post(f"sobjects/{object_name}", json={**identifying, **more})
    return True, str(answer.json()["id"])


def _by_hand(mapping: ObjectMapping) -> str:
    return (
        f"an admin must make it in Setup, Object Manager, {mapping.object}, Fields: Text"
        f" ({KEY_LENGTH}), Unique without case, External Id, and let this user read and edit it"
    )
