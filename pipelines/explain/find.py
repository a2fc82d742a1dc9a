"""Finding the record that somebody means: by Id, e-mail address, key or name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.errors import ConfigError
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

    from pipelines.project import Project
    from pipelines.sync.mapping.model import ObjectMapping

MANY = 10
"""Records told where a search finds several."""


@dataclass(frozen=True)
class NamedRecord:
    """A record that somebody named: our key, its Id, what people call it."""

    key: str | None
    sf_id: str | None
    name: str


def find(project: Project, object_name: str, text: str) -> NamedRecord:
    """The one record that an Id, e-mail address, key or name means.

    Raises:
        ConfigError: there is no such record, or there are several.
    """
    with Batch.none_of(project).connect() as connection:
        project.bind_org(connection, object_name, "records")
        return find_in(connection, project, of_object(project.object_mappings, object_name), text)


def find_in(
    connection: DuckDBPyConnection, project: Project, mappings: Sequence[ObjectMapping], text: str
) -> NamedRecord:
    """``find`` on a connection that has the relation ``records``; makes ``golden`` on it.

    Args:
        connection: any with the project's macros.
        project: whose golden entities there are.
        mappings: one or more of the same object.
        text: what somebody wrote.
    """
    several: dict[NamedRecord, None] = {}
    for mapping in {mapping.from_: mapping for mapping in mappings}.values():
        days = project.warehouse.days(mapping.from_)
        project.warehouse.bind(connection, mapping.from_, days, "golden")
        query = _search_sql(connection, mapping)
        rows = connection.execute(query, [text.strip()]).fetchall()
        several |= dict.fromkeys(NamedRecord(*row) for row in rows)
    matches = list(several)
    if not matches:
        raise ConfigError(
            f"no {mappings[0].object} has the Id, e-mail address, key or name {text!r}: neither in"
            " the org, as it was read last, nor in our sources"
        )
    if len(matches) > 1:
        listed = "\n".join(
            f"  {match.sf_id or match.key}  {match.name}" for match in matches[:MANY]
        )
        raise ConfigError(f"{len(matches)} are called {text!r}; name one by its Id:\n{listed}")
    return matches[0]


def _search_sql(connection: DuckDBPyConnection, mapping: ObjectMapping) -> str:
    """Records of the org and golden entities that a text names, by Id, key, e-mail or name."""
    columns = {row[0] for row in connection.execute("describe records").fetchall()}
    parts = [name for name in ("FirstName", "LastName", "Name") if name in columns]
    name = f"concat_ws(' ', {', '.join(map(quoted, parts))})"
    email = '"Email"' if "Email" in columns else "null"
    golden = "name" if mapping.from_ == "accounts" else "concat_ws(' ', first_name, last_name)"
    return _SEARCH.format(
        key=quoted(mapping.key),
        name=name,
        email=email,
        golden_key=mapping.key_column,
        golden_name=golden,
        golden_email="null" if mapping.from_ == "accounts" else "email",
    )


_SEARCH = """\
with

org_records as (
    select {key} as key, "Id" as sf_id, {name} as name
    from records
    where
        "IsDeleted" = 'false'
        and (
            left("Id", 15) = left($1, 15)
            or lower({key}) = lower($1)
            or lower({email}) = lower($1)
            or lower({name}) = lower($1)
        )
),

golden_records as (
    select {golden_key} as key, any_value({golden_name}) as name
    from golden
    where
        {golden_key} = lower($1)
        or lower({golden_email}) = lower($1)
        or lower({golden_name}) = lower($1)
    group by {golden_key}
)

select org_records.key, org_records.sf_id, org_records.name from org_records
union all
select golden_records.key, null as sf_id, golden_records.name
from golden_records
where golden_records.key not in (select key from org_records where key is not null)
    and not exists (select 1 from records as other where other.{key} = golden_records.key)
order by 3, 2"""
