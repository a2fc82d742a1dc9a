"""One live record per person: which list wins, and what waits for a Lead that is still open."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.batch import Batch
from pipelines.plan.make import newest
from pipelines.relations import prepare
from pipelines.run import Run
from pipelines.stages import STAGES, run_stage

D1, D2 = date(2026, 11, 5), date(2026, 11, 6)
SOURCES = """
sources:
  a_leads: {entity: contacts, preset: generic, as: lead}
  b_contacts: {entity: contacts, preset: generic, as: contact, priority: 90}
  c_lists:
    entity: contacts
    preset: generic
    as: contact
    lists: {Cold: {as: lead}}
"""
HEAD = "ID,First Name,Last Name,Email,Company,List Name\n"


def sync(chain: Any, day: date) -> None:
    """Every stage of a batch, without the orchestrator."""
    project = chain.project
    prepare(project)
    for name in STAGES:
        run_stage(name, Run(project, day))


def rows(chain: Any, day: date, name: str) -> dict[str, dict[str, Any]]:
    """Title of a row of the plan → the row."""
    import duckdb

    title = "Name" if name == "Account" else "LastName"
    plan = newest(Batch(chain.project, day))
    with duckdb.connect() as connection:
        plan_rows = (
            connection.sql(f"from '{plan.payload(name.lower())}'").to_arrow_table().to_pylist()
        )
    return {row[title]: row for row in plan_rows}


def reasons(chain: Any, day: date) -> dict[str, str]:
    """Last name → why the person goes where it goes."""
    reason_of = {row["entity_key"]: row["reason"] for row in chain.read("routes", day)}
    return {row["last_name"]: reason_of[row["person_key"]] for row in chain.read("people", day)}


def last_names(chain: Any, name: str) -> list[str]:
    return sorted(row["LastName"] for row in chain.records(name, "LastName"))


@pytest.mark.parametrize("order", [("a_leads", "b_contacts"), ("b_contacts", "a_leads")])
def test_of_two_lists_the_one_that_asks_for_contacts_wins(
    make_chain: Any, order: tuple[str, str]
) -> None:
    chain = make_chain(SOURCES)
    first, second = order
    chain.put(first, D1, "f.csv", HEAD + "1,Ada,Okafor,ada@x.org,,\n")
    chain.put(second, D1, "s.csv", HEAD + "9,Ada,Okafor,ada@x.org,,\n8,Eve,Stone,eve@x.org,,\n")
    chain.put(
        "c_lists",
        D1,
        "c.csv",
        HEAD + "4,Ben,Voss,ben@x.org,,Warm\n5,Ben,Voss,ben@x.org,,Cold\n"
        "6,Cy,Dahl,cy@x.org,,Cold\n7,Cy,Dahl,cy@x.org,,Cold\n",
    )
    sync(chain, D1)
    reason_of = reasons(chain, D1)
    assert reason_of["Okafor"] == "b_contacts asks for contacts, a_leads for leads; a Contact wins"
    assert reason_of["Voss"] == "c_lists asks for contacts, c_lists/Cold for leads; a Contact wins"
    assert reason_of["Dahl"] == "the list asks for leads"
    eve = "Contact" if second == "b_contacts" else "Lead"
    assert last_names(chain, "Contact") == sorted(
        {"Okafor", "Voss"} | ({"Stone"} if eve == "Contact" else set())
    )
    assert last_names(chain, "Lead") == sorted({"Dahl"} | ({"Stone"} if eve == "Lead" else set()))


def test_nothing_is_made_that_waits_for_an_open_lead(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("a_leads", D1, "a.csv", HEAD + "1,Ada,Okafor,ada@x.org,Acme,\n")
    sync(chain, D1)
    chain.put(
        "b_contacts",
        D2,
        "b.csv",
        HEAD + "9,Ada,Okafor,ada@x.org,Acme,\n8,Eve,Stone,eve@x.org,Zeta,\n",
    )
    sync(chain, D2)
    accounts, contacts = rows(chain, D2, "Account"), rows(chain, D2, "Contact")
    lead = "an open Lead of this person is in the org; convert or close it (leads.existing: hold)"
    assert (contacts["Okafor"]["action"], contacts["Okafor"]["reason"]) == ("hold", lead)
    reason = f"its Contact waits: {lead}"
    assert (accounts["Acme"]["action"], accounts["Acme"]["reason"]) == ("hold", reason)
    assert accounts["Zeta"]["action"] == "create"
    assert [row["Name"] for row in chain.records("Account", "Name")] == ["Zeta"]
    ran = chain.causeway("sync", "--batch", str(D2))
    output = ran.stdout + ran.stderr
    assert (
        "2 records wait. Contact: an open Lead of this person is in the org; convert or" in output
    )

    [open_lead] = chain.records("Lead", "LastName")
    chain.salesforce().Lead.delete(open_lead["Id"])
    sync(chain, D2)
    assert sorted(row["Name"] for row in chain.records("Account", "Name")) == ["Acme", "Zeta"]
    assert last_names(chain, "Contact") == ["Okafor", "Stone"]
    sync(chain, D2)
    for name in ("Account", "Contact"):
        assert {row["action"] for row in rows(chain, D2, name).values()} == {"unchanged"}


def test_no_account_is_made_for_a_contact_that_stays_elsewhere(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("b_contacts", D1, "b.csv", HEAD + "9,Ada,Okafor,ada@x.org,Acme,\n")
    sync(chain, D1)
    chain.put("b_contacts", D2, "b.csv", HEAD + "9,Ada,Okafor,ada@x.org,Zeta,\n")
    sync(chain, D2)
    row = rows(chain, D2, "Account")["Zeta"]
    none = "nobody of this plan belongs to it, so no Account is made"
    assert (row["action"], row["reason"], row["changed"]) == ("unchanged", none, [])
    assert [row["Name"] for row in chain.records("Account", "Name")] == ["Acme"]
