"""Applying a saved plan to a real org on loopback: the whole way from golden rows to records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.errors import ConfigError
from pipelines.local_org import control
from pipelines.salesforce.budget import Budget
from pipelines.salesforce.connection import load_connection
from pipelines.salesforce.org import Org
from pipelines.sync.apply.answers import Target
from pipelines.sync.apply.journal import Journal
from pipelines.sync.apply.objects import Outcomes, bind_payload, check_ready, send_object
from pipelines.sync.decisions import TABLE
from pipelines.sync.identity import LINK_COLUMNS, OPEN_COLUMNS
from pipelines.sync.ledger import Ledger, write
from pipelines.sync.mapping.compile import desired_sql
from pipelines.sync.mapping.fields import OrgSchema, org_schema, schema_rows
from pipelines.sync.mapping.match import match_sql
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.plan.build import called, open_sql, plan_sql
from pipelines.sync.plan.choice import EVERYTHING
from pipelines.sync.plan.differences import differences_sql
from pipelines.sync.plan.renames import NAMERS
from pipelines.sync.plan.save import Origin, save_plan
from pipelines.sync.plan.saved import Plan, load_plan
from pipelines.sync.plan.skips import skips_sql
from pipelines.sync.snapshot import fields_needed, fields_read, snapshot_soql, snapshot_sql
from pipelines.warehouse import literal, parquet_sql

OBJECTS = ("Account", "Contact", "Lead")


@pytest.fixture(scope="module")
def local_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("org")
    yield home
    control.stop(home)


@pytest.fixture
def org(local_home: Path) -> Iterator[Org]:
    """An org without any record, not even a deleted one."""
    control.reset(local_home)
    yield from connected(local_home)


def connected(home: Path) -> Iterator[Org]:
    local = control.start(home)
    connection = load_connection(None, orgs_file=Path("orgs.yaml"), local=local, environ={})
    with Org(connection) as org:
        yield org


@pytest.fixture(params=["collections", "bulk"])
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both APIs on the same few rows: what follows must not depend on their number."""
    if request.param == "bulk":
        monkeypatch.setattr("pipelines.sync.apply.send.COLLECTIONS_UP_TO", 0)
        monkeypatch.setattr("pipelines.sync.apply.bulk.FILE_AIM", 2_000)  # several jobs


_NONE = "select null::varchar as key, null::varchar as {} where false"


def _nulls(columns: str) -> str:
    """Nulls of typed columns, ``name type, name type``."""
    pairs = (column.split() for column in columns.split(", "))
    return ", ".join(f"null::{kind} as {name}" for name, kind in pairs)


