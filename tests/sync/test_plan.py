"""What a plan says: one desired row against one record, decided field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.sync.fields import Field, OrgSchema
from pipelines.sync.mapping import ObjectMapping, read_mapping
from pipelines.sync.plan import plan_sql
from pipelines.sync.policies import Policies

HEAD = "object: Contact\nfrom: people\nkey: Causeway_Key__c\nfields:\n"
Planned = tuple[str, list[str], dict[str, str | None]]


class Case:
    """A mapping of one or two fields, one desired row and at most one record."""

    def __init__(self, db: duckdb.DuckDBPyConnection, schema: OrgSchema, folder: Path) -> None:
        self.db, self.schema, self.folder = db, schema, folder

    def plan(
        self,
        fields: str,
        ours: dict[str, str | None],
        theirs: dict[str, str | None] | None = None,
        *,
        rule: str = "key",
        held: str | None = None,
        sent: list[str] | None = None,
    ) -> tuple[Any, ...]:
        path = self.folder / "contact.yaml"
        path.write_text(HEAD + fields, encoding="utf-8")
        mapping = read_mapping(path, {})
        names = list(mapping.enabled())
        self._table("sf_contact", {"key": "p-1", **{n: ours.get(n) for n in names}, "_held": held})
        record = {"Id": "003A", **{name: (theirs or {}).get(name) for name in names}}
        self._table("org_contact", record)
        sf_id = None if theirs is None else "003A"
        self._table("org_match_contact", {"entity_key": "p-1", "sf_id": sf_id, "rule": rule})
        adopt = "true" if rule == "email" else "false"
        self.db.execute(f"alter table org_match_contact add column adopt boolean default {adopt}")
        if sf_id is None and rule == "key":
            self.db.execute("delete from org_match_contact")
        if sent is None:  # what was adopted is theirs, what has our key is ours
            sent = [] if rule == "email" else list(names)
        self.db.execute(
            "create or replace table sent_contact as select 'p-1' as key, $1::varchar[] as fields",
            [sent],
        )
        query = plan_sql(mapping, self.schema["Contact"], Policies())
        [row] = self.db.execute(f"select action, changed, before, reason from ({query})").fetchall()
        return row

    def _table(self, name: str, row: dict[str, str | None]) -> None:
        columns = ", ".join(f'"{column}" varchar' for column in row)
        self.db.execute(f"create or replace table {name} ({columns})")
        marks = ", ".join("?" for _ in row)
        self.db.execute(f"insert into {name} values ({marks})", list(row.values()))


@pytest.fixture
def case(db: duckdb.DuckDBPyConnection, schema: OrgSchema, tmp_path: Path) -> Case:
    return Case(db, schema, tmp_path)


TITLE = "  Title: {from: title%s}\n"


@pytest.mark.parametrize(
    ("keys", "ours", "theirs", "rule", "expected"),
    [
        ("", "CEO", None, "key", ("create", ["Title"], {})),
        ("", None, None, "key", ("create", [], {})),
        ("", "CEO", "CEO", "key", ("unchanged", [], {})),
        ("", "CEO", "CTO", "key", ("update", ["Title"], {"Title": "CTO"})),
        ("", "CEO", "", "key", ("update", ["Title"], {"Title": ""})),
        ("", None, "CTO", "key", ("unchanged", [], {})),
        (", blank: clear", None, "CTO", "key", ("update", ["Title"], {"Title": "CTO"})),
        (", blank: clear", None, None, "key", ("create", [], {})),
        (", when: insert", "CEO", None, "key", ("create", ["Title"], {})),
        (", when: insert", "CEO", "CTO", "key", ("unchanged", [], {})),
        (", when: update", "CEO", None, "key", ("create", [], {})),
        (", when: update", "CEO", "CTO", "key", ("update", ["Title"], {"Title": "CTO"})),
        (", when: if_empty", "CEO", "CTO", "key", ("unchanged", [], {})),
        (", when: if_empty", "CEO", None, "key", ("create", ["Title"], {})),
        (", default: CEO", "CEO", "CTO", "key", ("unchanged", [], {})),
        (", default: Boss", "CEO", "CTO", "key", ("update", ["Title"], {"Title": "CTO"})),
        ("", "CEO", "CTO", "email", ("adopt", [], {})),
        (", on_adopt: overwrite", "CEO", "CTO", "email", ("adopt", ["Title"], {"Title": "CTO"})),
        (", blank: clear", None, "CTO", "email", ("adopt", [], {})),
    ],
)
def test_when_a_field_is_sent(
    case: Case, keys: str, ours: str | None, theirs: str | None, rule: str, expected: Planned
) -> None:
    record = None if expected[0] == "create" else {"Title": theirs}
    *planned, reason = case.plan(TITLE % keys, {"Title": ours}, record, rule=rule)
    assert (*planned, reason) == (*expected, None)


@pytest.mark.parametrize(("keys", "sends"), [("", True), (", when: if_empty", True)])
def test_a_blank_of_the_org_is_filled(case: Case, keys: str, sends: bool) -> None:
    for rule, action in (("key", "update"), ("email", "adopt")):
        planned = case.plan(TITLE % keys, {"Title": "CEO"}, {"Title": None}, rule=rule)
        assert planned == (action, ["Title"] if sends else [], {"Title": None}, None)


@pytest.mark.parametrize(
    ("field", "ours", "theirs"),
    [
        ("Phone", "+1 415 555-0100", "(1) 415.555.0100"),
        ("Email", "ada@x.org", "Ada@X.org"),
        ("MailingStreet", "1 High St\nFlat 2", "1 High St\r\nFlat 2  "),
        ("HasOptedOutOfEmail", "false", "False"),
        ("EmailBouncedDate", "2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05.000+0000"),
        ("LeadSource", "Web", "web"),
    ],
)
def test_two_spellings_of_one_value_are_no_change(
    case: Case, field: str, ours: str, theirs: str
) -> None:
    planned = case.plan(f"  {field}: x\n", {field: ours}, {field: theirs})
    assert planned == ("unchanged", [], {}, None)


@pytest.mark.parametrize(("ours", "theirs"), [("n/a", "none"), ("0100", "100"), ("ext. 1", "1 2")])
def test_phones_that_differ_stay_different(case: Case, ours: str, theirs: str) -> None:
    assert case.plan("  Phone: x\n", {"Phone": ours}, {"Phone": theirs})[0] == "update"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("ambiguous", "ambiguous: somebody else of ours matches the same Contact of the org"),
        ("deleted", "its Contact was deleted in the org (deleted_in_org: leave)"),
        ("converted", "its Contact was converted in the org"),
    ],
)
def test_what_the_match_found_holds_a_row(case: Case, rule: str, reason: str) -> None:
    planned = case.plan(TITLE % "", {"Title": "CEO"}, rule=rule)
    assert planned == ("hold", [], {}, reason)


def test_a_create_without_a_required_value_is_held_and_an_update_is_not(case: Case) -> None:
    fields = "  LastName: last_name\n"
    held = case.plan(fields, {"LastName": None})
    assert held == ("hold", [], {}, "LastName is empty, and Salesforce demands it")
    assert case.plan(fields, {"LastName": None}, {"LastName": "Doe"})[0] == "unchanged"


def test_a_reason_of_the_mapping_holds_the_whole_row(case: Case) -> None:
    planned = case.plan(TITLE % "", {"Title": "CEO"}, {"Title": "CTO"}, held="Fax is too long")
    assert planned == ("hold", [], {}, "Fax is too long")


def test_an_opt_out_of_the_org_is_never_turned_back_unless_we_wrote_it(case: Case) -> None:
    fields, no, yes = "  HasOptedOutOfEmail: x\n", {"HasOptedOutOfEmail": "false"}, "true"
    theirs: dict[str, str | None] = {"HasOptedOutOfEmail": yes}
    assert case.plan(fields, {**no}, theirs, sent=[])[0] == "unchanged"
    assert case.plan(fields, {**no}, theirs, sent=["HasOptedOutOfEmail"])[0] == "update"
    for rule in ("key", "email"):
        planned = case.plan(fields, {**theirs}, {**no}, rule=rule)
        assert planned[1] == ["HasOptedOutOfEmail"]


def test_what_we_never_sent_stays_as_it_was_found(case: Case) -> None:
    ours: dict[str, str | None] = {"Title": "CEO"}
    theirs: dict[str, str | None] = {"Title": "CTO"}
    assert case.plan(TITLE % "", ours, theirs, sent=[])[0] == "unchanged"
    assert case.plan(TITLE % "", ours, theirs, sent=["Title"])[0] == "update"


def test_the_name_of_an_account_is_kept_unless_the_policy_says_otherwise(
    mappings: dict[str, ObjectMapping], schema: OrgSchema
) -> None:
    fields: dict[str, Field] = dict(schema["Account"])
    overwrite = Policies.model_validate({"customers": {"account_name": "overwrite"}})
    kept, written = (
        plan_sql(mappings["Account"], fields, policies) for policies in (Policies(), overwrite)
    )
    assert """case when sf_id is null and "Name" is not null then 'Name' end""" in kept
    assert '"Name" = "_was_Name"' in written
