"""``causeway sync --only``, ``--source`` and ``--object``, as people type and read them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.batch import Batch
from pipelines.local_org import control
from pipelines.plan.make import newest

D1, D2 = date(2026, 11, 5), date(2026, 11, 6)
SOURCES = """
sources:
  fair: {entity: contacts, preset: generic, as: contact}
  prospects: {entity: contacts, preset: generic, as: lead}
"""
HEAD = "ID,First Name,Last Name,Email,Company\n"
FAIR = HEAD + "1,Ada,Okafor,ada@x.org,Acme\n2,Ben,Voss,ben@x.org,Blue\n3,Cy,Dahl,cy@x.org,Acme\n"


@pytest.fixture
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES)
    new_chain.put("fair", D1, "f.csv", FAIR)
    new_chain.put("prospects", D1, "p.csv", HEAD + "8,Joe,Ray,joe@x.org,Ray\n")
    return new_chain


def names(chain: Any) -> list[str]:
    """What every record of the org is called."""
    fields = {"Account": "Name", "Contact": "LastName", "Lead": "LastName"}
    return sorted(
        row[field] for name, field in fields.items() for row in chain.records(name, field)
    )


def sync(chain: Any, *options: str, code: int = 0) -> dict[str, Any]:
    """Sync the first day as a script does."""
    synced = chain.causeway("sync", "--batch", str(D1), "--json", *options)
    assert synced.returncode == code, synced.stdout + synced.stderr
    return json.loads(synced.stdout)


def test_one_contact_then_everybody(chain: Any) -> None:
    first = sync(chain, "--only", "fair:2")
    assert names(chain) == ["Blue", "Voss"]
    why = "left out by --only fair:2"
    assert first["skipped"] == {"Account": {why: 1}, "Contact": {why: 2}, "Lead": {why: 1}}
    contacts = first["objects"]["Contact"]
    assert (contacts["created"], contacts["skipped"], contacts["held"]) == (1, 2, 0)
    assert first["planned"]["Lead"]["skip"] == 1
    assert first["waiting"] == {}
    second = sync(chain, "--only", " ADA@x.org", "--only", "prospects:8")
    assert names(chain) == ["Acme", "Blue", "Okafor", "Ray", "Voss"]
    assert second["skipped"] == {"Contact": {"left out by --only  ADA@x.org, prospects:8": 1}}
    status = chain.causeway("status").stdout
    assert "1 Contact  skipped: left out by --only" in status
    assert "Cy Dahl" in chain.causeway("waiting", "list").stdout
    last = sync(chain)
    assert names(chain) == ["Acme", "Blue", "Dahl", "Okafor", "Ray", "Voss"]
    assert last["skipped"] == {}
    assert last["objects"]["Contact"] == contacts | {
        "created": 1, "unchanged": 2, "skipped": 0,
    }  # fmt: skip


def test_a_contact_waits_for_an_account_that_is_left_out(chain: Any) -> None:
    found = sync(chain, "--object", "Contact", "--object", "lead")
    assert names(chain) == ["Ray"]
    by = "left out by --object Contact, lead"
    assert found["skipped"] == {"Account": {by: 2}, "Contact": {f"its Account is new and {by}": 3}}
    # Nobody who is to be written needs an account.
    found = sync(chain, "--object", "Account")
    assert names(chain) == ["Ray"]
    by = "left out by --object Account"
    assert found["skipped"] == {"Account": {f"its Contact waits: {by}": 2}, "Contact": {by: 3}}
    sync(chain, "--object", "Contact", "--object", "Account")
    assert names(chain) == ["Acme", "Blue", "Dahl", "Okafor", "Ray", "Voss"]
    # Where the account is there, the contact alone may follow.
    chain.put("fair", D2, "f.csv", HEAD + "4,Di,Marsh,di@x.org,Acme\n")
    assert chain.causeway("sync", "--object", "contact").returncode == 0
    assert "Marsh" in names(chain)


def test_one_source_and_what_a_plan_says_of_it(chain: Any) -> None:
    shown = chain.causeway("sync", "--source", "prospects", "--plan-only")
    assert shown.returncode == 0
    assert names(chain) == []
    assert "2 Account left out by --source prospects; 3 Contact left out by" in shown.stdout
    saved = newest(Batch(chain.project, D1))
    assert saved.choice == {"source": ["prospects"]}
    plan = chain.causeway("plan").stdout
    assert "Of this alone: --source prospects" in plan
    assert "3 Contact  left out by --source prospects" in plan
    document = json.loads(chain.causeway("plan", "--json", "--only", "skips").stdout)
    assert document["choice"] == {"source": ["prospects"]}
    [contacts] = [part for part in document["objects"] if part["object"] == "Contact"]
    assert contacts["actions"]["skip"] == contacts["skips"]["left out by --source prospects"] == 3
    assert sorted(row["title"] for row in contacts["rows"]) == ["Ada Okafor", "Ben Voss", "Cy Dahl"]
    one = json.loads(chain.causeway("plan", "--json", "--only", "fair:2").stdout)
    titles = {part["object"]: [row["title"] for row in part["rows"]] for part in one["objects"]}
    assert titles == {"Account": ["Blue"], "Contact": ["Ben Voss"], "Lead": []}
    assert chain.causeway("sync", "--source", "prospects").returncode == 0
    assert names(chain) == ["Ray"]
    assert newest(Batch(chain.project, D1)).choice == {"source": ["prospects"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "fair:12"], "--only fair:12: there is no valid row of fair with the id '12'"),
        (["--only", "adda@x.org"], "did you mean 'ada@x.org'?"),
        (["--only", "fiar:1"], "knows no source 'fiar'; did you mean 'fair'?"),
        (["--only", "Okafor"], "--only Okafor: write SOURCE:ID, a row of a source, or an e-mail"),
        (["--source", "fare"], "--source fare: sources.yaml knows no such source; did you mean"),
        (["--object", "Contakt"], "--object Contakt: no mapping has this name; did you mean"),
        (["--only", "fair:1", "--all"], "--only chooses within one batch"),
    ],
)
def test_a_choice_that_means_nobody_stops_before_anything_is_written(
    refusing: Any, options: list[str], message: str
) -> None:
    ran = refusing.causeway("sync", *options)
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert message in " ".join((ran.stdout + ran.stderr).replace("│", " ").split())
    assert names(refusing) == []


@pytest.fixture(scope="module")
def refusing(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES)
    new_chain.put("fair", D1, "f.csv", FAIR)
    return new_chain


def test_somebody_of_another_batch_is_found_there(chain: Any) -> None:
    sync(chain)
    chain.put("fair", D2, "f.csv", HEAD + "4,Di,Marsh,di@x.org,Acme\n")
    for who in ("prospects:8", "joe@x.org"):
        ran = chain.causeway("sync", "--only", who)
        assert ran.returncode == 2
        assert f"in batch {D2}, but in batch {D1}: choose that by --batch {D1}" in ran.stderr
    assert "Marsh" not in names(chain)


def test_a_killed_run_writes_no_more_than_it_was_to(make_chain: Any) -> None:
    chain = make_chain(SOURCES, org=False)
    control.start(chain.project.local_org, faults=True)
    people = "".join(f"{n},First{n},Last{n},p{n}@x.org,Acme\n" for n in range(300))
    chain.put("fair", D1, "f.csv", HEAD + people)
    chain.put("prospects", D1, "p.csv", HEAD + "8,Joe,Ray,joe@x.org,Ray\n")
    fault = {"kind": "die", "moment": "after_work", "path": "composite/sobjects/Contact", "skip": 1}
    control.inject(chain.project.local_org, fault)
    ran = chain.causeway("sync", "--source", "fair")
    assert ran.returncode == 3
    chain.start_org()
    assert chain.records("Lead", "LastName") == []
    again = chain.causeway("sync", "--source", "fair", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["skipped"] == {"Lead": {"left out by --source fair": 1}}
    assert (len(chain.records("Contact", "LastName")), chain.records("Lead", "LastName")) == (
        300,
        [],
    )
    assert chain.causeway("sync").returncode == 0
    assert len(chain.records("Lead", "LastName")) == 1


def test_a_release_is_of_the_plan_with_its_choice(chain: Any) -> None:
    policies = chain.mappings / "policies.yaml"
    policies.write_text("guards: {max_create: {share: 1%, above: 0}, first_load: guard}\n")
    blocked = chain.causeway("sync", "--only", "fair:2")
    assert blocked.returncode == 4
    saved = newest(Batch(chain.project, D1))
    released = chain.causeway("plan", "--release", saved.plan_id).stdout
    assert f"sync --batch {D1} --only fair:2" in released
    assert chain.causeway("sync", "--batch", str(D1)).returncode == 4
    assert names(chain) == []
    assert chain.causeway("sync", "--batch", str(D1), "--only", "fair:2").returncode == 0
    assert names(chain) == ["Blue", "Voss"]


def test_what_the_org_refused_stays_refused_though_a_run_leaves_it_out(chain: Any) -> None:
    chain.stop_org()
    rules = chain.home / "rules.yaml"
    rules.write_text(
        "validation_rules:\n"
        "  - {name: No Ben, object: Contact, when: FirstName = 'Ben', message: Not Ben.}\n"
    )
    assert chain.causeway("org", "start", "--rules", rules).returncode == 0
    sync(chain, code=1)
    [refusal] = [
        row for row in chain.read("salesforce_contact", D1) if row["outcome"] == "rejected"
    ]
    sync(chain, "--only", "fair:1")
    assert "Not Ben." in chain.causeway("waiting", "list").stdout
    sync(chain, code=1)
    rows = {row["key"]: row for row in chain.read("salesforce_contact", D1)}
    assert rows[refusal["key"]]["message"].startswith(
        "refused before, and nothing of it has changed"
    )
    assert rows[refusal["key"]]["attempts"] == 0
