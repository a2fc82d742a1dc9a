"""Records that nobody wants are not made, and what must reach somebody reaches them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.batch import Batch
from pipelines.plan.make import newest

D1, D2, D3 = (date(2026, 11, day) for day in (5, 6, 7))

SOURCES = """
sources:
  fair: {entity: contacts, preset: generic, as: contact}
  prospects: {entity: contacts, preset: generic, as: lead}
  orders: {entity: orders, preset: magento_order}
  news: {entity: subscribers, preset: magento_subscriber_table}
"""

LIST = "ID,First Name,Last Name,Email,Company,Street,City,Last Updated\n"
ORDERS = (
    "entity_id,increment_id,state,status,customer_id,customer_is_guest,customer_email,"
    "customer_firstname,customer_lastname,grand_total,created_at,updated_at\n"
)
NEWS = "subscriber_id,customer_id,subscriber_email,subscriber_status,change_status_at\n"


def order(number: int, state: str, first: str, email: str) -> str:
    return (
        f"{number},1000{number},{state},{state},,1,{email},{first},Guest,10.00,"
        "2026-11-04 09:00:00,2026-11-04 09:00:00\n"
    )


def policies(chain: Any, old: str, new: str) -> None:
    path = chain.mappings / "policies.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def names(chain: Any, object_name: str, field: str = "LastName") -> list[str]:
    return sorted(row[field] for row in chain.records(object_name, field))


def planned(chain: Any, day: date, stem: str) -> dict[str, dict[str, Any]]:
    """What a record is called → its row of the day's plan."""
    import duckdb

    plan = newest(Batch(chain.project, day))
    with duckdb.connect() as connection:
        rows = connection.sql(f"from '{plan.payload(stem)}'").to_arrow_table().to_pylist()
    return {row["Name" if stem == "account" else "FirstName"]: row for row in rows}


def test_guests_have_an_account_of_their_name_and_a_canceled_order_makes_nobody(
    make_chain: Any,
) -> None:
    chain = make_chain(SOURCES)
    orders = order(1, "complete", "Jo", "jo@x.org") + order(2, "canceled", "Kim", "kim@x.org")
    chain.put("orders", D1, "sales_order.csv", ORDERS + orders)
    chain.done(D1)
    [account] = chain.records("Account", "Name")
    assert account["Name"] == "Jo Guest"
    contacts = chain.records("Contact", "FirstName", "AccountId")
    assert [(row["FirstName"], row["AccountId"]) for row in contacts] == [("Jo", account["Id"])]
    reasons = {row["reason"] for row in chain.read("routes", D1)}
    assert any("ignore_states" in reason for reason in reasons)
    # What was canceled may be ordered after all.
    chain.put("orders", D2, "sales_order.csv", ORDERS + order(2, "processing", "Kim", "kim@x.org"))
    chain.done(D2)
    assert names(chain, "Contact", "FirstName") == ["Jo", "Kim"]


