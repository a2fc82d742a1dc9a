"""What counts as written by us: a row that the org said nothing of may be in the org, too."""

from __future__ import annotations

import duckdb
import pytest

from pipelines.sync.outcomes import ANSWERS, outcomes_sql
from pipelines.sync.state import sql

CHANGED = ["LastName", "Title", "HasOptedOutOfEmail"]


@pytest.fixture
def sent(db: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """Key → fields of ours, after a plan of three opt-outs of which the org answered two."""
    db.execute("attach ':memory:' as state")
    db.execute(sql("state/tables"))
    db.execute("set variable object = 'Contact'")
    db.execute(
        "create table planned as select unnest(['made', 'refused', 'silent', 'again']) as key, "
        "$1::varchar[] as changed, 'true' as \"HasOptedOutOfEmail\"",
        [CHANGED],
    )
    db.execute(
        "create table payload as select key, changed, 'create' as action, null::varchar as sf_id, "
        "null::varchar as reason, null::varchar as _waits from planned"
    )
    columns = ", ".join(f"{name} {kind}" for name, kind in ANSWERS.items())
    db.execute(f"create table answers ({columns})")
    db.execute("insert into answers (key, outcome) values ('made', 'created')")
    db.execute("insert into answers (key, outcome) values ('refused', 'rejected')")
    db.execute("insert into state.sent values ('Contact', 'again', ['Fax', 'HasOptedOutOfEmail'])")
    db.execute(f"create table outcomes as {outcomes_sql('a plan')}")
    db.execute(sql("state/sent"))
    rows = db.execute("select key, fields from state.sent").fetchall()
    return {key: set(fields) for key, fields in rows}


def test_what_the_org_answered_decides(sent: dict[str, set[str]]) -> None:
    assert sent["made"] == set(CHANGED)
    assert "refused" not in sent


def test_what_it_said_nothing_of_is_ours_but_for_its_consent(sent: dict[str, set[str]]) -> None:
    assert sent["silent"] == {"LastName", "Title"}
    assert sent["again"] == {"LastName", "Title", "Fax"}
