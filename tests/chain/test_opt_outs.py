"""A refusal reaches every record with its address, whoever's it is, and nothing else of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

D1, D2, D3 = (date(2026, 11, day) for day in (5, 6, 7))
SOURCES = """
sources:
  crm: {entity: contacts, preset: generic, as: contact}
  news: {entity: subscribers, preset: generic}
"""
HEADER = "ID,First Name,Last Name,Email,Last Updated\n"
NEWS = "ID,Email,Status,Updated At\n"
ANNA = "F1,Anna,Miller,home@cases.example,2026-11-01 10:00:00\n"


def said(status: str, day: str = "2026-11-03", *, reader: int = 1) -> str:
    return f"{reader},home@cases.example,{status},{day} 10:00:00\n"


@pytest.fixture
def chain(make_chain: Any) -> Any:
    return make_chain(SOURCES)


@pytest.fixture
def client(chain: Any) -> Any:
    client = chain.salesforce()
    yield client
    client.session.close()


def stored(client: Any, object_name: str, sf_id: str) -> dict[str, Any]:
    """What a record holds but for when and by whom it was touched."""
    record = getattr(client, object_name).get(sf_id)
    stamps = ("LastModifiedDate", "SystemModstamp", "LastModifiedById", "attributes")
    return {name: value for name, value in record.items() if name not in stamps}


def make(client: Any, object_name: str, **values: Any) -> str:
    if object_name == "Lead":
        values = {"Company": "Elsewhere"} | values
    created = getattr(client, object_name).create({"Email": " Home@Cases.Example"} | values)
    return str(created["id"])


@pytest.mark.parametrize("object_name", ["Contact", "Lead"])
def test_strangers_get_the_opt_out_alone_and_no_key(
    chain: Any, client: Any, object_name: str
) -> None:
    petra = make(client, object_name, FirstName="Petra", LastName="Org")
    before = stored(client, object_name, petra)
    chain.put("crm", D1, "crm.csv", HEADER + ANNA)
    chain.put("news", D1, "news.csv", NEWS + said("unsubscribed"))
    chain.done(D1)
    assert stored(client, object_name, petra) == before | {"HasOptedOutOfEmail": True}
    [row] = [row for row in chain.read(f"plan_{object_name.lower()}", D1) if row["key"] == petra]
    assert (row["action"], row["changed"]) == ("update", ["HasOptedOutOfEmail"])
    assert f"news:1 (news/{D1}/news.csv:2)" in row["reason"]
    stamps = chain.stamps()
    for day in (D1, D1):
        chain.done(day)
    assert chain.stamps() == stamps


def test_who_made_the_record_later_or_turned_it_back_is_reached_by_any_batch(
    chain: Any, client: Any
) -> None:
    chain.put("news", D1, "news.csv", NEWS + said("unsubscribed"))
    chain.done(D1)
    petra = make(client, "Contact", FirstName="Petra", LastName="Org")
    chain.put("crm", D2, "crm.csv", HEADER + "9,Otto,Else,otto@cases.example,\n")
    chain.done(D2)
    assert stored(client, "Contact", petra)["HasOptedOutOfEmail"] is True
    client.Contact.update(petra, {"HasOptedOutOfEmail": False})
    chain.done(D2)
    assert stored(client, "Contact", petra)["HasOptedOutOfEmail"] is True


def test_records_that_wait_are_reached(chain: Any, client: Any) -> None:
    """One that may be hers, two that are alike, and one of ours that got another address."""
    unclear = make(client, "Contact", FirstName="Anna", LastName="Schmidt")
    chain.put("crm", D1, "crm.csv", HEADER + "5,Olga,Own,olga@cases.example,\n")
    chain.done(D1)
    [own] = [row["Id"] for row in chain.records("Contact", "Email") if row["Id"] != unclear]
    client.Contact.update(own, {"Email": "home@cases.example"})
    chain.put("crm", D2, "crm.csv", HEADER + ANNA)
    chain.put("news", D2, "news.csv", NEWS + said("unsubscribed"))
    chain.done(D2)
    assert {
        row["Id"]: (row["HasOptedOutOfEmail"], row["Email"])
        for row in chain.records("Contact", "HasOptedOutOfEmail", "Email")
    } == {unclear: (True, "home@cases.example"), own: (True, "home@cases.example")}
    stamps = chain.stamps()
    for day in (D1, D2):
        chain.done(day)
    assert chain.stamps() == stamps


def test_what_is_not_confirmed_or_was_taken_back_reaches_no_stranger(
    chain: Any, client: Any
) -> None:
    petra = make(client, "Contact", FirstName="Petra", LastName="Org")
    before = stored(client, "Contact", petra)
    chain.put("crm", D1, "crm.csv", HEADER + ANNA)
    chain.put("news", D1, "news.csv", NEWS + said("not activated"))
    chain.done(D1)
    chain.put("news", D2, "news.csv", NEWS + said("unsubscribed", "2026-11-04")
              + said("subscribed", "2026-11-01", reader=2))  # fmt: skip
    chain.put("news", D3, "news.csv", NEWS + said("subscribed", "2026-11-05"))
    chain.run(D3)
    chain.run(D2)  # late, and older
    assert stored(client, "Contact", petra) == before


def test_nothing_takes_the_opt_out_back(chain: Any, client: Any) -> None:
    petra = make(client, "Contact", FirstName="Petra", LastName="Org")
    chain.put("crm", D1, "crm.csv", HEADER + ANNA)
    chain.put("news", D1, "news.csv", NEWS + said("unsubscribed"))
    chain.done(D1)
    undone = chain.causeway("undo", "--batch", D1.isoformat(), "--yes")
    assert undone.returncode in (0, 1), undone.stderr
    assert stored(client, "Contact", petra)["HasOptedOutOfEmail"] is True
    chain.put("news", D2, "news.csv", NEWS + said("subscribed", "2026-11-05"))
    chain.done(D2)
    assert stored(client, "Contact", petra)["HasOptedOutOfEmail"] is True


def test_explain_tells_who_caused_it(chain: Any, client: Any) -> None:
    petra = make(client, "Contact", FirstName="Petra", LastName="Org")
    chain.put("crm", D1, "crm.csv", HEADER + ANNA)
    chain.put("news", D1, "news.csv", NEWS + said("unsubscribed"))
    chain.done(D1)
    explained = chain.causeway("explain", "Contact", petra)
    assert explained.returncode == 0, explained.stderr
    assert "news:1" in explained.stdout
    assert f"news/{D1}/news.csv:2" in explained.stdout


PERSON_ACCOUNTS = """
  - {object: Account, developer_name: PersonAccount, name: Person Account, person: true}