def test_one_account_for_a_list_takes_in_nobody_else(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    policies(chain, "  account: source_name ", "  account: {into: Fair Leads} ")
    chain.put("fair", D1, "f.csv", LIST + "1,Ada,Okafor,ada@acme.org,Acme,,,\n")
    chain.put("orders", D1, "sales_order.csv", ORDERS + order(1, "complete", "Jo", "jo@x.org"))
    chain.put("news", D1, "n.csv", NEWS + "21,0,reader.one@x.org,1,2026-11-04 08:00:00\n")
    chain.done(D1)
    assert names(chain, "Account", "Name") == ["Fair Leads", "Jo Guest"]
    companies = {
        row["LastName"]: row["Company"] for row in chain.records("Lead", "LastName", "Company")
    }
    assert "Fair Leads" not in companies.values()


def test_who_is_only_a_lead_says_nothing_of_a_companys_address(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put(
        "fair",
        D1,
        "f.csv",
        LIST + "1,Ada,Okafor,ada@acme.org,Acme,1 High St,Boston,2026-11-01 10:00:00\n",
    )
    chain.done(D1)
    chain.put(
        "prospects",
        D2,
        "p.csv",
        LIST + "7,Ida,Falk,ida@acme.org,Acme,9 Low St,Austin,2026-11-05 10:00:00\n",
    )
    chain.done(D2)
    [account] = chain.records("Account", "Name", "BillingStreet", "BillingCity")
    assert (account["BillingStreet"], account["BillingCity"]) == ("1 High St", "Boston")


def test_a_contact_who_changes_company_stays_and_says_so_and_makes_no_account(
    make_chain: Any,
) -> None:
    chain = make_chain(SOURCES)
    chain.put("fair", D1, "f.csv", LIST + "a6,Fay,Zeta,fay@h3.example,Acme3,,,\n")
    chain.done(D1)
    chain.put("fair", D2, "f.csv", LIST + "a6,Fay,Zeta,fay@h3.example,NewCo,,,\n")
    chain.done(D2)
    assert names(chain, "Account", "Name") == ["Acme3"]
    row = planned(chain, D2, "contact")["Fay"]
    assert row["action"] == "unchanged"
    assert {cell["field"]: cell["decision"] for cell in row["fields"]} == {
        "AccountId": "company_differs"
    }


def test_an_account_under_review_takes_in_nobody_new_but_its_contacts_go_on(
    make_chain: Any,
) -> None:
    chain = make_chain(SOURCES)
    client = chain.salesforce()
    first = client.Account.create({"Name": "Acme"})["id"]
    client.Contact.create(
        {"LastName": "Okafor", "FirstName": "Ada", "Email": "ada@acme.org", "AccountId": first}
    )
    client.Account.create({"Name": "Acme"})
    policies(chain, "  account: leave", "  account: review")
    people = "1,Ada,Okafor,ada@acme.org,Acme,5 High St,Boston,\n2,Ben,Moor,ben@acme.org,Acme,,,\n"
    chain.put("fair", D1, "f.csv", LIST + people)
    chain.done(D1)
    contacts = {
        row["FirstName"]: row
        for row in chain.records("Contact", "FirstName", "MailingStreet", "AccountId")
    }
    assert {name: row["MailingStreet"] for name, row in contacts.items()} == {"Ada": "5 High St"}
    rows = planned(chain, D1, "contact")
    assert rows["Ben"]["action"] == "hold"
    assert "the org has more than one" in rows["Ben"]["reason"]
    # Somebody says which of them it is.
    line = planned(chain, D1, "account")["Acme"]["decide"].splitlines()[0]
    chain.decide(f"{line},ann,2026-11-06,")
    chain.put("fair", D2, "f.csv", LIST + people)
    chain.done(D2)
    contacts = chain.records("Contact", "FirstName", "AccountId")
    assert {row["FirstName"]: row["AccountId"] for row in contacts} == {"Ada": first, "Ben": first}
    client.session.close()


def opted_out(chain: Any, object_name: str) -> dict[str, bool]:
    rows = chain.records(object_name, "Email", "HasOptedOutOfEmail")
    return {row["Email"]: row["HasOptedOutOfEmail"] for row in rows}


@pytest.mark.parametrize("adopted", [False, True])
def test_an_opt_out_reaches_a_lead_though_subscribers_do_not_sync(
    make_chain: Any, adopted: bool
) -> None:
    chain = make_chain(SOURCES)
    if adopted:
        client = chain.salesforce()
        lead = {
            "LastName": "One",
            "FirstName": "Reader",
            "Email": "reader.one@x.org",
            "Company": "X",
        }
        client.Lead.create(lead)
        client.session.close()
    else:
        chain.put("news", D1, "n.csv", NEWS + "21,0,reader.one@x.org,1,2026-11-04 08:00:00\n")
        chain.done(D1)
    policies(
        chain, "  as: lead                     # lead", "  as: none                     # lead"
    )
    before = chain.stamps()
    chain.put("news", D2, "n.csv", NEWS + "21,0,reader.one@x.org,1,2026-11-05 08:00:00\n"
              "22,0,reader.two@x.org,3,2026-11-05 08:00:00\n")  # fmt: skip
    chain.done(D2)
    assert chain.stamps() == before
    assert opted_out(chain, "Lead") == {"reader.one@x.org": False}
    chain.put("news", D3, "n.csv", NEWS + "21,0,reader.one@x.org,3,2026-11-06 08:00:00\n")
    chain.done(D3)
    assert opted_out(chain, "Lead") == {"reader.one@x.org": True}
    assert planned(chain, D3, "lead")["Reader"]["changed"] == ["HasOptedOutOfEmail"]
    again = chain.stamps()
    chain.done(D3)
    assert chain.stamps() == again


def test_an_account_whose_only_contact_is_refused_is_told_until_somebody_belongs_to_it(
    make_chain: Any,
) -> None:
    chain = make_chain(SOURCES)
    # The rules take a top-level domain in its ASCII spelling; this org does not.
    ben = "1,Ben,Voss,ben@post.xn--p1ai,Solo,,,\n"
    others = "2,Ada,Okafor,ada@acme.org,Acme,,,\n3,Cy,Holt,cy@post.xn--p1ai,Acme,,,\n"
    chain.put("fair", D1, "f.csv", LIST + ben + others)
    first = chain.causeway("sync", "--batch", str(D1))
    assert first.returncode == 1, first.stderr
    [solo] = [row["Id"] for row in chain.records("Account", "Name") if row["Name"] == "Solo"]
    [line] = childless(chain)
    assert line.startswith(
        f"Account Solo ({solo}): its Contact was rejected: INVALID_EMAIL_ADDRESS"
    )
    assert "1 account made for people whom Salesforce refused" in " ".join(first.stdout.split())
    # Every later batch tells of it, and its plan.
    chain.put("fair", D2, "f.csv", LIST + "4,Ida,Falk,ida@acme.org,Acme,,,\n")
    chain.done(D2)
    row = planned(chain, D2, "account")["Solo"]
    assert row["action"] == "unchanged"
    assert row["reason"].startswith("we made it, and nobody belongs to it: its Contact waits")
    [line] = childless(chain)
    assert line.startswith(f"Account Solo ({solo})")
    # Ben is put right: the account is his.
    chain.put("fair", D3, "f.csv", LIST + ben.replace("xn--p1ai", "example"))
    for _ in range(2):
        chain.done(D3)
        assert childless(chain) == []
    assert planned(chain, D3, "account")["Solo"]["reason"] is None
    contacts = chain.records("Contact", "FirstName", "AccountId")
    assert {row["FirstName"]: row["AccountId"] for row in contacts}["Ben"] == solo


def childless(chain: Any) -> list[str]:
    status: dict[str, list[str]] = json.loads(chain.causeway("status", "--json").stdout)
    return status["childless"]
