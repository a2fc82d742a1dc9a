"""What people get wrong is told with its file, its line and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import ConfigError, InputError, Problem
from pipelines.sources.land import refused

SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
  shop: {preset: magento_customer, priority: 10}
"""

GOOD = date(2026, 11, 1)
HEADER = "First Name,Last Name,Email,Company\n"
ROWS = HEADER + "Ada,Okafor,ada@acme.example,Acme\n"


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    """One good day; the org is not needed for it."""
    new_chain = make_chain(SOURCES, org=False)
    new_chain.put("people", GOOD, "people.csv", ROWS)
    assert new_chain.run(GOOD).failed_step == "org"
    return new_chain


@pytest.fixture
def day(request: pytest.FixtureRequest) -> date:
    """A day that no other test uses."""
    number = request.session.items.index(request.node)
    return date(2025, 1, 1) + timedelta(days=number)


def _problems(error: BaseException, kind: type[ConfigError]) -> list[Problem]:
    assert type(error) is kind, error
    assert isinstance(error, ConfigError)
    return error.problems


@contextmanager
def _edited(path: Path, old: str, new: str) -> Iterator[None]:
    """A file with one passage changed, as long as it lasts."""
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(before)


FILES = {
    "empty": (b"", None, "empty", "export it again"),
    "other columns": (b"Color,Size\nred,9\n", 1, "misses 'Contact ID' or", "'columns'"),
    "Windows letters": (
        (HEADER + "Zo\xeb,M\xfcller,zoe@acme.example,Acme\n").encode("cp1252"),
        2,
        "utf-8",
        "encoding: cp1252",
    ),
}