"""


@pytest.fixture
def persons(make_chain: Any) -> Any:
    """A pipeline with an org that has person accounts."""
    from pipelines.local_org.catalog.load import TEMPLATE

    made = make_chain(SOURCES, org=False)
    setup = TEMPLATE.read_text()
    setup = setup.replace("person_accounts: false", "person_accounts: true")
    setup = setup.replace("record_types: []", f"record_types: {PERSON_ACCOUNTS.rstrip()}")
    made.project.local_org.mkdir(parents=True)
    (made.project.local_org / "org.yaml").write_text(setup)
    made.start_org()
    return made


def make_person(client: Any, **values: Any) -> str:
    [kind] = client.query("select Id from RecordType where IsPersonType = true")["records"]
    created = client.Account.create({"RecordTypeId": kind["Id"]} | values)
    return str(created["id"])


def test_a_person_account_waits_and_makes_no_company_and_still_gets_the_opt_out(
    persons: Any,
) -> None:
    client = persons.salesforce()
    anna = make_person(
        client, FirstName="Anna", LastName="Miller", PersonEmail="home@cases.example"
    )
    petra = make_person(client, LastName="Org", PersonEmail="home@cases.example")
    acme = make_person(client, LastName="Acme", PersonEmail="acme@cases.example")
    before = {sf_id: stored(client, "Account", sf_id) for sf_id in (anna, petra, acme)}
    people = (
        "ID,First Name,Last Name,Email,Company,Title,Last Updated\n"
        "F1,Anna,Miller,home@cases.example,Miller Ltd,Boss,2026-11-01 10:00:00\n"
        "F2,Otto,Else,otto@cases.example,Acme,,2026-11-01 10:00:00\n"
    )
    persons.put("crm", D1, "crm.csv", people)
    persons.done(D1)
    companies = client.query("select Name from Account where IsPersonAccount = false")
    assert [row["Name"] for row in companies["records"]] == ["Acme"]
    held = {row["FirstName"]: row for row in persons.read("plan_contact", D1)}["Anna"]
    assert held["action"] == "hold"
    assert "person account" in held["reason"]
    assert {sf_id: stored(client, "Account", sf_id) for sf_id in before} == before
    persons.put("news", D2, "news.csv", NEWS + said("unsubscribed"))
    persons.done(D2)
    out = {"PersonHasOptedOutOfEmail": True}
    assert stored(client, "Account", anna) == before[anna] | out
    assert stored(client, "Account", petra) == before[petra] | out
    assert stored(client, "Account", acme) == before[acme]
    stamps = persons.stamps()
    outcomes = persons.done(D2).outcomes(D2)
    assert "rejected" not in {name for found in outcomes.values() for name in found}
    assert persons.stamps() == stamps
    client.session.close()


RULES = """
validation_rules:
  - {name: Locked, object: Contact, when: "LastName = 'Locked' and not is_new",
     message: This contact is locked., field: LastName}
