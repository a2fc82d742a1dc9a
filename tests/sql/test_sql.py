"""What stands in a .sql file: documentation, dependencies, and where columns come from."""

from pathlib import Path

import pytest

from pipelines.errors import ConfigError
from pipelines.sql import SqlError, column_lineage, read_sql, tables_of

SCHEMA: dict[str, object] = {
    "raw_a": {"id": "varchar", "x": "varchar", "y": "varchar", "rank": "int"},
    "raw_b": {"id": "varchar", "z": "varchar"},
    "config_batch": {"batch": "date"},
}


def origins(query: str, *columns: str) -> dict[str, list[tuple[str, str]]]:
    return column_lineage(query, SCHEMA, list(columns))


def test_a_file_tells_its_description_owner_columns_and_what_it_reads(tmp_path: Path) -> None:
    path = tmp_path / "stg_a.sql"
    path.write_text(
        "-- One row per a.\n-- More of it.\n-- owner: team:crm\n-- batches: raw_b\n"
        "--   select distinct id from raw_a\n-- x: trimmed\n\n"
        "with a as (select * from raw_a)\n"
        "select a.x from a join raw_b using (id) cross join config_batch;\n"
    )
    file = read_sql(path)
    assert file.relation == "stg_a"
    assert file.description == "One row per a.\nMore of it."
    assert file.owner == "team:crm"
    assert file.columns == {"x": "trimmed"}
    assert file.batches == {"raw_b": "select distinct id from raw_a"}
    assert file.tables == ("config_batch", "raw_a", "raw_b")
    assert file.upstream == ["raw_a", "raw_b"]
    assert file.query.startswith("with a")
    assert not file.query.endswith(";")


def test_a_file_without_a_description_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "stg_a.sql"
    path.write_text("-- owner: team:crm\nselect 1 as x\n")
    with pytest.raises(ConfigError, match=r"stg_a\.sql:1: say in a comment"):
        read_sql(path)


def test_broken_sql_is_refused_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "stg_a.sql"
    path.write_text("-- What it is.\nselect from where\n")
    with pytest.raises(ConfigError, match=r"stg_a\.sql.*not valid SQL"):
        _ = read_sql(path).tables


def test_values_are_followed_through_ctes_and_joins() -> None:
    query = (
        "with a as (select id, trim(x) as x from raw_a), b as (select * from raw_b)"
        " select a.id, coalesce(a.x, b.z) as v, 1 as one from a left join b using (id)"
    )
    assert origins(query, "id", "v", "one") == {
        "id": [("raw_a", "id")],
        "v": [("raw_a", "x"), ("raw_b", "z")],
        "one": [],
    }


def test_unions_by_name_are_followed_by_name() -> None:
    query = (
        "with u as (select x, id from raw_a union all by name select id, z from raw_b)"
        " select id, x, z from u"
    )
    assert origins(query, "id", "x", "z") == {
        "id": [("raw_a", "id"), ("raw_b", "id")],
        "x": [("raw_a", "x")],
        "z": [("raw_b", "z")],
    }


def test_what_only_chooses_among_values_is_no_origin() -> None:
    query = (
        "select arg_min(x, rank) filter (where y is not null) as x,"
        " case when y = 'a' then x end as c, case when y = 'a' then 'yes' end as flag"
        " from raw_a"
    )
    assert origins(query, "x", "c", "flag") == {
        "x": [("raw_a", "x")],
        "c": [("raw_a", "x")],
        "flag": [("raw_a", "y")],
    }


def test_config_tables_are_no_origin() -> None:
    assert origins("select batch, x from raw_a cross join config_batch", "batch", "x") == {
        "batch": [],
        "x": [("raw_a", "x")],
    }


def test_a_cte_may_be_called_as_the_table_it_reads() -> None:
    query = (
        "with recursive people as (select * from people),"
        " up as (select id from people union all select parent from up join steps using (id))"
        " select (select max(id) from limits) from UP"
    )
    assert tables_of(query) == ("limits", "people", "steps")


def test_broken_sql_is_refused_with_its_line() -> None:
    with pytest.raises(SqlError, match="syntax error") as raised:
        tables_of("select 1\nfrom a where (")
    assert raised.value.line == 2
