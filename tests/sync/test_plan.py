"""What a plan says: one desired row against one record, decided field by field."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.sync.mapping.compile import CUT_TYPE
from pipelines.sync.mapping.fields import OrgSchema
from pipelines.sync.mapping.model import ObjectMapping, read_mapping
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.plan.build import UNDONE, called, plan_sql
from pipelines.sync.plan.differences import compared, differences_sql
from pipelines.sync.plan.forecast import score
from pipelines.sync.plan.renames import ALONE_REASON, EXCLUDED_REASON, NAMERS
from pipelines.sync.undo import digest_sql

HEAD = "object: Contact\nfrom: people\nkey: Causeway_Key__c\nfields:\n"
Values = dict[str, str | None]
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
        held_new: str | None = None,
        excluded: str | None = None,
        sent: Values | None = None,
        stored: Values | None = None,
        undone: dict[str | None, str | None] | None = None,
        policies: Policies | None = None,
        refused: list[tuple[str, str]] | None = None,
        others: list[Values] | None = None,
        lost: bool = False,
        cut: Values | None = None,
        namer: tuple[str, bool, int | None] | None = None,
        wrong: str | None = None,
        skips: str | None = None,
        alias: str | None = None,
    ) -> tuple[Any, ...]:
        """Plan the one row; ``stored`` is as ``sent`` where it is not given, as after proving."""
        path = self.folder / "contact.yaml"
        path.write_text(HEAD + fields, encoding="utf-8")
        policies = policies or Policies()
        mapping = read_mapping(path, {})
        names = list(mapping.enabled())
        notes = {"_held": held, "_held_new": held_new, "_excluded": excluded}
        self._table("sf_contact", {"key": "p-1", **{n: ours.get(n) for n in names}, **notes})
        self.db.execute("alter table sf_contact add column _cut " + CUT_TYPE)
        if cut:
            self.db.execute("update sf_contact set _cut = [$1]", [cut])
        record = {"Id": "003A", **{name: (theirs or {}).get(name) for name in names}}
        self._table("org_contact", record | {"IsDeleted": "false"})
        for other in others or []:
            names_of = ", ".join(f'"{name}"' for name in (*other, "IsDeleted"))
            marks = ", ".join("?" for _ in (*other, "IsDeleted"))
            self.db.execute(
                f"insert into org_contact ({names_of}) values ({marks})",
                [*other.values(), "false"],
            )
        sf_id = None if theirs is None else "003A"
        self._table("org_match_contact", {"entity_key": "p-1", "sf_id": sf_id, "rule": rule})
        adopt = "true" if rule == "email" or alias else "false"
        self.db.execute(f"alter table org_match_contact add column adopt boolean default {adopt}")
        gone_id = "'003A'" if rule in ("deleted", "merged") else "null"
        self.db.execute(
            f"alter table org_match_contact add column gone_id varchar default {gone_id}"
        )
        for column in (
            "alias varchar", "others varchar[] default []", "decision integer", "wrong varchar",
        ):  # fmt: skip
            self.db.execute(f"alter table org_match_contact add column {column}")
        self.db.execute("update org_match_contact set wrong = $1, alias = $2", [wrong, alias])
        kinds = ", ".join(f"{name} {kind}" for name, kind in NAMERS.items())
        self.db.execute(f"create or replace table namers_contact ({kinds})")
        if namer:
            self.db.execute("insert into namers_contact values ('p-1', ?, ?, ?)", namer)
        self._rows("open_contact", ("waits", "proposed", "decide"), [])
        self._rows("lost_contact", (), [()] if lost else [])
        self._rows("withdrawn_contact", ("sf_id", *called(mapping)), [])
        if rule in ("deleted", "merged"):
            self.db.execute("update org_match_contact set sf_id = null")
        if sf_id is None and rule == "key":
            self.db.execute("delete from org_match_contact")
        if sent is None:  # what was adopted is theirs, what has our key is ours
            sent = {} if rule == "email" else (theirs or {})
        written = [(name, value, (stored or sent)[name]) for name, value in sent.items()]
        self._rows("ledger_contact", ("field", "sent", "stored"), written)
        self._rows("undone_contact", ("field", "value"), list((undone or {}).items()))
        self._rows("scope_contact", ("reason",), [])
        self._rows("skips_contact", ("why",), [(skips,)] if skips else [])
        self.db.execute("alter table skips_contact add column fields varchar[]")
        rejected = [(*refusal, None) for refusal in refused or []]
        self._rows("refused_contact", ("code", "message", "waits"), rejected)
        differences = differences_sql(mapping, self.schema["Contact"], policies)
        self.db.execute(f"create or replace table differences_contact as {differences}")
        query = plan_sql(mapping, self.schema["Contact"], policies)
        self.row = self.db.sql(query).to_arrow_table().to_pylist()[0]
        return tuple(
            dict(self.row[name]) if name == "before" else self.row[name]
            for name in ("action", "changed", "before", "reason")
        )

    def decisions(self) -> dict[str, str]:
        """What the newest plan says of each field."""
        return {change["field"]: change["decision"] for change in self.row["fields"]}

    def _rows(self, name: str, columns: tuple[str, ...], rows: list[Any]) -> None:
        self._table(name, dict.fromkeys(("key", *columns)))
        self.db.execute(f"delete from {name}")
        marks = "".join(", ?" for _ in columns)
        for row in rows:
            self.db.execute(f"insert into {name} values ('p-1'{marks})", row)

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
    waiting = case.plan(fields, {"LastName": None})
    assert waiting == ("hold", [], {}, "LastName is empty, and Salesforce demands it")
    assert case.plan(fields, {"LastName": None}, {"LastName": "Doe"})[0] == "unchanged"


def test_a_reason_of_the_mapping_holds_the_whole_row(case: Case) -> None:
    planned = case.plan(TITLE % "", {"Title": "CEO"}, {"Title": "CTO"}, held="Fax is too long")
    assert planned == ("hold", [], {}, "Fax is too long")


OPT_OUT = "HasOptedOutOfEmail"


def test_an_opt_out_of_the_org_is_never_turned_back_unless_we_wrote_it(case: Case) -> None:
    fields, no, yes = f"  {OPT_OUT}: x\n", {OPT_OUT: "false"}, {OPT_OUT: "true"}
    for sent in ({}, no):  # never written, or as no opt-out
        for keys in ("", ", on_adopt: overwrite, drift: restore, conflict: source"):
            field = f"  {OPT_OUT}: {{from: x{keys}}}\n"
            assert case.plan(field, {**no}, {**yes}, sent={**sent})[0] == "unchanged"
            assert case.decisions() == {OPT_OUT: "consent_kept"}
    assert case.plan(fields, {**no}, {**yes}, sent={**yes})[1] == [OPT_OUT]
    for rule in ("key", "email"):
        planned = case.plan(fields, {**yes}, {**no}, rule=rule)
        assert planned[1] == [OPT_OUT]


@pytest.mark.parametrize(
    ("keys", "sent", "stored", "theirs", "decision", "sends"),
    [
        # neither moved: what an automation made of it is no change
        ("", "ceo", "CEO!", "CEO!", "automation_kept", False),
        (", drift: restore", "ceo", "CEO!", "CEO!", "automation_kept", False),
        # ours only
        ("", "CFO", "CFO", "CFO", "write", True),
        ("", "CFO", "cfo!", "cfo!", "write", True),
        ("", None, None, None, "write", True),
        # theirs only
        ("", "CEO", "CEO", "CTO", "drift_kept", False),
        (", drift: keep", "CEO", "CEO", "CTO", "drift_kept", False),
        (", drift: restore", "CEO", "CEO", "CTO", "restore", True),
        (", drift: review", "CEO", "CEO", "CTO", "review", False),
        ("", "CEO", "CEO", None, "drift_kept", False),
        # both
        ("", "CFO", "CFO", "CTO", "conflict_source", True),
        (", conflict: source", "CFO", "CFO", "CTO", "conflict_source", True),
        (", conflict: salesforce", "CFO", "CFO", "CTO", "conflict_salesforce", False),
        (", conflict: review", "CFO", "CFO", "CTO", "review", False),
        # a value that only fills blanks has no conflicts
        (", when: if_empty", "CFO", "CFO", "CTO", "filled_kept", False),
        (", when: if_empty", "CFO", "CFO", None, "conflict_source", True),
    ],
)
def test_three_ways(
    case: Case, keys: str, sent: str | None, stored: str | None, theirs: str | None,
    decision: str, sends: bool,
) -> None:  # fmt: skip
    ours = "ceo" if sent == "ceo" else "CEO"
    planned = case.plan(
        TITLE % keys, {"Title": ours}, {"Title": theirs},
        sent={"Title": sent}, stored={"Title": stored},
    )  # fmt: skip
    assert case.decisions() == {"Title": decision}
    assert planned[:2] == (("update", ["Title"]) if sends else ("unchanged", []))
    [change] = case.row["fields"]
    assert (change["before"], change["after"], change["sent"]) == (theirs, ours, sent)
    assert change["why"]


@pytest.mark.parametrize(
    ("keys", "theirs", "decision"),
    [
        ("", "CTO", "adopt_kept"),
        ("", None, "fill"),
        (", on_adopt: overwrite", "CTO", "write"),
        (", on_adopt: review", "CTO", "review"),
        (", on_adopt: review", None, "fill"),
    ],
)
def test_what_we_never_wrote_follows_on_adopt(
    case: Case, keys: str, theirs: str | None, decision: str
) -> None:
    for rule, sent in (("key", {"Fax": "1"}), ("email", {})):
        case.plan(TITLE % keys, {"Title": "CEO"}, {"Title": theirs}, rule=rule, sent={**sent})
        assert case.decisions() == {"Title": decision}


def test_equal_is_nothing_to_write_whatever_the_ledger_says(case: Case) -> None:
    ours: Values = {"Title": "CEO"}
    for sent in ({}, {"Title": "CFO"}, {"Title": None}):
        planned = case.plan(TITLE % "", ours, {"Title": " CEO "}, sent={**sent})
        assert (planned, case.row["fields"]) == (("unchanged", [], {}, None), [])


def test_what_was_undone_stays_until_its_value_changes(case: Case) -> None:
    theirs: Values = {"Title": "CTO"}
    for sent in ({}, {"Title": "CEO"}):
        for keys in ("", ", on_adopt: overwrite, drift: restore"):
            planned = case.plan(
                TITLE % keys, {"Title": "CEO"}, theirs, sent={**sent}, undone={"Title": "CEO"}
            )
            assert (planned[0], case.decisions()) == ("unchanged", {"Title": "undone_kept"})
    planned = case.plan(TITLE % "", {"Title": "CFO"}, theirs, undone={"Title": "CEO"})
    assert planned[:2] == ("update", ["Title"])


def test_a_record_that_was_undone_stays_away_until_something_of_it_changes(case: Case) -> None:
    ours: Values = {"Title": "CEO"}
    columns = digest_sql({"Title": "string"}, "wanted")
    [(digest,)] = case.db.execute(
        f"""select {columns} from (select 'CEO' as "Title") as wanted"""
    ).fetchall()
    for rule, theirs in (("key", None), ("deleted", None), ("email", {"Title": "CTO"})):
        planned = case.plan(TITLE % "", ours, theirs, rule=rule, undone={None: digest})
        assert planned == ("unchanged", [], {}, UNDONE)
        assert (
            case.plan(TITLE % "", {"Title": "CFO"}, theirs, rule=rule, undone={None: digest})[0]
            == {"key": "create", "deleted": "create", "email": "adopt"}[rule]
        )
    assert case.plan(TITLE % "", ours, {"Title": "CTO"}, undone={None: digest})[0] == "update"


@pytest.mark.parametrize(
    ("theirs", "sent", "decision", "before"),
    [
        (None, None, "truncated", None),
        ({"Title": "CTO"}, {"Title": "CTO"}, "truncated", "CTO"),
        ({"Title": None}, {}, "truncated", None),
        ({"Title": "CTO"}, {"Title": "CFO"}, "conflict_source", "CTO"),
        ({"Title": "CTO"}, {}, "adopt_kept", "CTO"),
        ({"Title": "CEO"}, {"Title": "CEO"}, None, None),
    ],
)
def test_a_text_that_was_cut_says_so_where_it_is_sent(
    case: Case, theirs: Values | None, sent: Values | None, decision: str | None, before: str | None
) -> None:
    cut: Values = {"field": "Title", "after": "CEO", "why": "cut from 9 to 3 characters"}
    case.plan(TITLE % "", {"Title": "CEO"}, theirs, sent=sent, cut=cut)
    changes = case.row["fields"]
    assert [(change["decision"], change["before"], change["after"]) for change in changes] == (
        [(decision, before, "CEO")] if decision else []
    )
    if decision in ("truncated", "conflict_source"):
        assert changes[0]["why"].endswith("cut from 9 to 3 characters")


STREET, CITY, STATE = "MailingStreet", "MailingCity", "MailingState"
BLOCK = (
    f"  {STREET}: a\n  {CITY}: b\n  {STATE}: c\ngroups: {{address: [{STREET}, {CITY}, {STATE}]}}\n"
)


def block(street: str | None, city: str | None, state: str | None) -> Values:
    return {STREET: street, CITY: city, STATE: state}


HOME, WORK = ("1 High St", "Leeds", None), ("2 Low St", "Austin", "TX")


@pytest.mark.parametrize(
    ("ours", "theirs", "sent", "decision", "sends"),
    [
        (HOME, HOME, HOME, None, []),
        # a block is written whole: what it leaves blank is cleared
        (HOME, WORK, WORK, "write", [STREET, CITY, STATE]),
        (("1 High St", "Leeds", "TX"), WORK, WORK, "write", [STREET, CITY]),
        # one field of it moved in the org: all of it did
        (HOME, ("1 High St", "York", None), HOME, "drift_kept", []),
        (WORK, ("1 High St", "York", None), HOME, "conflict_source", [STREET, CITY, STATE]),
        # it fills only where all of it is blank
        (HOME, (None, None, None), None, "fill", [STREET, CITY]),
        (HOME, (None, "York", None), None, "adopt_kept", []),
        # a blank block says nothing
        ((None, None, None), WORK, WORK, None, []),
    ],
)
def test_a_group_moves_as_one_block(
    case: Case, ours: tuple[str, ...], theirs: tuple[str, ...], sent: tuple[str, ...] | None,
    decision: str | None, sends: list[str],
) -> None:  # fmt: skip
    written = {} if sent is None else {n: v for n, v in block(*sent).items() if v is not None}
    planned = case.plan(BLOCK, block(*ours), block(*theirs), sent=written)
    assert planned[1] == sends
    assert set(case.decisions().values()) == ({decision} if decision else set())


def test_one_undone_field_keeps_its_group(case: Case) -> None:
    case.plan(BLOCK, block(*HOME), block(*WORK), sent={}, undone={CITY: "Leeds"})
    assert set(case.decisions().values()) == {"undone_kept"}


@pytest.mark.parametrize(
    ("fields", "name", "action"),
    [
        ("  AccountId: {lookup: Account, by: x, when: upsert}\n", "AccountId", "move"),
        ("  OwnerId: {lookup: User, by: x, when: upsert}\n", "OwnerId", "reassign"),
    ],
)
def test_another_parent_is_a_move_and_another_owner_a_reassign(
    case: Case, fields: str, name: str, action: str
) -> None:
    ours, theirs = "001000000000002AAA", "001000000000001AAA"
    assert case.plan(fields, {name: ours}, {name: theirs})[:2] == (action, [name])
    assert case.plan(fields, {name: ours}, {name: theirs}, rule="email", sent={name: theirs})[
        0
    ] == ("adopt")
    standing = fields.replace(", when: upsert", "")
    assert case.plan(standing, {name: ours}, {name: theirs})[0] == "unchanged"


AGAIN = "its Contact was deleted in the org, so it is made again (deleted_in_org: recreate)"
GONE = "its Contact was deleted in the org, for good"
MERGED = "its Contact was merged into 003A in the org"
IN_BIN = "its Contact was deleted in the org, and its recycle bin has it no more"


@pytest.mark.parametrize(
    ("policy", "rule", "lost", "expected"),
    [
        ("recreate", "deleted", False, ("create", ["Title"], {}, AGAIN)),
        ("undelete", "deleted", False, ("undelete", ["Title"], {"Title": "CTO"}, None)),
        ("leave", "key", True, ("hold", [], {}, f"{GONE} (deleted_in_org: leave)")),
        (
            "recreate", "key", True,
            ("create", ["Title"], {}, f"{GONE}, so it is made again (deleted_in_org: recreate)"),
        ),
        (
            "undelete", "key", True,
            ("create", ["Title"], {}, f"{GONE}, so it is made again (deleted_in_org: undelete)"),
        ),
        *(
            (policy, "merged", False, ("hold", [], {}, MERGED))
            for policy in ("leave", "recreate", "undelete")
        ),
    ],
)  # fmt: skip
def test_a_record_that_is_gone_follows_the_policy(
    case: Case, policy: str, rule: str, lost: bool, expected: tuple[Any, ...]
) -> None:
    policies = Policies.model_validate({"deleted_in_org": policy})
    theirs: Values | None = {"Title": "CTO"} if rule == "deleted" else None
    planned = case.plan(
        TITLE % "", {"Title": "CEO"}, theirs, rule=rule, lost=lost, policies=policies
    )
    assert planned == expected


def test_what_no_recycle_bin_has_is_made_again(case: Case) -> None:
    undelete = Policies.model_validate({"deleted_in_org": "undelete"})
    refused = [("UNDELETE_FAILED", "Entity is not in the recycle bin")]
    planned = case.plan(
        TITLE % "", {"Title": "CEO"}, {"Title": "CTO"},
        rule="deleted", policies=undelete, refused=refused,
    )  # fmt: skip
    reason = f"{IN_BIN}, so it is made again (deleted_in_org: undelete)"
    assert planned == ("create", ["Title"], {}, reason)
    assert case.row["fields"] == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("Email", "ada@x.org", None),
        ("Email", "ada@x", "INVALID_EMAIL_ADDRESS"),
        ("Email", "a da@x.org", "INVALID_EMAIL_ADDRESS"),
        ("CleanStatus", "Matched", None),
        ("CleanStatus", "Spotless", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("AccountId", "@account:a-1", None),
        ("AccountId", "a-1", "MALFORMED_ID"),
    ],
)
def test_what_describe_rules_out_is_certain_to_be_refused(
    case: Case, field: str, value: str, code: str | None
) -> None:
    keys = ", lookup: Account, by: x" if field == "AccountId" else ", from: x"
    case.plan(f"  {field}: {{{keys[2:]}}}\n", {field: value})
    assert (case.row["forecast"], case.row["forecast_code"]) == (code and "certain", code)
    assert code is None or value in case.row["forecast_message"]


def test_what_is_not_sent_is_not_refused(case: Case) -> None:
    case.plan("  Email: x\n", {"Email": "ada@x"}, {"Email": "ada@x"}, refused=[("A", "b")])
    assert (case.row["action"], case.row["forecast"]) == ("unchanged", None)


def test_what_was_refused_last_time_is_likely_to_be_refused_again(case: Case) -> None:
    case.plan(TITLE % "", {"Title": "CEO"}, refused=[("FIELD_CUSTOM_VALIDATION_EXCEPTION", "no")])
    assert case.row["forecast"] == "likely"
    assert case.row["forecast_code"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def test_a_value_that_another_record_holds_is_a_duplicate(case: Case) -> None:
    unique = replace(case.schema["Contact"]["Title"], unique=True)
    case.schema = {"Contact": {**case.schema["Contact"], "Title": unique}}
    ours: Values = {"Title": "ceo"}
    case.plan(TITLE % "", ours, {"Title": "CEO"})
    assert case.row["forecast"] is None
    case.plan(TITLE % "", ours, {"Title": "CTO"}, others=[{"Id": "003B", "Title": "CEO"}])
    assert (case.row["forecast"], case.row["forecast_code"]) == ("certain", "DUPLICATE_VALUE")
    assert "003B" in case.row["forecast_message"]


def test_a_forecast_is_scored(db: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    payload, outcomes = tmp_path / "plan.parquet", tmp_path / "outcomes.parquet"
    db.execute(
        f"""copy (select * from (values
            ('a', 'certain', 'rejected', 'X'), ('b', 'likely', 'created', null),
            ('c', null, 'rejected', 'TRIGGER'), ('d', null, 'updated', null),
            ('e', 'certain', 'held', null), ('f', 'certain', 'created', null)
        ) as row (key, forecast, outcome, code)) to '{payload}' (format parquet)"""
    )
    db.execute(
        f"copy (select key, outcome, code from '{payload}') to '{outcomes}' (format parquet)"
    )
    scored = score(db, payload, outcomes)
    assert (scored.foretold, scored.rejected, scored.both, scored.wrong) == (3, 2, 1, 1)
    assert (scored.precision, scored.recall, scored.missed) == (1 / 3, 0.5, {"TRIGGER": 1})


def test_the_name_of_an_account_is_kept_unless_the_policy_says_otherwise(
    mappings: dict[str, ObjectMapping], schema: OrgSchema
) -> None:
    overwrite = Policies.model_validate({"customers": {"account_name": "overwrite"}})
    assert "Name" not in compared(mappings["account"], Policies())
    assert "Name" in compared(mappings["account"], overwrite)
    query = plan_sql(mappings["account"], dict(schema["Account"]), Policies())
    assert """case when "Name" is not null then 'Name' end""" in query


NAMES = "  FirstName: first_name\n  LastName: last_name\n  HasOptedOutOfEmail: opted_out\n"
BOB = {"FirstName": "Bob", "LastName": "Jones", "HasOptedOutOfEmail": None}
ANNA = {"FirstName": "Anna", "LastName": "Smith", "HasOptedOutOfEmail": "false"}
WOULD = 'it would be renamed from "Anna Smith" to "Bob Jones"; decisions.csv can let it pass'


def test_nobody_is_renamed_into_somebody_else_without_a_word(case: Case) -> None:
    waiting = ("hold", [], {}, WOULD)
    assert case.plan(NAMES, BOB, ANNA) == waiting
    assert case.row["decide"] == "rename_ok,p-1,"
    assert case.plan(NAMES, BOB, ANNA, namer=("shop:7", False, None)) == waiting
    assert case.row["decide"] == "rename_ok,shop:7,"
    case.plan(NAMES, BOB, ANNA, namer=('shop:7,"8', False, None))
    assert case.row["decide"] == 'rename_ok,"shop:7,""8",'


@pytest.mark.parametrize(
    ("trusted", "line", "why"),
    [(True, None, ", by an id that is trusted"), (False, 9, " as decisions.csv:9 allows")],
)
def test_who_may_be_renamed_is_and_that_is_told(
    case: Case, trusted: bool, line: int | None, why: str
) -> None:
    action, changed, _, reason = case.plan(NAMES, BOB, ANNA, namer=("shop:7", trusted, line))
    assert (action, changed) == ("update", ["FirstName", "LastName"])
    assert reason == f'renamed from "Anna Smith" to "Bob Jones"{why}'
    assert case.row["decide"] is None


def test_names_that_are_not_written_rename_nobody(case: Case) -> None:
    fields = NAMES.replace("first_name", "{from: first_name, when: if_empty}")
    assert case.plan(fields, BOB, ANNA)[:2] == ("update", ["LastName"])
    assert case.plan(NAMES, BOB, ANNA, rule="email")[:2] == ("adopt", [])


OUT = BOB | {"HasOptedOutOfEmail": "true"}


@pytest.mark.parametrize(
    ("given", "reason"),
    [({}, WOULD), ({"held": "Fax is too long"}, "Fax is too long"), ({"wrong": "no"}, "no")],
)
def test_an_opt_out_waits_for_nothing(case: Case, given: dict[str, Any], reason: str) -> None:
    assert case.plan(NAMES, OUT, ANNA, **given) == (
        "update",
        ["HasOptedOutOfEmail"],
        {"HasOptedOutOfEmail": "false"},
        ALONE_REASON + reason,
    )
    assert case.decisions() == {
        "FirstName": "waits",
        "LastName": "waits",
        "HasOptedOutOfEmail": "write",
    }


def test_only_an_opt_out_that_is_news_goes_alone(case: Case) -> None:
    already = ANNA | {"HasOptedOutOfEmail": "true"}
    assert case.plan(NAMES, OUT, already) == ("hold", [], {}, WOULD)
    back = BOB | {"HasOptedOutOfEmail": "false"}
    assert case.plan(NAMES, back, already)[:2] == ("hold", [])
    assert case.plan(NAMES, OUT, ANNA, rule="deleted")[0] == "hold"
    for rule in ("merged", "ambiguous"):  # by which no record is surely theirs
        assert case.plan(NAMES, OUT, None, rule=rule, held="no")[0] == "hold"


@pytest.mark.parametrize("rule", ["key", "alias", "email", "decision", "name_at_account"])
def test_an_opt_out_goes_alone_whichever_rule_found_the_record(case: Case, rule: str) -> None:
    before = {"HasOptedOutOfEmail": "false"}
    if rule == "email":  # a record that carries no key of ours gets none by that
        before["Causeway_Key__c"] = None
    planned = case.plan(NAMES, OUT, ANNA, rule=rule, held="no")
    assert planned[:3] == ("update", ["HasOptedOutOfEmail"], before)


EXCLUDED = "subscribers do not sync"


def test_of_whom_is_not_synced_nothing_is_written_but_an_opt_out(case: Case) -> None:
    kept = ("unchanged", [], {}, EXCLUDED)
    assert case.plan(NAMES, BOB, ANNA, excluded=EXCLUDED) == kept
    assert case.plan(NAMES, BOB, ANNA, rule="email", excluded=EXCLUDED) == kept
    assert case.plan(NAMES, BOB, ANNA, excluded=EXCLUDED, held="no") == kept
    assert case.plan(NAMES, OUT, ANNA, excluded=EXCLUDED) == (
        "update",
        ["HasOptedOutOfEmail"],
        {"HasOptedOutOfEmail": "false"},
        EXCLUDED_REASON + EXCLUDED,
    )
    assert case.decisions() == {"HasOptedOutOfEmail": "write"}


SKIPPED = "left out by --only fair:7"


def test_whom_a_run_leaves_out_waits_where_something_would_be_written(case: Case) -> None:
    skipped = ("skip", [], {}, SKIPPED)
    assert case.plan(NAMES, ANNA, ANNA | {"LastName": "Smyth"}, skips=SKIPPED) == skipped
    assert case.plan(NAMES, BOB, None, skips=SKIPPED) == skipped
    assert case.plan(NAMES, ANNA, ANNA, rule="email", skips=SKIPPED) == skipped
    assert case.plan(NAMES, ANNA, ANNA, skips=SKIPPED)[:2] == ("unchanged", [])
    # Who waits anyway waits for that, and who is not synced is not left out.
    assert case.plan(NAMES, BOB, None, skips=SKIPPED, held="no")[::3] == ("hold", "no")
    kept = case.plan(NAMES, BOB, ANNA, skips=SKIPPED, excluded=EXCLUDED)
    assert kept[::3] == ("unchanged", EXCLUDED)


def test_an_opt_out_goes_whomever_a_run_leaves_out(case: Case) -> None:
    out, before = ["HasOptedOutOfEmail"], {"HasOptedOutOfEmail": "false"}
    alone = ANNA | {"HasOptedOutOfEmail": "true"}
    assert case.plan(NAMES, alone, ANNA, skips=SKIPPED) == ("update", out, before, None)
    more = alone | {"LastName": "Smythe"}
    planned = case.plan(NAMES, more, ANNA, skips=SKIPPED)
    assert planned == ("update", out, before, ALONE_REASON + SKIPPED)
    adopted = case.plan(NAMES, alone, ANNA, rule="email", skips=SKIPPED)
    assert adopted[1] == out
    # That somebody is opted in again is no opt-out.
    back = ANNA | {"HasOptedOutOfEmail": "false"}
    assert case.plan(NAMES, back, alone, skips=SKIPPED)[0] == "skip"


def test_what_is_written_on_a_create_only_holds_only_creates(case: Case) -> None:
    field = "  Title: title\n  Description: {from: note, when: insert}\n"
    ours, theirs = {"Title": "CEO"}, {"Title": "CFO"}
    assert case.plan(field, ours, theirs, held_new="no")[:2] == ("update", ["Title"])
    assert case.plan(field, ours, None, held_new="no") == ("hold", [], {}, "no")


COMPANY = "  AccountId: {lookup: Account, by: account_key, on_miss: hold}\n"


def test_a_contact_says_that_its_company_is_another_one_than_its_account(case: Case) -> None:
    for account in ("001000000000002AAA", "@account:a-2"):
        planned = case.plan(COMPANY, {"AccountId": account}, {"AccountId": "001000000000001AAA"})
        assert planned[:3] == ("unchanged", [], {})
        assert case.decisions() == {"AccountId": "company_differs"}
    for ours, theirs in (("001000000000001", "001000000000001AAA"), (None, "001A"), ("001A", None)):
        assert case.plan(COMPANY, {"AccountId": ours}, {"AccountId": theirs})[:2] == (
            "unchanged",
            [],
        )
        assert case.decisions() == {}
    moves = COMPANY.replace("hold}", "hold, when: upsert}")
    planned = case.plan(
        moves, {"AccountId": "001B"}, {"AccountId": "001A"}, sent={"AccountId": "001A"}
    )
    assert planned[:2] == ("move", ["AccountId"])


def test_a_wrong_decision_holds_its_row(case: Case) -> None:
    assert case.plan(NAMES, ANNA, ANNA, wrong="no") == ("hold", [], {}, "no")


@pytest.mark.parametrize("waits", ["held", "excluded", "skips", None])
def test_the_key_of_somebody_else_is_taken_over_only_by_who_is_written(
    case: Case, waits: str | None
) -> None:
    given = {waits: "it waits"} if waits else {}
    ours, theirs = {"Title": "CEO"}, {"Title": "CTO"}
    action, changed, before, _ = case.plan(
        TITLE % "", ours, theirs, rule="alias", alias="p-0", **given
    )
    if waits is None:
        assert (action, changed) == ("adopt", ["Title"])
        assert before == {"Title": "CTO", "Causeway_Key__c": "p-0"}
    else:
        assert (action != "adopt", changed, before) == (True, [], {})
