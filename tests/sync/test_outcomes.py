"""The SQL of applying: what goes into which file, and how Salesforce's answers are read."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.salesforce.rows import ROW_CODES, RowError
from pipelines.sync.apply import payload
from pipelines.sync.apply.outcomes import failures_sql, verdict_sql
from pipelines.sync.apply.payload import CHANGES, CREATES, Shape
from pipelines.sync.plan.saved import ObjectPlan

PART = ObjectPlan(
    stem="contact",
    object="Contact",
    key_field="Key__c",
    types={"AccountId": "reference", "Title": "string"},
    references={"AccountId": "Account"},
    parent_field="AccountId",
    counts={},
    sha256="",
)


SHAPES = [
    Shape(CREATES, ("AccountId", "Title"), alike=True, keys=False),
    Shape(CHANGES, ("AccountId", "Title"), alike=True, keys=True),
]


@pytest.fixture
def planned(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> Path:
    """300 rows of a plan: creates with parents of this plan, updates of the org, and others."""
    path = tmp_path / "plan.parquet"
    db.execute(
        f"""
        copy (
            select
                'p-' || i as key,
                ['create', 'update', 'adopt', 'unchanged', 'hold'][i % 5 + 1] as action,
                case when i % 5 in (1, 2, 3) then '003' || i end as sf_id,
                case when i % 5 = 4 then 'waits' end as reason,
                case when i % 5 < 3 then ['AccountId', 'Title'] else [] end as changed,
                case when i % 5 = 0 then '@account:a-' || i % 7 else '001' || i % 7 end
                    as "AccountId",
                case when i % 2 = 0 then 'Title, of "' || i || '"' end as "Title"
            from range(300) as t (i)
        ) to '{path}' (format parquet)
        """
    )
    return path


@pytest.fixture
def bound(db: duckdb.DuckDBPyConnection, planned: Path, tmp_path: Path) -> None:
    """The view ``payload``, after an Account phase in which a-6 was rejected."""
    accounts = tmp_path / "accounts.parquet"
    db.execute(
        f"""
        copy (
            select
                'a-' || i as key,
                'create' as action,
                case when i < 6 then 'created' else 'rejected' end as outcome,
                case when i < 6 then '001' || i end as sf_id,
                case when i = 6 then 'data value too large' end as message
            from range(7) as t (i)
        ) to '{accounts}' (format parquet)
        """
    )
    query = payload.payload_sql(PART, planned, {"Account": [accounts]}, barred=False)
    db.execute(f"create view payload as {query}")


@pytest.mark.usefixtures("bound")
def test_children_get_their_parents_ids_or_wait_for_them(db: duckdb.DuckDBPyConnection) -> None:
    marks = db.execute("select count(*) from payload where \"AccountId\" like '@%'").fetchall()
    assert marks == [(0,)]
    waiting = db.execute("select distinct _waits from payload where _waits is not null").fetchall()
    assert waiting == [("its Account a-6 was not written: data value too large",)]
    query = payload.records_sql(PART, SHAPES[0], "payload")
    sent = db.execute(f"select count(*) from ({query})").fetchall()
    waits = sum(i % 5 == 0 and i % 7 == 6 for i in range(300))
    assert sent == [(60 - waits,)]


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("shape", SHAPES)
def test_files_hold_every_row_once_and_no_parent_twice(
    db: duckdb.DuckDBPyConnection, shape: Shape
) -> None:
    files = [
        db.sql(payload.file_sql(PART, shape, "payload", (bucket, 3))).to_arrow_table().to_pylist()
        for bucket in range(3)
    ]
    query = payload.records_sql(PART, shape, "payload")
    sent = db.execute(f"select count(*) from ({query})").fetchall()[0][0]
    assert sum(map(len, files)) == sent > 0
    parents = [{row["AccountId"] for row in rows} for rows in files]
    assert sum(map(len, parents)) == len(set().union(*parents))
    for rows in files:
        order = [row["AccountId"] for row in rows]
        assert order == sorted(order)
    cleared = {row["Title"] for rows in files for row in rows if row["Title"] == "#N/A"}
    assert cleared == {"#N/A"}


@pytest.mark.usefixtures("bound")
def test_an_adopted_row_gets_our_key_and_an_updated_one_keeps_its_own(
    db: duckdb.DuckDBPyConnection,
) -> None:
    query = payload.file_sql(PART, SHAPES[1], "payload", (0, 1))
    rows = db.sql(query).to_arrow_table().to_pylist()
    adopted = {row["Id"] for row in rows if row["Key__c"] is not None}
    expected = db.execute("select sf_id from payload where action = 'adopt'").fetchall()
    assert adopted == {sf_id for (sf_id,) in expected}


@pytest.mark.usefixtures("bound")
def test_the_size_is_never_underestimated(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for shape in SHAPES:
        [(size,)] = db.execute(payload.size_sql(shape, "payload")).fetchall()
        lines = db.execute(f"select count(*) from ({payload.records_sql(PART, shape, 'payload')})")
        [(rows,)] = lines.fetchall()
        path = tmp_path / "rows.csv"
        query = payload.file_sql(PART, shape, "payload", (0, 1))
        db.execute(f"copy ({query}) to '{path}' (format csv, header)")
        assert 0 < path.stat().st_size < size * rows


@pytest.mark.usefixtures("bound")
def test_the_children_of_big_parents_have_a_stream_of_their_own(
    db: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload, "MANY_CHILDREN", 8)
    monkeypatch.setattr(payload, "STREAM", 10)
    shape = SHAPES[0]
    db.execute(f"create table big as {payload.big_parents_sql(PART, shape, 'payload')}")
    big = dict(db.execute("select parent, rows from big").fetchall())
    assert 0 < len(big) < 6
    stream = [
        row["AccountId"]
        for place in range(-(-sum(big.values()) // 10))
        for row in db.sql(payload.stream_sql(PART, shape, "payload", place))
        .to_arrow_table()
        .to_pylist()
    ]
    assert stream == sorted(stream)
    assert {parent: stream.count(parent) for parent in big} == big
    rest = db.sql(payload.file_sql(PART, shape, "payload", (0, 1), big=True))
    assert not {row["AccountId"] for row in rest.to_arrow_table().to_pylist()} & set(big)


ERRORS = [
    "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --",
    "STRING_TOO_LONG:Last Name: data value too large: ££ (max length=80):LastName --",
    "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:Trigger: execution of BeforeInsert\n\ncaused by: x:--",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION:a: b: c:A__c B__c --",
]


@pytest.mark.parametrize("text", ERRORS)
def test_a_bulk_error_is_read_like_the_client_reads_it(
    db: duckdb.DuckDBPyConnection, text: str
) -> None:
    db.execute("create table failed as select 'p-1' as \"Key__c\", $1 as sf__Error", [text])
    query = failures_sql(PART, "failed", CREATES)
    [row] = db.execute(f"select code, message, fields from ({query})").fetchall()
    error = RowError.from_bulk(text)
    assert row == (error.code, error.message, list(error.fields))


def test_an_error_without_any_form_is_kept_as_it_is(db: duckdb.DuckDBPyConnection) -> None:
    db.execute("create table failed as select 'p-1' as \"Key__c\", 'gone wrong' as sf__Error")
    query = failures_sql(PART, "failed", CREATES)
    assert db.execute(f"select code, message, fields from ({query})").fetchall() == [
        ("UNKNOWN", "gone wrong", [])
    ]


MESSAGES = [
    "",
    "unable to obtain exclusive access to this record or 1 records: 0035c",
    "unable to obtain exclusive access to this record or 38 records: 0035c",
    "T: execution of BeforeInsert caused by: System.LimitException: Too many SOQL queries: 101",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_sql_judges_an_error_as_the_client_does(
    db: duckdb.DuckDBPyConnection, message: str
) -> None:
    codes = [*ROW_CODES, "NEVER_SEEN"]
    db.execute("create table said as select unnest($1) as code, $2 as message", [codes, message])
    query = f"select code, {verdict_sql('code', 'message')} from said"
    verdicts = dict(db.execute(query).fetchall())
    assert verdicts == {code: RowError(code, message).verdict for code in codes}


@pytest.mark.usefixtures("bound")
def test_a_digest_tells_what_is_sent_to_which_record(db: duckdb.DuckDBPyConnection) -> None:
    def digests(policy: str) -> dict[str, str]:
        sent = payload.digest(PART.types, policy)
        query = f"select key, {sent} from payload where action = 'create'"
        return dict(db.execute(query).fetchall())

    before = digests("reject")
    assert len(set(before.values())) == len(set(db.execute(
        'select action, "AccountId", "Title" from payload where action = \'create\''
    ).fetchall()))  # fmt: skip
    assert digests("reject") == before
    assert not set(digests("allow").values()) & set(before.values())
