"""What a Lead of ours became follows the sources; so may what a record was merged into."""

from __future__ import annotations

from datetime import date
from typing import Any

from pipelines.batch import Batch
from pipelines.plan.make import newest
from pipelines.relations import prepare
from pipelines.run import Run
from pipelines.stages import STAGES, run_stage

D1, D2, D3 = date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 7)
SOURCES = """
sources:
  leads: {entity: contacts, preset: generic, as: lead}
  people: {entity: contacts, preset: generic, as: contact}
"""
HEAD = "ID,First Name,Last Name,Email,Title,Mobile Phone,Street,City\n"
PARTNER = "urn:partner.soap.sforce.com"
READ = ("LastName", "Title", "MobilePhone", "MailingStreet", "MailingCity", "Causeway_Key__c")


def sync(chain: Any, day: date) -> None:
    """Every stage of a batch, without the orchestrator."""
    project = chain.project
    prepare(project)
    for name in STAGES:
        run_stage(name, Run(project, day))


def rows(chain: Any, day: date, name: str = "Contact") -> list[dict[str, Any]]:
    import duckdb

    plan = newest(Batch(chain.project, day))
    with duckdb.connect() as connection:
        return connection.sql(f"from '{plan.payload(name.lower())}'").to_arrow_table().to_pylist()


def call(chain: Any, body: str) -> None:
    with chain.project.org() as org:
        assert b"<success>true" in org.session.soap(body)


def convert(chain: Any, lead_id: str) -> None:
    call(
        chain,
        f'<convertLead xmlns="{PARTNER}"><leadConverts>'
        "<convertedStatus>Closed - Converted</convertedStatus>"
        f"<leadId>{lead_id}</leadId></leadConverts></convertLead>",
    )


def merge(chain: Any, duplicate: str, master: str, name: str = "Contact") -> None:
    call(
        chain,
        f'<merge xmlns="{PARTNER}"><mergeRequests><masterRecord>'
        f'<type xmlns="urn:sobject.partner.soap.sforce.com">{name}</type>'
        f'<Id xmlns="urn:sobject.partner.soap.sforce.com">{master}</Id></masterRecord>'
        f"<recordToMergeIds>{duplicate}</recordToMergeIds></mergeRequests></merge>",
    )


def follow_merges(chain: Any) -> None:
    policies = chain.mappings / "policies.yaml"
    policies.write_text(
        policies.read_text().replace("merged_in_org: hold", "merged_in_org: follow")
    )


