"""Mappings held against what they read and what they write, before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import ConfigError
from pipelines.sync.mapping.check import check_mappings
from pipelines.sync.mapping.fields import Field, OrgSchema
from pipelines.sync.mapping.model import ObjectMapping, read_mapping
from pipelines.sync.mapping.owners import Owners, owner_problems

Golden = dict[str, dict[str, str]]

CONTACT = """\
object: Contact
from: people
key: Causeway_Key__c
fields:
  LastName: {from: last_name, default: "[not provided]"}
"""


def test_the_shipped_mappings_have_no_problem(
    mappings: dict[str, ObjectMapping], schema: OrgSchema, golden: Golden
) -> None:
    check_mappings(mappings, schema, golden)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("FirstName: fist_name", "unknown column 'fist_name'; did you mean 'first_name'?"),
        ("Emial: email", "Contact has no field Emial that we may see; did you mean Email?"),
        ("Emial__c: email", "grant it to our user if it is there"),
        ("ReportsToId: {value: Buyer}", "ReportsToId: 'Buyer' is no Id; write the Id of a Contact"),
        ("CleanStatus: {value: matched}", "did you mean 'Matched'?"),
        ("Name: first_name", "Name: the org lets us read it, not write it"),
        ("MailingAddress: mailing_street", "the type address cannot be written"),
        ("Causeway_Key__c: person_key", "this is the key"),
        ("Birthdate: opted_out", "Birthdate takes a date, this gives boolean"),
        ("HasOptedOutOfEmail: {value: perhaps}", "'perhaps' is no yes or no"),
        ("EmailBouncedDate: {value: never}", "'never' is no date and time"),
        ("CleanStatus: {value: Spotless}", "'Spotless' is not in the list: Matched, "),
        (
            "Salutation: {from: salutation, translate: {H: %s}}" % ("x" * 41),
            "41 characters, 40 fit",
        ),
        ("HasOptedOutOfEmail: {from: opted_out, blank: clear}", "does not let be empty"),
        ("Birthdate: {from: birthdate, too_long: truncate}", "too_long belongs to text"),
        ("Title: {from: title, blank: clear, default: x}", "exclude each other"),
        ("AccountId: {lookup: Account, by: acount_key}", "did you mean 'account_key'?"),
        ("AccountId: {lookup: Partner, by: account_key}", "no mapping writes Partner"),
        ("Title: {lookup: User, by: title}", "Title takes a string, not User"),
        ('Title: {sql: "(select 1)"}', "sql: a statement; write one expression"),
        ('Title: {sql: "upper(birthdate)"}', "No function matches"),
        ('Title: {sql: "no_such_function(title)"}', "no_such_function() is none of the functions"),
        ('Title: {sql: "[title]"}', "Title takes a string, this gives varchar[]"),
    ],
)
def test_a_field_that_cannot_work(
    tmp_path: Path,
    mappings: dict[str, ObjectMapping],
    schema: OrgSchema,
    golden: Golden,
    written: str,
    message: str,
) -> None:
    path = tmp_path / "contact.yaml"
    path.write_text(f"{CONTACT}  {written}\n", encoding="utf-8")
    mapping = read_mapping(path, {})
    with pytest.raises(ConfigError) as error:
        check_mappings(mappings | {"contact": mapping}, schema, golden)
    [problem] = error.value.problems
    assert (problem.file, problem.line) == (str(path), 6)
    assert message in problem.message


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("LastName:", "FirstName:", 4, "LastName (Last Name) is required to create a Contact"),
        ("object: Contact", "object: Cntact", 1, "the org has no object Cntact"),
        ("Causeway_Key__c", "No_Key__c", 3, "has no field No_Key__c"),
        ("Causeway_Key__c", "Email", 3, "must be an External Id and unique"),
        ("fields:", "where: rout = 'Contact'\nfields:", 4, "did you mean 'route'?"),
        ("fields:", "where: last_name\nfields:", 4, "where: gives varchar, not boolean"),
        ("fields:", "match: [key, email]\nfields:", 4, "email compares Email; map that field"),
        ("fields:", "match:\n  - key\n  - name\nfields:", 6, "match by name is for accounts"),
        ("fields:", "groups:\n  a: [LastName, City]\nfields:", 5, "City is not mapped here"),
        (
            "fields:",
            "groups: {a: [LastName], b: [LastName]}\nfields:",
            4,
            "LastName is also in the group a",
        ),
        (
            "fields:",
            "groups: {a: [LastName, Fax]}\nfields:\n  Fax: {from: fax, drift: restore}",
            4,
            "one block moves together, but drift differs: Fax restore, LastName keep",
        ),
    ],
)
def test_a_mapping_that_cannot_work(
    tmp_path: Path, schema: OrgSchema, golden: Golden, old: str, new: str, line: int, message: str
) -> None:
    path = tmp_path / "contact.yaml"
    path.write_text(CONTACT.replace(old, new), encoding="utf-8")
    mapping = read_mapping(path, {})
    with pytest.raises(ConfigError) as error:
        check_mappings({mapping.object: mapping}, schema, golden)
    assert (line, True) in {(p.line, message in p.message) for p in error.value.problems}


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        ("Ada@x.org", None),
        ("gone@x.org", "OwnerId: the User gone@x.org is inactive"),
        ("nobody@x.org", "OwnerId: the org has no User nobody@x.org"),
        ("Sales", "OwnerId: Sales is a queue that may not own a Contact"),
        ("slaes", "OwnerId: the org has no User slaes; did you mean 'sales'?"),
    ],
)
def test_a_default_owner_is_an_active_user(
    tmp_path: Path, schema: OrgSchema, owner: str, message: str | None
) -> None:
    path = tmp_path / "contact.yaml"
    path.write_text(f"{CONTACT}  OwnerId: {{lookup: User, default: $DEFAULT_OWNER}}\n")
    mapping = read_mapping(path, {"DEFAULT_OWNER": owner})
    owners = Owners({"ada@x.org": True, "gone@x.org": False}, {"sales": frozenset({"Lead"})})
    problems = list(owner_problems({"contact": mapping}, schema, owners))
    assert [(problem.line, problem.message) for problem in problems] == (
        [(6, message)] if message else []
    )
    assert list(owner_problems({}, schema, owners)) == []


def test_two_faults_of_one_line_are_both_told(
    tmp_path: Path, schema: OrgSchema, golden: Golden
) -> None:
    path = tmp_path / "contact.yaml"
    path.write_text(f"{CONTACT}  Emial: {{from: emial, by: x, on_unknown: keep}}\n")
    with pytest.raises(ConfigError, match=r"by belongs to lookup.*; on_unknown belongs"):
        read_mapping(path, {})
    path.write_text(f"{CONTACT}  Emial: {{from: emial}}\n")
    mapping = read_mapping(path, {})
    with pytest.raises(ConfigError) as error:
        check_mappings({"contact": mapping}, schema, golden)
    assert [(problem.line, problem.message.split(";")[0]) for problem in error.value.problems] == [
        (6, "Contact has no field Emial that we may see"),
        (6, "unknown column 'emial'"),
    ]


def test_a_formula_is_never_planned_on(tmp_path: Path, schema: OrgSchema, golden: Golden) -> None:
    path = tmp_path / "contact.yaml"
    path.write_text(f"{CONTACT}  Grade__c: title\n", encoding="utf-8")
    mapping = read_mapping(path, {})
    grade = Field(
        "Contact", "Grade__c", "Grade", "string",
        length=255, createable=False, updateable=False, calculated=True,
    )  # fmt: skip
    described = {**schema, "Contact": {**schema["Contact"], "Grade__c": grade}}
    with pytest.raises(ConfigError, match="computes it by a formula"):
        check_mappings({mapping.object: mapping}, described, golden)
