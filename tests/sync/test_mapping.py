"""Mappings as people write them: what is read, and what is refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.config import PROJECT
from pipelines.errors import ConfigError
from pipelines.sync.mapping.model import ObjectMapping, json_schema, read_mapping

HEAD = "object: Contact\nfrom: people\nkey: Causeway_Key__c\nfields:\n"


def read(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> ObjectMapping:
    path = tmp_path / "contact.yaml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path, environ or {})


def test_the_short_and_the_long_form_say_the_same(tmp_path: Path) -> None:
    short = read(tmp_path, HEAD + "  LastName: last_name\n")
    long = read(tmp_path, HEAD + "  LastName: {from: last_name}\n")
    assert short.fields["LastName"].from_ == long.fields["LastName"].from_ == "last_name"


def test_fields_that_people_work_with_are_sent_on_creates_only(tmp_path: Path) -> None:
    mapping = read(
        tmp_path,
        HEAD
        + "  LastName: last_name\n"
        + "  AccountId: {lookup: Account, by: account_key}\n"
        + "  OwnerId: {lookup: User, by: owner, when: upsert}\n",
    )
    assert [mapping.when(name) for name in mapping.fields] == ["upsert", "insert", "upsert"]


def test_a_switched_off_field_stays_in_the_file_and_out_of_the_sync(tmp_path: Path) -> None:
    mapping = read(tmp_path, HEAD + "  LastName: last_name\n  Fax: {from: fax, enabled: false}\n")
    assert list(mapping.fields) == ["LastName", "Fax"]
    assert list(mapping.enabled()) == ["LastName"]


def test_values_come_from_the_environment(tmp_path: Path) -> None:
    text = HEAD + "  OwnerId: {lookup: User, default: $DEFAULT_OWNER}\n"
    mapping = read(tmp_path, text, {"DEFAULT_OWNER": "ada@example.com"})
    assert mapping.fields["OwnerId"].default == "ada@example.com"
    with pytest.raises(ConfigError, match=r"contact.yaml:5: DEFAULT_OWNER is not set"):
        read(tmp_path, text)
    off = text.replace("$DEFAULT_OWNER", "$DEFAULT_OWNER, enabled: false")
    assert read(tmp_path, off).enabled() == {}


@pytest.mark.parametrize(
    ("field", "line", "message"),
    [
        ("  Email: {frm: email}", 5, "unknown key 'frm'; did you mean 'from'?"),
        ("  Email: {from: email, from_: x}", 5, "unknown key 'from_'"),
        ("  Email: {from: email, value: x}", 5, "from and value given"),
        ("  Email: {transform: trim}", 5, "none of from, value, sql and lookup given"),
        ("  Email:\n    from: email\n    transform: [shout]", 7, "Input should be 'trim'"),
        ("  Email: {from: email, by: x}", 5, "by belongs to lookup"),
        ("  Email: {from: email, on_unknown: blank}", 5, "on_unknown belongs to translate"),
        ("  OwnerId: {lookup: User}", 5, "a lookup needs by (a column), or a default"),
        ("  OwnerId: {lookup: User, by: x, on_miss: default}", 5, "needs a default"),
        ("  Rating:\n    from: rating\n    drift: kep", 7, "'keep', 'restore' or 'review'"),
        ("  Rating: {from: r, conflict: ours}", 5, "'source', 'salesforce' or 'review'"),
        ("  Rating: {from: r, group: address}", 5, "unknown key 'group'"),
        ("  E-mail: email", 5, "'E-mail' is no API name"),
        ("  Email: email\n  Email: mail", 6, "the key 'Email' stands here twice"),
    ],
)
def test_what_is_refused(tmp_path: Path, field: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, HEAD + field + "\n")
    [problem] = error.value.problems
    assert (Path(problem.file).name, problem.line) == ("contact.yaml", line)
    assert message in problem.message


def test_match_begins_with_our_own_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="match begins with key"):
        read(tmp_path, HEAD.replace("fields", "match: [email]\nfields") + "  A: a\n")


def test_the_schema_for_editors_is_current() -> None:
    path = PROJECT / "mappings" / "mapping.schema.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json_schema(), (
        "write it anew: python -m pipelines.sync.mapping.model > mappings/mapping.schema.json"
    )