class Sync:
    """One way through match, map, plan and apply, on golden tables that a test has filled."""

    def __init__(
        self,
        home: Path,
        org: Org,
        db: duckdb.DuckDBPyConnection,
        mappings: dict[str, ObjectMapping],
        policies: Policies,
    ) -> None:
        self.home, self.org, self.db = home, org, db
        self.mappings, self.policies = mappings, policies
        self.schema: OrgSchema = org_schema(
            row for name in OBJECTS for row in schema_rows(org.describe(name))
        )
        self.told: list[tuple[str, int, int]] = []

    def plan(self) -> Plan:
        for name, needed in fields_needed(self.mappings).items():
            folder = self.home / "pages" / name
            fields = fields_read(needed, self.schema.get(name, {}))
            pages = self.org.bulk_query(
                snapshot_soql(name, fields), folder, include_deleted=name != "User"
            )
            absent = "".join(f', null as "{one}"' for one in needed if one not in fields)
            records = snapshot_sql(fields, pages)
            self._make(f"org_{name.lower()}", f"select *{absent} from ({records})")
        for mapping in self.mappings.values():
            query = match_sql(mapping, self.mappings, self.policies)
            self._make(f"org_match_{mapping.stem}", query)
        files = {}
        for name, mapping in self.mappings.items():
            schema = self.schema[mapping.object]
            desired = desired_sql(mapping, schema, self.mappings, self.policies)
            self._make(f"sf_{name}", desired)
            self._make(f"differences_{name}", differences_sql(mapping, schema, self.policies))
            ledger = Ledger.of(self.home, mapping.object).sql(f"differences_{name}")
            self._make(f"ledger_{name}", ledger)
            self._make(f"undone_{name}", _NONE.format("field, null::varchar as value"))
            self._make(f"scope_{name}", _NONE.format("reason"))
            refused = _NONE.format("code, null::varchar as message, null::varchar as waits")
            self._make(f"refused_{name}", refused)
            self._make(f"lost_{name}", _NONE.format("sf_id"))
            kinds = ", ".join(f"null::{kind} as {column}" for column, kind in NAMERS.items())
            self._make(f"namers_{name}", f"select {kinds} where false")
            self._make(f"open_{name}", open_sql(mapping))
            self._make(f"skips_{name}", skips_sql(EVERYTHING, mapping, self.mappings))
            named = "".join(f', null::varchar as "{field}"' for field in called(mapping))
            self._make(f"withdrawn_{name}", _NONE.format("sf_id" + named))
            self._make(f"plan_{name}", plan_sql(mapping, schema, self.policies))
            files[name] = self.home / f"plan_{name}.parquet"
            self.db.execute(f"copy plan_{name} to {literal(files[name])} (format parquet)")
        origin = Origin("2026-11-05", self.org.organization_id, self.org.username)
        return save_plan(self.home, origin, files, self.mappings, self.schema)

    def apply(self, plan: Plan) -> dict[str, Outcomes]:
        outcomes: dict[str, Outcomes] = {}
        for name, part in plan.objects.items():
            parents = plan.parents(name)
            outcomes[part.object] = done = self.send(plan, name, parents)
            self._make("outcomes", f"select * from {parquet_sql(done.path)}")
            bind_payload(plan, name, self.db, parents)
            write(
                self.db, Ledger.of(self.home, part.object), plan.plan_id, part,
                payload="payload", outcomes="outcomes",
            )  # fmt: skip
        return outcomes

    def send(self, plan: Plan, name: str, parents: dict[str, list[Path]]) -> Outcomes:
        check_ready(plan, name, self.org.organization_id, self.db, parents)
        bind_payload(plan, name, self.db, parents)
        target = Target(plan.objects[name], plan.created_at, Budget(lambda: None))
        return send_object(plan, target, self.org, self.db, lambda *said: self.told.append(said))

    def rows(self, outcomes: Outcomes, *columns: str) -> list[tuple[Any, ...]]:
        listed = ", ".join(columns)
        return self.db.execute(
            f"select {listed} from {parquet_sql(outcomes.path)} order by key"
        ).fetchall()

    def _make(self, relation: str, query: str) -> None:
        self.db.execute(f"create or replace table {relation} as {query}")


@pytest.fixture
def sync(
    tmp_path: Path,
    org: Org,
    db: duckdb.DuckDBPyConnection,
    mappings: dict[str, ObjectMapping],
    policies: Policies,
    golden: dict[str, dict[str, str]],
) -> Sync:
    for name, columns in golden.items():
        listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        db.execute(f"create table {name} ({listed})")
    routes = ("entity_key", "sobject", "reason", "excluded")
    db.execute(f"create table routes ({', '.join(f'{name} varchar' for name in routes)})")
    db.execute(f"create table config_decisions ({TABLE})")
    for name, kinds in (("person_links", LINK_COLUMNS), ("open_identities", OPEN_COLUMNS)):
        listed = ", ".join(f"{column} {kind}" for column, kind in kinds.items())
        db.execute(f"create table {name} ({listed})")
    return Sync(tmp_path, org, db, mappings, policies)


