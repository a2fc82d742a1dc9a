"""Customer groups: shops export numbers, people write the names that a source gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.config import line_of, read_yaml
from pipelines.errors import Problem
from pipelines.nearest import did_you_mean
from pipelines.sources.config import groups_of
from pipelines.sources.model import GROUPED
from pipelines.sync.mapping.policies import FILE as POLICIES

if TYPE_CHECKING:
    from pipelines.project import Project

SOURCES = "sources.yaml"
MOST = 5
"""Numbers without a name that are listed."""


def group_problems(project: Project) -> list[Problem]:
    """Groups of the policies that no source can give, each with its line.

    A source without ``groups`` may give any; then only the rows that have landed can tell.
    """
    groups, named = project.policies.customers.groups, groups_of(project.sources)
    shops = [name for name, source in project.sources.enabled() if source.entity == "customers"]
    tables = [named[name] for name in shops]
    if groups == "all" or not tables or not all(tables):
        return []
    names = sorted({name for table in tables for name in table.values()})
    path = project.mappings / POLICIES
    return [
        Problem(
            str(path),
            line_of(read_yaml(path)[1], ("customers", "groups", place)),
            f"customers.groups: no source gives the group {group!r}"
            + (_named(group, tables) or did_you_mean(group, names)),
        )
        for place, group in enumerate(groups)
        if group not in names
    ]


def _named(number: str, tables: Iterable[dict[str, str]]) -> str:
    """What to write in place of a number that has a name."""
    names = sorted({table[number] for table in tables if number in table})
    return f"; write its name: {' or '.join(names)}" if names else ""


def unknown_groups(project: Project, days: Iterable[date] | None = None) -> Iterator[Problem]:
    """Numbers that rows bring and their source gives no name, with how many and where.

    Args:
        project: whose rows.
        days: batches to look at; by default all that have landed.
    """
    sources = project.sources.sources
    named = {name: table for name, table in groups_of(project.sources).items() if table}
    if not named:
        return
    _, lines = read_yaml(project.mappings / SOURCES)
    warehouse, listed = project.warehouse, None if days is None else list(days)
    with Batch.none_of(project).connect() as connection:
        for entity in GROUPED:
            relation = f"valid_{entity}"
            of_days = warehouse.days(relation) if listed is None else listed
            warehouse.bind(connection, relation, of_days)
            for name, rows, numbers, place in connection.execute(_unknown_sql(relation)).fetchall():
                if name in named and sources[name].entity == entity:
                    more = ", …" if len(numbers) > MOST else ""
                    counted = f"{rows:,} {entity if rows > 1 else entity.removesuffix('s')}"
                    yield Problem(
                        str(project.mappings / SOURCES),
                        line_of(lines, ("sources", name, "groups")),
                        f"{name}: {counted} in groups without a name here,"
                        f" {', '.join(numbers[:MOST])}{more} (first {place})",
                    )


def _unknown_sql(relation: str) -> str:
    return f"""
        select
            _source,
            count(distinct source_id),
            list_sort(list(distinct group_id)),
            arg_min(_file || ':' || _row, (_file, _row))
        from {relation} as rows
        where group_id is not null and not exists (
            select 1 from config_groups as named
            where named.source = rows._source and named.number = rows.group_id
        )
        group by _source
        order by _source
    """
