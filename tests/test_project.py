"""What the steps of a batch share, and what is never asked."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines import config
from pipelines.batch import Batch
from pipelines.project import Project, stage_files
from pipelines.relations import ENTITIES, prepare
from pipelines.sources.land import land
from pipelines.validate.judge import validated

D1, D2 = date(2026, 11, 1), date(2026, 11, 2)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    home: Path = tmp_path_factory.mktemp("home")
    new_project = Project(home, home / "inbox", config.PROJECT / "mappings")
    new_project.inbox.mkdir()
    prepare(new_project)
    return new_project


def test_nothing_is_asked_where_nothing_landed(project: Project) -> None:
    land(project.warehouse, project.sources, project.inbox, D1)
    for file in stage_files("staging"):
        assert Batch(project, D1).run_sql(file).rows == 0
    for entity in ENTITIES:
        verdict = validated(Batch(project, D1), entity)
        assert (verdict.staged, verdict.valid.rows, verdict.rejected.rows) == (0, 0, 0)
        for name in (f"stg_{entity}", f"valid_{entity}", f"rejected_{entity}"):
            path = project.warehouse.path(name, D1)
            assert path.samefile(project.warehouse.schema_file(name))


def test_every_relation_that_needs_another_names_one_that_it_reads() -> None:
    files = [file for stage in ("staging", "resolve", "match") for file in stage_files(stage)]
    assert {file.relation for file in files if file.rows_of} >= {
        f"stg_{entity}" for entity in ENTITIES
    }
    assert all(set(file.rows_of) <= set(file.upstream) for file in files)


def test_nobody_writes_to_the_configuration_that_all_batches_read(project: Project) -> None:
    with Batch(project, D1).connect() as connection:
        before = connection.execute("from config_sources order by all").fetchall()
        with pytest.raises(duckdb.Error):
            connection.execute("insert into config_sources select * from config_sources")
    with Batch(project, D2).connect() as connection:
        assert connection.execute("from config_sources order by all").fetchall() == before != []


def test_each_step_has_the_tables_of_its_own_batch(project: Project) -> None:
    with Batch(project, D1).connect() as first_connection, Batch(project, D2).connect() as other:
        first_connection.execute("insert into config_aliases values ('p-1', ['p-2'])")
        assert other.execute("from config_aliases").fetchall() == []
        assert first_connection.execute("from config_batch").fetchall() == [(D1,)]
        assert other.execute("from config_batch").fetchall() == [(D2,)]