"""


def test_a_record_that_takes_no_opt_out_is_told_until_it_has_one(make_chain: Any) -> None:
    chain = make_chain(SOURCES, org=False)
    chain.project.local_org.mkdir(parents=True)
    (chain.project.local_org / "rules.yaml").write_text(RULES)
    chain.start_org()
    client = chain.salesforce()
    petra = make(client, "Contact", FirstName="Petra", LastName="Locked")
    chain.put("crm", D1, "crm.csv", HEADER + ANNA)
    chain.put("news", D1, "news.csv", NEWS + said("unsubscribed"))
    chain.done(D1)
    listed = chain.causeway("waiting", "list").stdout
    assert petra in listed
    assert "This contact is locked." in listed
    client.Contact.update(petra, {"LastName": "Free", "HasOptedOutOfEmail": True})
    chain.put("crm", D2, "crm.csv", HEADER + "9,Otto,Else,otto@cases.example,\n")
    chain.done(D2)
    assert petra not in chain.causeway("waiting", "list").stdout
    client.session.close()


@pytest.mark.parametrize(
    ("before", "moves", "out"),
    [
        pytest.param("subscribed", False, True, id="she says yes elsewhere"),
        pytest.param("unsubscribed", False, True, id="she takes her own no back elsewhere"),
        pytest.param("subscribed", True, False, id="her record gets the address with the yes"),
        pytest.param("unsubscribed", True, False, id="the same after a no of her own"),
    ],
)
def test_a_record_that_somebody_gave_a_refused_address(
    chain: Any, client: Any, before: str, moves: bool, out: bool
) -> None:
    anna = "F1,Anna,Miller,{}@cases.example,2026-11-0{} 10:00:00\n"
    own = "2,{}@cases.example,{},2026-11-0{} 10:00:00\n"
    chain.put("crm", D1, "crm.csv", HEADER + anna.format("anna", 1))
    chain.put("news", D1, "news.csv", NEWS + own.format("anna", before, 1))
    chain.done(D1)
    [record] = [row["Id"] for row in chain.records("Contact", "Email")]
    client.Contact.update(record, {"Email": "home@cases.example"})
    address = "anna.new" if moves else "anna"
    chain.put("crm", D2, "crm.csv", HEADER + anna.format(address, 4))
    news = NEWS + own.format(address, "subscribed", 4) + said("unsubscribed")
    chain.put("news", D2, "news.csv", news)
    chain.done(D2)
    stamps = chain.stamps()
    [row] = chain.records("Contact", "Email", "HasOptedOutOfEmail")
    expected = f"{address}@cases.example" if moves else "home@cases.example"
    assert (row["Email"], row["HasOptedOutOfEmail"]) == (expected, out)
    for day in (D2, D1, D2):
        chain.done(day)
    assert chain.stamps() == stamps


def test_the_lead_of_somebody_who_is_a_contact_now_is_reached_at_its_old_address(
    make_chain: Any,
) -> None:
    chain = make_chain(SOURCES + "  leads: {entity: contacts, preset: generic, as: lead}\n")
    anna = "F1,Anna,Miller,{}@cases.example,2026-11-0{} 10:00:00\n"
    chain.put("leads", D1, "leads.csv", HEADER + anna.format("home", 1))
    chain.done(D1)
    [lead] = chain.records("Lead", "Id", "Causeway_Key__c")
    client = chain.salesforce()
    office = {"FirstName": "Anna", "LastName": "Miller", "Email": "office@cases.example"}
    client.Contact.create(office)
    chain.put("leads", D2, "leads.csv", HEADER + anna.format("office", 4))
    chain.put("news", D2, "news.csv", NEWS + said("unsubscribed"))
    chain.done(D2)
    fields = ("Id", "Causeway_Key__c", "Email", "HasOptedOutOfEmail")
    [now] = [row for row in chain.records("Lead", *fields) if row["Id"] == lead["Id"]]
    assert now["Causeway_Key__c"] == lead["Causeway_Key__c"]
    assert (now["Email"], now["HasOptedOutOfEmail"]) == ("home@cases.example", True)
    stamps = chain.stamps()
    chain.done(D2)
    assert chain.stamps() == stamps
    client.session.close()