def test_the_contact_of_a_converted_lead_follows_its_source(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("leads", D1, "l.csv", HEAD + "1,Ada,Okafor,ada@x.org,Boss,555 0100,1 High St,York\n")
    sync(chain, D1)
    [lead] = chain.records("Lead", "Id", "Causeway_Key__c")
    convert(chain, lead["Id"])
    [before] = chain.records("Contact", *READ)
    assert (before["Title"], before["Causeway_Key__c"]) == ("Boss", None)
    chain.salesforce().Contact.update(before["Id"], {"MailingCity": "Leeds"})

    # Title and address changed in the source, the address by somebody in the org as well.
    chain.put("leads", D2, "l.csv", HEAD + "1,Ada,Okafor,ada@x.org,Chief,555 0100,2 Low St,York\n")
    sync(chain, D2)
    [row] = rows(chain, D2)
    assert (row["action"], row["sf_id"], row["changed"]) == ("adopt", before["Id"], ["Title"])
    [after] = chain.records("Contact", *READ)
    assert after["Causeway_Key__c"] == lead["Causeway_Key__c"]
    assert (after["Title"], after["MailingStreet"], after["MailingCity"]) == (
        "Chief",
        "1 High St",
        "Leeds",
    )
    assert rows(chain, D2, "Lead") == []

    # What we wrote on the Lead alone is still ours on the Contact that carries our key now.
    chain.put("leads", D3, "l.csv", HEAD + "1,Ada,Okafor,ada@x.org,Chief,555 0199,2 Low St,York\n")
    sync(chain, D3)
    [row] = rows(chain, D3)
    assert (row["action"], row["changed"]) == ("update", ["MobilePhone"])
    [after] = chain.records("Contact", *READ)
    assert after["MobilePhone"] == "555 0199"
    sync(chain, D3)
    assert [row["action"] for row in rows(chain, D3)] == ["unchanged"]


def test_the_contact_that_a_lead_was_converted_into_was_there_before_us(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    contact_id = chain.salesforce().Contact.create(
        {"FirstName": "Ada", "LastName": "Okafor", "Title": "Boss", "Email": "old@x.org"}
    )["id"]
    chain.put("leads", D1, "l.csv", HEAD + "1,Ada,Okafor,ada@x.org,Boss,,,\n")
    sync(chain, D1)
    [lead] = chain.records("Lead", "Id")
    account = chain.salesforce().Account.create({"Name": "Acme"})["id"]
    chain.salesforce().Contact.update(contact_id, {"AccountId": account})
    call(
        chain,
        f'<convertLead xmlns="{PARTNER}"><leadConverts>'
        f"<accountId>{account}</accountId><contactId>{contact_id}</contactId>"
        "<convertedStatus>Closed - Converted</convertedStatus>"
        f"<leadId>{lead['Id']}</leadId></leadConverts></convertLead>",
    )
    chain.put("leads", D2, "l.csv", HEAD + "1,Ada,Okafor,ada@x.org,Chief,,,\n")
    sync(chain, D2)
    [row] = rows(chain, D2)
    assert (row["action"], row["sf_id"], row["changed"]) == ("adopt", contact_id, [])
    decisions = {field["field"]: field["decision"] for field in row["fields"]}
    assert decisions == {"Title": "adopt_kept", "Email": "adopt_kept"}


def test_a_merged_record_waits_or_its_master_is_followed(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("people", D1, "p.csv", HEAD + "1,Ada,Okafor,ada@x.org,Boss,,,\n")
    sync(chain, D1)
    [before] = chain.records("Contact", "Causeway_Key__c")
    between, master = (
        chain.salesforce().Contact.create({"FirstName": "Ada", "LastName": "Okafor"})["id"]
        for _ in range(2)
    )
    merge(chain, before["Id"], between)
    merge(chain, between, master)
    chain.put("people", D2, "p.csv", HEAD + "1,Ada,Okafor,ada@x.org,Chief,,,\n")
    sync(chain, D2)
    [row] = rows(chain, D2)
    reason = f"its Contact was merged into {master} in the org"
    assert (row["action"], row["reason"]) == ("hold", reason)
    assert row["decide"] == f"use,people:1,{master}"

    follow_merges(chain)
    sync(chain, D2)
    [row] = rows(chain, D2)
    assert (row["action"], row["sf_id"]) == ("adopt", master)
    [after] = chain.records("Contact", "Causeway_Key__c", "Email", "Title")
    assert (after["Id"], after["Causeway_Key__c"]) == (master, before["Causeway_Key__c"])
    assert after["Email"] == "ada@x.org"


def test_the_contact_of_a_converted_lead_is_made_no_second_time(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    people = ((1, "Ada", "Okafor"), (2, "Bo", "Lind"))
    files = [
        HEAD + "".join(f"{n},{first},{last},{first}@{at},Boss,,,\n" for n, first, last in people)
        for at in ("x.org", "z.org")
    ]
    chain.put("leads", D1, "l.csv", files[0])
    sync(chain, D1)
    for lead in chain.records("Lead", "Id"):
        convert(chain, lead["Id"])
    contacts = {one["LastName"]: one["Id"] for one in chain.records("Contact", "Id", "LastName")}
    other = {"FirstName": "A", "LastName": "Okafor", "Email": "a@y.org"}
    master = chain.salesforce().Contact.create(other)["id"]
    merge(chain, contacts["Okafor"], master)
    chain.salesforce().Contact.delete(contacts["Lind"])

    chain.put("leads", D2, "l.csv", files[1])
    sync(chain, D2)
    [okafor], [lind] = rows(chain, D2), rows(chain, D2, "Lead")
    assert (okafor["LastName"], okafor["sf_id"]) == ("Okafor", master)
    assert (lind["LastName"], lind["reason"]) == ("Lind", "its Lead was converted in the org")
    assert [one["Id"] for one in chain.records("Contact", "Id")] == [master]

    # Whoever is a Contact by another source is no other person: the one that died is waited for.
    chain.put("people", D3, "p.csv", HEAD + "2,Bo,Lind,bo@z.org,Boss,,,\n")
    sync(chain, D3)
    [lind] = rows(chain, D3)
    reason = "its Contact was deleted in the org (deleted_in_org: leave)"
    assert (lind["action"], lind["reason"]) == ("hold", reason)


def test_a_merged_lead_is_followed_to_the_contact_of_its_master(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    follow_merges(chain)
    chain.put("leads", D1, "l.csv", HEAD + "1,Ada,Okafor,ada@x.org,Boss,,,\n")
    sync(chain, D1)
    [lead] = chain.records("Lead", "Id", "Causeway_Key__c")
    other = {"FirstName": "A", "LastName": "Okafor", "Company": "Y", "Email": "a@y.org"}
    master = chain.salesforce().Lead.create(other)["id"]
    merge(chain, lead["Id"], master, "Lead")
    convert(chain, master)
    [contact] = chain.records("Contact", "Id")

    chain.put("leads", D2, "l.csv", HEAD + "1,Ada,Okafor,ada@z.org,Chief,,,\n")
    sync(chain, D2)
    [row] = rows(chain, D2)
    assert (row["action"], row["sf_id"]) == ("adopt", contact["Id"])
    assert [one["Id"] for one in chain.records("Contact", "Id")] == [contact["Id"]]