def people(db: duckdb.DuckDBPyConnection, count: int, route: str = "Contact") -> None:
    """``count`` people with awkward values; each of the first half has an account of their own."""
    db.execute(
        """
        insert into people by name
        select
            format('p-{:06d}', i) as person_key,
            'Zoë, "Z"' as first_name,
            'Ørsted ' || i as last_name,
            format('zoe{}@example.com', i) as email,
            '1 High Street' || chr(10) || 'Flat ' || i as mailing_street,
            date '1980-02-29' as birthdate,
            i % 2 = 0 as opted_out
        from range($1) as t (i)
        """,
        [count],
    )
    db.execute(
        "insert into account_links by name select format('p-{:06d}', i) as person_key, "
        "format('a-{:06d}', i) as account_key from range($1 // 2) as t (i)",
        [count],
    )
    db.execute(
        "insert into accounts by name select account_key, 'Company ' || account_key as name, "
        "false as name_generated from account_links"
    )
    db.execute(
        "insert into routes by name select person_key as entity_key, $1 as sobject from people "
        "union all select account_key, 'Account' from accounts",
        [route],
    )


def counts(outcomes: dict[str, Outcomes]) -> dict[str, dict[str, int]]:
    return {
        name: {outcome: rows for outcome, rows in done.counts.items() if rows}
        for name, done in outcomes.items()
    }


