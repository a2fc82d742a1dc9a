"""Names in the configuration that nobody of ours bears: lists, ids of rows and customer groups.

What is said of one does nothing, and a slip of the pen looks the same. Which names there are is
known from the rows that have landed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.config import Loc, line_of, read_yaml
from pipelines.errors import Problem
from pipelines.nearest import alike_sql, did_you_mean
from pipelines.sources.config import groups_of
from pipelines.sync.mapping.policies import FILE as POLICIES
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from pipelines.project import Project
    from pipelines.sources.lists import Select

SOURCES = "sources.yaml"
GROUPS_OF_A_NEW_SHOP = {"0": "NOT LOGGED IN", "1": "General", "2": "Wholesale", "3": "Retailer"}
"""How Magento numbers its groups; a shop exports the numbers."""


def unused_names(project: Project) -> list[Problem]:
    """Lists, ids and groups of the configuration of which no row has landed, each with its line."""
    groups = project.policies.customers.groups
    with_lists = {name: source for name, source in project.sources.enabled() if source.lists}
    selecting = {name: source.select for name, source in project.sources.enabled() if source.select}
    if groups == "all" and not (with_lists or selecting):
        return []
    problems: list[Problem] = []
    with Batch.none_of(project).connect() as connection:
        for name, source in with_lists.items():
            rows = f"_source = {literal(name)}"
            known = _values(project, connection, "contacts", ("list_name", "list_id"), rows)
            lists: dict[str, Loc] = {one: ("sources", name, "lists", one) for one in source.lists}
            problems += _unused(project.mappings / SOURCES, lists, known, "on the list")
        for name, select in selecting.items():
            problems += _unselected(project, connection, name, select)
        if groups != "all":
            known = _values(project, connection, "customers", ("group_id",))
            known += [
                name for table in groups_of(project.sources).values() for name in table.values()
            ]
            places: dict[str, Loc] = {
                group: ("customers", "groups", place) for place, group in enumerate(groups)
            }
            problems += _unused(project.mappings / POLICIES, places, known, "in the group")
    return problems


def _unselected(
    project: Project, connection: DuckDBPyConnection, name: str, select: Select
) -> Iterator[Problem]:
    """What the ``select`` of a source names in vain, once a row of it has landed."""
    path, valid = project.mappings / SOURCES, f"valid_{project.sources.sources[name].entity}"
    project.warehouse.bind(connection, valid, project.warehouse.days(valid))
    rows = f"_source = {literal(name)}"
    if not connection.execute(f"{_values_sql(valid, ('source_id',), rows)} limit 1").fetchall():
        return
    lines = read_yaml(path)[1]
    for key, called, columns in (
        ("lists", "list", ("list_name", "list_id")),
        ("ids", "id", ("source_id",)),
    ):
        for place, value in enumerate(getattr(select, key)):
            query = alike_sql(_values_sql(valid, columns, rows))
            alike = [one for [one] in connection.execute(query, [value]).fetchall()]
            if value not in alike:
                text = f"no row of {name} that has landed is of the {called} {value!r}"
                line = line_of(lines, ("sources", name, "select", key, place))
                yield Problem(str(path), line, f"{text}{did_you_mean(value, alike)}")


def _values(
    project: Project,
    connection: DuckDBPyConnection,
    entity: str,
    columns: Iterable[str],
    condition: str = "true",
) -> list[str]:
    """The values of columns of all valid rows that have landed, in their order."""
    relation = f"valid_{entity}"
    project.warehouse.bind(connection, relation, project.warehouse.days(relation))
    rows = connection.execute(_values_sql(relation, columns, condition)).fetchall()
    return [value for [value] in rows]


def _values_sql(relation: str, columns: Iterable[str], condition: str) -> str:
    selects = (
        f"select distinct {column} as value from {relation} where {condition}" for column in columns
    )
    return f"select value from ({' union '.join(selects)}) where value is not null order by value"


def _unused(
    path: Path, names: Mapping[str, Loc], known: list[str], where: str
) -> Iterator[Problem]:
    """The names, each with its place in a file, that are not among what has landed, if any has."""
    unused = [name for name in names if known and name not in known]
    lines = read_yaml(path)[1] if unused else {}
    for name in unused:
        text = f"nobody who has landed is {where} {name!r}{_meant(name, known)}"
        yield Problem(str(path), line_of(lines, names[name]), text)


def _meant(name: str, known: list[str]) -> str:
    for number, group in GROUPS_OF_A_NEW_SHOP.items():
        if group.casefold() == name.casefold() and number in known:
            return (
                f"; write the number that the shop exports: {number}, in a new Magento; or give it"
                f" the name in sources.yaml: groups: {{{number}: {group}}}"
            )
    return did_you_mean(name, known)
