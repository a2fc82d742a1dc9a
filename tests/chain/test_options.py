"""What mappings say of owners, Ids and values that fail is told before anything is written."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import PROJECT
from pipelines.errors import ConfigError

DAY = date(2026, 11, 5)
SOURCES = "sources:\n  fair: {entity: contacts, preset: generic, as: lead}\n"
HEAD = "Contact ID,First Name,Last Name,Company,Email,Nickname\n"
ROWS = HEAD + (
    "1,Iris,Hale,Hale Ltd,iris@hale.example,left@hale.example\n"
    "2,Jon,Hale,Hale Ltd,jon@hale.example,north_queue\n"
    "3,Kit,Hale,Hale Ltd,kit@hale.example,nobody@hale.example\n"
    "4,Lou,Hale,Hale Ltd,lou@hale.example,account_queue\n"
)
ORG = """
users:
  - {last_name: Left, email: left@hale.example, username: left@hale.example, active: false}
record_types:
  - {object: Contact, developer_name: Buyer, name: Buyer}
queues:
  - {name: North, developer_name: north_queue}
  - {name: Accounts, developer_name: account_queue, objects: [Case]}
"""


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    """A pipeline with an org that knows a user who left, and two queues."""
    new_chain = make_chain(SOURCES, org=False)
    folder = new_chain.project.local_org
    folder.mkdir(parents=True)
    setup = (PROJECT / "pipelines/local_org/catalog/org.yaml").read_text()
    for line in ("users: []\n", "queues: []\n", "record_types: []\n"):
        setup = setup.replace(line, "")
    (folder / "org.yaml").write_text(setup + ORG)
    new_chain.start_org()
    new_chain.put("fair", DAY, "fair.csv", ROWS)
    return new_chain


def mapped(chain: Any, stem: str, line: str) -> int:
    """Put a line among the fields of a mapping, in place of its owner; where it stands."""
    path = chain.mappings / f"{stem}.yaml"
    text = (PROJECT / "mappings" / f"{stem}.yaml").read_text()
    lines = [one for one in text.splitlines() if "OwnerId:" not in one]
    at = lines.index("fields:") + 1
    path.write_text("\n".join([*lines[:at], f"  {line}", *lines[at:]]) + "\n")
    return at + 1


def refused(chain: Any) -> list[tuple[str, int | None, str]]:
    error = chain.refused(DAY)
    assert isinstance(error, ConfigError), error
    return [(Path(p.file).name, p.line, p.message) for p in error.problems]


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        ("left@hale.example", "OwnerId: the User left@hale.example is inactive"),
        ("nobody@hale.example", "OwnerId: the org has no User nobody@hale.example"),
        ("account_queue", "OwnerId: account_queue is a queue that may not own a Lead"),
        ("nort_queue", "OwnerId: the org has no User nort_queue; did you mean 'north_queue'?"),
    ],
)
def test_nobody_is_made_without_the_owner_who_is_meant(
    chain: Any, owner: str, message: str
) -> None:
    line = mapped(chain, "lead", f"OwnerId: {{lookup: User, default: {owner}}}")
    assert refused(chain) == [("lead.yaml", line, message)]
    ran = chain.causeway("check")
    assert (ran.returncode, f"lead.yaml:{line}: {message}" in ran.stderr) == (2, True)


def test_what_fails_at_a_row_names_the_line_and_the_row(chain: Any) -> None:
    line = mapped(chain, "lead", "Industry: {sql: \"strptime(nickname, '%Y')::varchar\"}")
    [(file, at, message)] = refused(chain)
    assert (file, at) == ("lead.yaml", line)
    assert message.startswith("Industry: Invalid Input Error: Could not parse string")
    assert "of fair:" in message
    assert "(fair/2026-11-05/fair.csv:" in message
    # Of all rows only one fails, whatever its place.
    line = mapped(chain, "lead", "Industry: {sql: \"chr(if(first_name = 'Kit', -5, 65))\"}")
    [(file, at, message)] = refused(chain)
    assert (file, at) == ("lead.yaml", line)
    assert "of fair:3 (fair/2026-11-05/fair.csv:4)" in message


def test_an_owner_is_called_what_it_is(chain: Any) -> None:
    mapped(chain, "lead", "OwnerId: {lookup: User, by: nickname, on_miss: hold}")
    chain.done(DAY)
    held = {row["LastName"] + row["Email"][:3]: row for row in chain.read("sf_lead", DAY)}
    assert {name: row["_held_new"] for name, row in held.items()} == {
        "Haleiri": "OwnerId: the User left@hale.example is inactive",
        "Halejon": None,
        "Halekit": "OwnerId: there is no User nobody@hale.example",
        "Halelou": "OwnerId: account_queue is a queue that may not own a Lead",
    }
    [lead] = chain.records("Lead", "Email", "OwnerId")
    assert (lead["Email"], lead["OwnerId"][:3]) == ("jon@hale.example", "00G")


@pytest.mark.parametrize(
    ("field", "object_name"), [("ReportsToId", "Contact"), ("RecordTypeId", "RecordType")]
)
def test_a_name_is_no_id(chain: Any, field: str, object_name: str) -> None:
    line = mapped(chain, "contact", f"{field}: {{value: Buyer}}")
    [(file, at, message)] = refused(chain)
    assert (file, at) == ("contact.yaml", line)
    assert f"'Buyer' is no Id; write the Id of a {object_name}" in message
    checked = chain.causeway("check")
    assert checked.returncode == 2
    assert f"contact.yaml:{line}: {message}" in checked.stderr.replace("\n", "")
