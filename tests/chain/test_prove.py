"""What the org makes of our values is told, becomes known, and is not sent again for ever."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

DAYS = [date(2026, 11, day) for day in (2, 3, 4)]
HEADER = "First Name,Last Name,E-mail,Job Title,Department\n"
SOURCES = """\
sources:
  fair:
    entity: contacts
    preset: generic
    as: contact
"""
AUTOMATIONS = """\
automations:
  - {name: Loud titles, object: Contact, set: {Title: upper(Title)}}
  - {name: Assisted, object: Contact, at: update, when: AssistantName is not null,
     set: {Department: "'Sales'"}}
"""
PEOPLE = [("Ada", "buyer"), ("Bea", "clerk"), ("Cyd", "CEO")]


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    """A pipeline whose org writes titles in capitals, and changes departments by the way."""
    from pipelines.local_org.catalog.load import TEMPLATE

    new_chain = make_chain(SOURCES, org=False)
    new_chain.project.local_org.mkdir(parents=True)
    setup = TEMPLATE.read_text().replace("automations: []\n", AUTOMATIONS)
    (new_chain.project.local_org / "org.yaml").write_text(setup)
    new_chain.start_org()
    new_chain.put("fair", DAYS[0], "fair.csv", people({}))
    return new_chain.done(DAYS[0])


def people(titles: dict[str, str]) -> str:
    """A contact list; ``titles`` are the titles that are not as at first."""
    lines = [
        f"{name},Example,{name.lower()}@example.com,{titles.get(name, title)},Office\n"
        for name, title in PEOPLE
    ]
    return HEADER + "".join(lines)


@pytest.fixture(scope="module")
def proof(chain: Any) -> Any:
    """What ``causeway prove`` says of the first plan."""
    ran = chain.causeway("prove", "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def later(chain: Any, proof: Any) -> list[dict[str, Any]]:
    """The contacts once an automation of the org has changed departments, after we read back."""
    client = chain.salesforce()
    for record in chain.records("Contact", "Email"):
        client.Contact.update(record["Id"], {"AssistantName": "a flow"})
    client.session.close()
    records = chain.records("Contact", "Title", "Department", "SystemModstamp")
    assert {row["Department"] for row in records} == {"Sales"}
    return records


def test_an_automation_is_named_with_an_example(proof: Any) -> None:
    [contact] = [part for part in proof["objects"] if part["object"] == "Contact"]
    title = next(field for field in contact["fields"] if field["field"] == "Title")
    assert (title["written"], title["by_automation"], title["not_stored"]) == (3, 2, 0)
    sentence = "Contact.Title: 2 values changed by the org after we wrote them, e.g. "
    assert contact["told"][0] in {f"{sentence}'buyer' → 'BUYER'", f"{sentence}'clerk' → 'CLERK'"}
    assert len(contact["told"]) == 1
    assert proof["written"] == proof["as_sent"] + 2
    assert proof["not_stored"] == 0


def test_the_proof_is_shown_to_people(chain: Any, proof: Any) -> None:
    ran = chain.causeway("prove")
    assert ran.returncode == 0
    assert f"{proof['written']} fields written, {proof['as_sent']} stored as sent" in ran.stdout
    assert "Contact.Title: 2 values changed by the org" in ran.stdout


def test_neither_automation_comes_back_as_a_change(chain: Any, later: Any) -> None:
    for day in (DAYS[1], DAYS[2]):
        chain.put("fair", day, "fair.csv", people({}))
        chain.done(day)
        assert set(chain.outcomes(day)["Contact"]) == {"unchanged"}
    assert chain.records("Contact", "Title", "Department", "SystemModstamp") == later


def test_what_the_org_changed_after_we_had_read_back_is_named_too(chain: Any, later: Any) -> None:
    """A proof is judged again at the next snapshot, as some automations take their time."""
    plan = min(
        path.parents[2].name for path in chain.home.glob("plans/*/applied/contact/proof.json")
    )
    proof = json.loads(chain.causeway("prove", plan, "--json").stdout)
    [contact] = [part for part in proof["objects"] if part["object"] == "Contact"]
    assert (
        "Contact.Department: 3 values changed by the org after we wrote them, e.g."
        " 'Office' → 'Sales'"
    ) in contact["told"]
    department = next(field for field in contact["fields"] if field["field"] == "Department")
    assert (department["written"], department["by_automation"]) == (3, 3)


def test_a_changed_source_value_is_written_again(chain: Any, later: Any) -> None:
    chain.put("fair", DAYS[2], "fair.csv", people({"Ada": "head of buying"}))
    chain.done(DAYS[2])
    assert chain.outcomes(DAYS[2])["Contact"] == {"updated": 1, "unchanged": 2}
    titles = {row["Title"] for row in chain.records("Contact", "Title")}
    assert titles == {"HEAD OF BUYING", "CLERK", "CEO"}


def test_a_plan_that_nobody_knows_is_told(chain: Any) -> None:
    ran = chain.causeway("prove", "2026-11-02-000000000000")
    assert ran.returncode == 2
    assert "there is no plan" in ran.stderr