@pytest.mark.parametrize("content,line,what,todo", FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read(
    chain: Any, day: date, content: bytes, line: int | None, what: str, todo: str
) -> None:
    path = chain.put("people", day, "people.csv", content)
    assert chain.run(day).failed_step == "org"
    [problem] = refused(chain.project.warehouse, day)
    assert (problem.file, problem.line) == (str(path), line)
    assert what in problem.message
    assert todo in problem.message
    assert chain.read("raw_contacts", day) == []
    assert len(chain.read("valid_contacts", GOOD)) == 1


def test_every_bad_file_of_every_source_is_told_at_once(chain: Any, day: date) -> None:
    bad = [
        chain.put("people", day, "empty.csv", ""),
        chain.put("people", day, "no.pdf", "x"),
        chain.put("shop", day, "customer.csv", "firstname,lastname\nAda,Okafor\n"),
    ]
    chain.put("people", day, "good.csv", ROWS)
    assert chain.run(day).failed_step == "org"
    problems = refused(chain.project.warehouse, day)
    assert sorted(problem.file for problem in problems) == sorted(map(str, bad))
    assert any("email" in problem.message for problem in problems)
    assert len(chain.read("valid_contacts", day)) == 1
    status = chain.causeway("status", "--batch", str(day)).stdout
    assert "3 files could not be read" in status
    assert all(str(path) in status for path in bad)
    document = json.loads(chain.causeway("status", "--batch", str(day), "--json").stdout)
    assert [problem["file"] for problem in document["refused"]] == sorted(map(str, bad))


def test_a_folder_without_a_file(chain: Any, day: date) -> None:
    folder = chain.inbox / "people" / day.isoformat()
    folder.mkdir(parents=True)
    [problem] = _problems(chain.refused(day), InputError)
    assert problem.file == str(folder)
    assert "put the export into it" in problem.message


def test_an_inbox_that_is_not_there(chain: Any, day: date) -> None:
    away = chain.inbox.rename(chain.home / "away")
    try:
        [problem] = _problems(chain.refused(day), InputError)
    finally:
        away.rename(chain.inbox)
    assert problem.file == str(chain.inbox)
    assert "CAUSEWAY_INBOX" in problem.message


def test_a_day_that_landed_stays_when_its_new_file_is_bad(chain: Any) -> None:
    before = chain.read("raw_contacts", GOOD)
    path = chain.inbox / "people" / GOOD.isoformat() / "people.csv"
    with _edited(path, HEADER, "Color,Size\n"):
        assert chain.run(GOOD).failed_step == "org"
        assert len(refused(chain.project.warehouse, GOOD)) == 1
    assert chain.read("raw_contacts", GOOD) == before


YAML = {
    "broken sources": ("sources.yaml", "sources:\n", "sources: [\n", "not valid YAML"),
    "broken mapping": ("contact.yaml", "object: Contact", "object: 'Contact", "not valid YAML"),
    "broken policies": ("policies.yaml", "batches:\n", "batches: {\n", "not valid YAML"),
    "a key of sources": ("sources.yaml", "as: contact", "az: contact", "unknown key 'az'"),
    "a key of a mapping": ("lead.yaml", "where:", "were:", "did you mean 'where'"),
    "a key of policies": ("policies.yaml", "timezone:", "time_zone:", "did you mean 'timezone'"),
    "a value of policies": ("policies.yaml", "as: lead ", "as: account ", "lead"),
    "a key twice": ("account.yaml", "from: accounts", "from: accounts\nfrom: people", "twice"),
    "no such preset": ("sources.yaml", "preset: generic", "preset: genric", "did you mean"),
}


@pytest.mark.parametrize("name,old,new,what", YAML.values(), ids=YAML)
def test_yaml_that_cannot_be_understood(
    chain: Any, name: str, old: str, new: str, what: str
) -> None:
    path = chain.mappings / name
    with _edited(path, old, new):
        problems = _problems(chain.refused(GOOD), ConfigError)
    assert any(what in problem.message for problem in problems), problems
    for problem in problems:
        assert problem.file == str(path)
        assert problem.line is not None
    assert len(chain.read("raw_contacts", GOOD)) == 1


def test_a_mapping_that_is_missing(chain: Any) -> None:
    path = chain.mappings / "lead.yaml"
    away = path.rename(chain.home / "lead.yaml")
    try:
        [problem] = _problems(chain.refused(GOOD), ConfigError)
    finally:
        away.rename(path)
    assert problem.file == str(path)
    assert "no file maps Lead" in problem.message


def test_what_the_org_cannot_take_is_found_before_anything_is_written(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("people", GOOD, "people.csv", ROWS)
    contact, lead, account = (chain.mappings / f"{n}.yaml" for n in ("contact", "lead", "account"))
    with (
        _edited(contact, "  Department:        ", "  Departement:       "),
        _edited(contact, "concat_ws(chr(10), note", "concat_ws((chr(10), note"),
        _edited(contact, "from: title,", "from: titel,"),
        _edited(contact, "Birthdate:         birthdate", "Birthdate:         last_name"),
        _edited(lead, "{from: email, transform", "{from: emial, transform"),
        _edited(lead, "Fax:         fax", "Fax:         faks"),
        _edited(account, "Website:            website", "Websites:           website"),
    ):
        problems = _problems(chain.refused(GOOD), ConfigError)
        messages = "\n".join(map(str, problems))
        for path, fragments in {
            contact: ("Departement", "titel", "concat_ws(("),
            lead: ("emial", "faks"),
            account: ("Websites",),
        }.items():
            for fragment in fragments:
                [line] = [
                    number
                    for number, text in enumerate(path.read_text().splitlines(), start=1)
                    if fragment in text and not text.startswith("#")
                ]
                assert f"{path}:{line}: " in messages, (fragment, messages)
    assert "did you mean Department" in messages
    assert {len(chain.records(name)) for name in ("Account", "Contact", "Lead")} == {0}
    assert len(chain.read("valid_contacts", GOOD)) == 1
    bad = chain.put("shop", GOOD, "customer.csv", "firstname,lastname\nAda,Okafor\n")
    synced = chain.causeway("sync", "--json")
    assert synced.returncode == 1
    [document] = [json.loads(synced.stdout)]
    assert [problem["file"] for problem in document["refused"]] == [str(bad)]
    assert chain.outcomes(GOOD)["Contact"] == {"created": 1}
