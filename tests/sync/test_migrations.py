"""The state's versions: a new one is of the newest, an older one gets there, a newer is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from pipelines.errors import ConfigError
from pipelines.sync.state import BOUND, State, migrations, transaction
from pipelines.warehouse import Warehouse

OLD_OUTCOME = """
create table outcome (
    plan_id varchar not null, object varchar not null, key varchar not null, batch date not null,
    action varchar not null, outcome varchar not null, sf_id varchar, code varchar,
    message varchar, answered_at timestamptz not null
)
"""
"""As it was before the org and the digest were known."""


RECORD = """
create table record (
    record ubigint not null, source varchar not null, source_id varchar not null,
    entity varchar not null, batch date not null, as_of timestamp not null,
    priority integer not null, parent ubigint, email_key ubigint, customer_key ubigint
)
"""
"""The first table that version 1 makes, and all that there is if it was killed then."""


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(Warehouse(tmp_path))


def _make(state: State, *statements: str) -> None:
    """A state's file with whatever these statements make."""
    with duckdb.connect(str(state.path)) as connection:
        for statement in statements:
            connection.execute(statement)


def _migrate(state: State) -> list[str]:
    lines: list[str] = []
    with (
        state.warehouse.connect() as connection,
        state.opened(connection, report=print),
        transaction(connection),
    ):
        migrations.migrate(connection, state.warehouse, migrations.FIRST, lines.append)
    return lines


def _columns(state: State) -> set[tuple[str, ...]]:
    query = "select table_name, column_name, data_type, is_nullable from duckdb_columns()"
    with duckdb.connect(str(state.path)) as connection:
        return set(connection.sql(query).fetchall())


def test_steps_have_one_number_each() -> None:
    numbers = [step.version for step in migrations.steps()]
    assert numbers == [*range(migrations.FIRST + 1, migrations.newest() + 1)]


def test_a_new_state_is_what_the_steps_lead_to(state: State, tmp_path: Path) -> None:
    with state.warehouse.connect() as connection, state.attach(connection):
        assert migrations.version_of(connection) == migrations.newest()
    older = State(Warehouse(tmp_path / "older"))
    older.path.parent.mkdir()
    _make(older, RECORD)
    _migrate(older)
    assert _columns(older) == _columns(state)


def test_a_state_that_a_killed_start_left_half_made_is_completed(state: State) -> None:
    (state.path.parent / BOUND).write_text("00D000000000001")
    outcome = "insert into outcome values ('p', 'Lead', 'k', '2026-11-05', 'hold', 'held',"
    _make(state, RECORD, OLD_OUTCOME, f"{outcome} null, null, 'why', now())")
    assert _migrate(state)[0] == f"{state.path.parent}: the state becomes one of version 2"
    with state.warehouse.connect() as connection, state.attach(connection):
        assert connection.sql("select key from known_outcomes").fetchall() == [("k",)]
        assert connection.sql("from state.person").fetchall() == []


def test_a_state_of_a_newer_version_is_refused(state: State) -> None:
    newer = migrations.newest() + 1
    _make(state, f"create table version as select {newer} as version")
    with (
        state.warehouse.connect() as connection,
        pytest.raises(ConfigError) as caught,
        state.attach(connection),
    ):
        pytest.fail("it was opened")
    for part in (str(state.path), f"version {newer}", f"up to {migrations.newest()}", "--home"):
        assert part in str(caught.value)


def test_a_state_that_was_not_brought_up_yet_is_not_opened(state: State) -> None:
    _make(state, RECORD)
    with (
        state.warehouse.connect() as connection,
        pytest.raises(ConfigError, match=r"is of version 1.*causeway status"),
        state.attach(connection),
    ):
        pytest.fail("it was opened")


def test_another_database_is_no_state(state: State) -> None:
    _make(state, "create table song (title varchar)")
    with (
        state.warehouse.connect() as connection,
        pytest.raises(ConfigError, match="no state of Causeway: it holds song"),
        state.attach(connection),
    ):
        pytest.fail("it was opened")


def test_a_step_that_fails_leaves_the_old_state(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make(state, RECORD)
    before = _columns(state)
    missing = migrations.Step(migrations.newest() + 1, "9999_without_a_file")
    steps = (*migrations.steps(), missing)
    monkeypatch.setattr(migrations, "steps", lambda: steps)
    with pytest.raises(FileNotFoundError, match="9999_without_a_file"):
        _migrate(state)
    assert _columns(state) == before


PYTHON = """
def migrate(connection, warehouse):
    rows = [(len(name),) for name in sorted(path.name for path in warehouse.home.glob("*.txt"))]
    connection.executemany("insert into state.record (record) values (?)", rows)
"""


def test_a_step_in_python_reads_what_lies_in_the_home(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "steps"
    folder.mkdir()
    (folder / "0002_names.py").write_text(PYTHON)
    (folder / "0002_names.sql").write_text("this is for the .py to run")
    (tmp_path / "ada.txt").touch()
    module = ModuleType("names")
    exec(PYTHON, module.__dict__)
    monkeypatch.setattr(migrations, "FOLDER", folder)
    monkeypatch.setitem(sys.modules, f"{migrations.__name__}.0002_names", module)
    _make(state, "create table record (record ubigint not null)")
    _migrate(state)
    with duckdb.connect(str(state.path)) as connection:
        assert connection.sql("from record").fetchall() == [(7,)]