@pytest.mark.parametrize("count", [40, 4200], ids=["collections", "bulk"])
def test_what_is_planned_arrives_byte_for_byte_and_the_second_run_sends_nothing(
    sync: Sync, count: int
) -> None:
    people(sync.db, count)
    first = counts(sync.apply(sync.plan()))
    assert first == {"Account": {"created": count // 2}, "Contact": {"created": count}, "Lead": {}}
    assert ("Contact", count, count) in sync.told

    fields = "FirstName, LastName, MailingStreet, Birthdate, HasOptedOutOfEmail, Account.Name"
    [record] = sync.org.query(f"select {fields} from Contact where Causeway_Key__c = 'p-000003'")
    assert record == {
        "FirstName": 'Zoë, "Z"',
        "LastName": "Ørsted 3",
        "MailingStreet": "1 High Street\nFlat 3",
        "Birthdate": "1980-02-29",
        "HasOptedOutOfEmail": False,
        "Account": {"Name": "Company a-000003"},
    }

    again = sync.plan()
    assert {name: part.counts["unchanged"] for name, part in again.objects.items()} == {
        "account": count // 2, "contact": count, "lead": 0,
    }  # fmt: skip
    sync.told.clear()
    assert counts(sync.apply(again)) == {
        "Account": {"unchanged": count // 2}, "Contact": {"unchanged": count}, "Lead": {},
    }  # fmt: skip
    assert {total for _, _, total in sync.told} == {0}


@pytest.mark.usefixtures("api")
def test_only_what_changed_is_sent(sync: Sync) -> None:
    count = 40
    people(sync.db, count)
    sync.apply(sync.plan())
    sync.org.rest.Contact.update(_id_of(sync.org, "p-000007"), {"Title": "Set by sales"})
    sync.db.execute("update people set department = 'Sales', mailing_city = 'Århus'")
    plan = sync.plan()
    assert plan.objects["contact"].counts["update"] == count
    done = sync.apply(plan)
    assert counts(done)["Contact"] == {"updated": count}
    [record] = sync.org.query(
        "select Title, Department, MailingCity, LastName from Contact "
        "where Causeway_Key__c = 'p-000007'"
    )
    assert record == {
        "Title": "Set by sales", "Department": "Sales", "MailingCity": "Århus",
        "LastName": "Ørsted 7",
    }  # fmt: skip


@pytest.mark.usefixtures("api")
def test_a_rejected_row_stops_no_other_and_its_children_are_held(sync: Sync) -> None:
    count = 40
    people(sync.db, count)
    sync.db.execute("update people set email = 'not an address' where person_key = 'p-000001'")
    sync.db.execute(
        "insert into people by name select 'p-lonely' as person_key, 'Lonely' as last_name"
    )
    sync.db.execute(
        "insert into account_links by name select 'p-lonely' as person_key, "
        "'a-nameless' as account_key"
    )
    sync.db.execute("insert into accounts by name select 'a-nameless' as account_key")
    sync.db.execute(
        "insert into routes (entity_key, sobject)"
        " values ('a-nameless', 'Account'), ('p-lonely', 'Contact')"
    )
    done = sync.apply(sync.plan())
    assert counts(done)["Account"] == {"created": count // 2, "held": 1}
    assert counts(done)["Contact"] == {"created": count - 1, "rejected": 1, "held": 1}
    outcomes = {
        row[0]: row[1:]
        for row in sync.rows(done["Contact"], "key", "outcome", "code", "fields", "message")
    }
    assert outcomes["p-000001"][:3] == ("rejected", "INVALID_EMAIL_ADDRESS", ["Email"])
    assert outcomes["p-lonely"] == (
        "held", "PARENT", [],
        "its Account a-nameless was not written: Name is empty, and Salesforce demands it",
    )  # fmt: skip


def test_the_children_of_a_big_parent_go_one_job_after_the_other(
    sync: Sync, local_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an org where jobs that write children of one account at once lock each other out."""
    monkeypatch.setattr("pipelines.sync.apply.send.COLLECTIONS_UP_TO", 0)
    monkeypatch.setattr("pipelines.sync.apply.bulk.FILE_AIM", 2_000)
    monkeypatch.setattr("pipelines.sync.apply.payload.MANY_CHILDREN", 8)
    monkeypatch.setattr("pipelines.sync.apply.payload.STREAM", 5)
    people(sync.db, 40)
    sync.db.execute(
        "insert into account_links by name select person_key, 'a-000000' as account_key "
        "from people where person_key not in (select person_key from account_links)"
    )
    setup = local_home / "org.yaml"
    shipped = setup.read_text()
    control.stop(local_home)
    setup.write_text(shipped.replace("lock_contention: false", "lock_contention: true"))
    control.start(local_home)
    try:
        plan = sync.plan()
        done = sync.apply(plan)
    finally:
        setup.write_text(shipped)
        control.stop(local_home)
    assert counts(done)["Contact"] == {"created": 40}
    assert set(sync.rows(done["Contact"], "attempts")) == {(1,)}
    jobs = [chunk for chunk in Journal.of(plan.folder, "contact").chunks() if chunk.kind == "bulk"]
    assert len(jobs) > 21 // 5


def test_a_record_of_the_org_is_adopted_and_only_its_blanks_are_filled(sync: Sync) -> None:
    people(sync.db, 2)
    sync.org.rest.Contact.create(
        {"LastName": "ORSTED 1", "Email": "ZOE1@example.com", "Title": None}
    )
    sync.db.execute("update people set title = 'Director' where person_key = 'p-000001'")
    plan = sync.plan()
    assert plan.objects["contact"].counts == {
        "create": 1, "adopt": 1, "undelete": 0, "update": 0, "move": 0, "reassign": 0,
        "unchanged": 0, "hold": 0, "skip": 0,
    }  # fmt: skip
    assert counts(sync.apply(plan))["Contact"] == {"created": 1, "updated": 1}
    [record] = sync.org.query(
        "select LastName, Title, Causeway_Key__c from Contact where Email = 'zoe1@example.com'"
    )
    assert record == {
        "LastName": "ORSTED 1", "Title": "Director", "Causeway_Key__c": "p-000001",
    }  # fmt: skip

    # Later runs know what is theirs: only what we wrote ourselves follows our sources.
    assert counts(sync.apply(sync.plan()))["Contact"] == {"unchanged": 2}
    sync.db.execute("update people set title = 'Chair' where person_key = 'p-000001'")
    assert counts(sync.apply(sync.plan()))["Contact"] == {"unchanged": 1, "updated": 1}
    [record] = sync.org.query(
        "select LastName, Title from Contact where Causeway_Key__c = 'p-000001'"
    )
    assert record == {"LastName": "ORSTED 1", "Title": "Chair"}


def test_an_opt_out_made_in_the_org_outlives_an_older_subscription(sync: Sync) -> None:
    people(sync.db, 2)  # p-000000 says no to the newsletter, p-000001 yes
    sync.apply(sync.plan())
    opted_out = "select Causeway_Key__c, HasOptedOutOfEmail from Contact order by Causeway_Key__c"

    def org() -> list[bool]:
        return [record["HasOptedOutOfEmail"] for record in sync.org.query(opted_out)]

    [contact] = sync.org.query("select Id from Contact where Causeway_Key__c = 'p-000001'")
    sync.org.rest.Contact.update(contact["Id"], {"HasOptedOutOfEmail": True})
    sync.apply(sync.plan())
    assert org() == [True, True]

    # The opt-out that came from our sources is taken back when they say so, once.
    sync.db.execute("update people set opted_out = false")
    sync.apply(sync.plan())
    assert org() == [False, True]
    [contact] = sync.org.query("select Id from Contact where Causeway_Key__c = 'p-000000'")
    sync.org.rest.Contact.update(contact["Id"], {"HasOptedOutOfEmail": True})
    sync.apply(sync.plan())
    assert org() == [True, True]


def test_a_deleted_record_is_held_and_not_made_again(sync: Sync) -> None:
    people(sync.db, 2, route="Lead")
    sync.apply(sync.plan())
    [lead] = sync.org.query("select Id, Company, LeadSource from Lead where LastName = 'Ørsted 1'")
    assert (lead["Company"], lead["LeadSource"]) == ("[not provided]", "Web")
    sync.org.rest.Lead.delete(lead["Id"])
    done = sync.apply(sync.plan())
    assert counts(done)["Lead"] == {"unchanged": 1, "held": 1}
    assert sync.rows(done["Lead"], "outcome", "message")[1] == (
        "held", "its Lead was deleted in the org (deleted_in_org: leave)",
    )  # fmt: skip


def test_a_job_that_fails_rejects_its_rows_with_the_reason(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.sync.apply.send.COLLECTIONS_UP_TO", 0)
    people(sync.db, 3, route="Lead")
    plan = sync.plan()
    types = {"Vanished__c" if name == "Company" else name: kind
             for name, kind in plan.objects["lead"].types.items()}  # fmt: skip
    folder = sync.home / "since-then-the-org-lost-a-field"
    folder.mkdir()
    sync.db.execute(
        f"""copy (
            select * replace (list_append(changed, 'Vanished__c') as changed)
            rename ("Company" as "Vanished__c") from plan_lead
        )
        to {literal(folder / "lead.parquet")} (format parquet)"""
    )
    lead = replace(plan.objects["lead"], types=types)
    plan = replace(plan, folder=folder, objects={"lead": lead})
    done = sync.send(plan, "lead", {})
    assert done.counts["rejected"] == 3
    for outcome, code, message in sync.rows(done, "outcome", "code", "message"):
        assert (outcome, code) == ("rejected", "JOB_FAILED")
        assert "Vanished__c" in message


def test_applying_a_plan_twice_makes_no_second_record(sync: Sync) -> None:
    people(sync.db, 10)
    plan = sync.plan()
    sync.apply(plan)
    sync.told.clear()
    assert counts(sync.apply(plan))["Contact"] == {"created": 10}
    assert {total for _, _, total in sync.told} == {0}
    assert len(list(sync.org.query("select Id from Contact"))) == 10


def test_a_plan_of_another_org_is_refused(sync: Sync) -> None:
    plan = sync.plan()
    with pytest.raises(ConfigError, match="plan again for this org"):
        check_ready(plan, "account", "00D000000000000AAA", sync.db, {})


def _edit_header(plan: Plan) -> Path:
    path = plan.folder / "header.json"
    path.write_text(path.read_text().replace("2026-11-05", "2026-11-06", 1))
    return path


def _edit_payload(plan: Plan) -> Path:
    path = plan.payload("lead")
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content + b" ")
    return path


@pytest.mark.parametrize("edit", [_edit_header, _edit_payload])
def test_an_edited_plan_is_refused(sync: Sync, edit: Callable[[Plan], Path]) -> None:
    plan = sync.plan()
    assert load_plan(sync.home, plan.plan_id) == plan
    path = edit(plan)
    with pytest.raises(ConfigError, match="changed after it was saved") as error:
        load_plan(sync.home, plan.plan_id)
    assert str(path) in str(error.value)


def _id_of(org: Org, key: str) -> str:
    [record] = org.query(f"select Id from Contact where Causeway_Key__c = '{key}'")
    return str(record["Id"])
