"""What is to be told of ``decisions.csv`` and the configuration: what decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.errors import Problem
from pipelines.plan.groups import unknown_groups
from pipelines.plan.unused import unused_names
from pipelines.sync.decisions import FILE
from pipelines.sync.mapping.model import relation
from pipelines.warehouse import parquet_sql

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from pipelines.project import Project

NOBODY = "{} is nobody: no source record, key or record of the org is called so (any more)"


def notices(project: Project) -> list[Problem]:
    """Lines and names that decide nothing, each with why; none of them is an error.

    Whether a reference is still somebody is known once a batch was resolved, of Ids once the org
    was read.
    """
    decisions = project.decisions
    problems = list(decisions.overruled)
    if decisions.lines:
        path = str(project.mappings / FILE)
        problems += [Problem(path, line, NOBODY.format(name)) for line, name in _nobody(project)]
    return sorted([*problems, *unused_names(project), *unknown_groups(project)])


def _nobody(project: Project) -> list[tuple[int, str]]:
    """Line and reference of those whom neither the state nor the org knows."""
    state_tables = [
        project.state.published(name) for name in ("member", "person", "account_member")
    ]
    if not all(path.exists() for path in state_tables):
        return []
    with Batch.none_of(project).connect() as connection:
        [(anybody,)] = connection.execute(_count_sql(state_tables[0])).fetchall()
        if not anybody:
            return []
        connection.execute(_NAMED)
        queries = [_resolved_sql(*map(parquet_sql, state_tables)), *_records(project, connection)]
        somebody = " union all ".join(queries)
        return connection.execute(_nobody_sql(somebody)).fetchall()


def _records(project: Project, connection: DuckDBPyConnection) -> Iterator[str]:
    """The Ids of the org; before it was read, every Id may be somebody's."""
    names = project.objects
    if project.bound_org is None or not all(project.mirror(name).exists() for name in names):
        yield "select name from named where name not like '%-%' and not contains(name, ':')"
        return
    for name in names:
        project.bind_org(connection, name)
        yield f"""select "Id" from {relation("org", name)} where "IsDeleted" = 'false'"""


def _count_sql(path: Path) -> str:
    return f"select count(*) from {parquet_sql(path)}"


_NAMED = """
    create temp table named as
    select line, reference as name from config_decisions
    union
    select line, target from config_decisions where target is not null
"""


def _resolved_sql(member: str, person: str, account_member: str) -> str:
    """Everybody who has a source record, as decisions name them."""
    return f"""
        select name
        from (
            select
                name,
                record_key(
                    split_part(name, ':', 1), substr(name, position(':' in name) + 1)
                ) as record
            from named
            where contains(name, ':')
        )
        semi join {member} using (record)
        union all
        select person_key from {member}
        union all
        select person.person_key
        from {person} as person
        semi join {member} as member on member.person_key = person.alias_of
        union all
        select account_key from {account_member}
    """


def _nobody_sql(somebody: str) -> str:
    return f"""
        select line, name from named
        anti join ({somebody}) as somebody (name) using (name)
        order by line, name
    """
