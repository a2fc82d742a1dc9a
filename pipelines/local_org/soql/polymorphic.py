"""A parent that may be of several kinds, such as the `What` of a task: Salesforce's entity Name.

It has a few fields whatever kind the record is of; `Type` names the kind. Fields of one kind are
read with `TYPEOF`.
"""

from pipelines.local_org.catalog.model import Field, SObject, literal, quoted

NAME = SObject(
    name="Name",
    label="Name",
    plural="Names",
    prefix="",
    verbs=frozenset(),
    fields=(
        Field("Id", "Name ID", "id", 18, nillable=False),
        Field("Name", "Name", "string", 255, name_field=True),
        Field("Type", "Type", "picklist", 40),
        Field("FirstName", "First Name", "string", 40),
        Field("LastName", "Last Name", "string", 80),
        Field("Title", "Title", "string", 128),
        Field("Email", "Email", "email", 80),
        Field("Phone", "Phone", "phone", 40),
        Field("Username", "Username", "string", 80),
        Field("Alias", "Alias", "string", 8),
        Field("IsActive", "Active", "boolean"),
        Field(
            "ProfileId",
            "Profile ID",
            "reference",
            18,
            references=("Profile",),
            relationship="Profile",
        ),
        Field(
            "UserRoleId",
            "Role ID",
            "reference",
            18,
            references=("UserRole",),
            relationship="UserRole",
        ),
    ),
)


def name_source(targets: tuple[SObject, ...]) -> str:
    """SQL for the records of several objects as records of Name."""
    parts = []
    for target in targets:
        fields = [f"{_value_sql(target, field)} as {quoted(field.name)}" for field in NAME.fields]
        parts.append(f"select {', '.join(fields)} from {target.table} p")
    return f"({' union all '.join(parts)})"


def _value_sql(target: SObject, field: Field) -> str:
    if field.name == "Type":
        if target.name == "Group":
            # Only the groups that are queues own records; their type is not called Group.
            return "if(p.\"Type\" = 'Queue', 'Queue', 'Group')"
        return literal(target.name)
    own = target.name_field if field.name == "Name" else target.get(field.name)
    if own is None:
        return f"null::{field.column_type}"
    return f"{own.read_sql('p')}::{field.column_type}"
