"""What only SOAP can do: conversion and merge (api-facts 4)."""

from typing import Any


def make(rest: Any, name: str, **values: Any) -> str:
    answer = rest("POST", f"sobjects/{name}", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def convert(rest: Any, lead: str, **values: str) -> Any:
    status = rest.query("SELECT ApiName FROM LeadStatus WHERE IsConverted = true")[0]["ApiName"]
    elements = {
        "convertedStatus": status,
        "doNotCreateOpportunity": "true",
        "leadId": lead,
    } | values
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in elements.items())
    call = f"<convertLead><leadConverts>{inner}</leadConverts></convertLead>"
    return rest.soap(call).find("{*}result")


def merge(rest: Any, name: str, master: str, victims: list[str], fields: str = "") -> Any:
    losers = "".join(f"<recordToMergeIds>{victim}</recordToMergeIds>" for victim in victims)
    record = f"<masterRecord><type>{name}</type><Id>{master}</Id>{fields}</masterRecord>"
    request = f"<mergeRequests>{record}{losers}</mergeRequests>"
    return rest.soap(f"<merge>{request}</merge>").find("{*}result")


def test_a_lead_becomes_an_account_and_a_contact(rest: Any, key: str) -> None:
    lead = make(
        rest, "Lead", LastName="Ito", Company=key, Email=f"{key}@x.org", LeadSource="Web", Phone="1"
    )
    done = convert(rest, lead)
    assert done.findtext("{*}success") == "true"
    account, contact = done.findtext("{*}accountId"), done.findtext("{*}contactId")
    read = rest("GET", f"sobjects/Contact/{contact}").json()
    assert (read["LastName"], read["Email"], read["AccountId"], read["LeadSource"]) == (
        "Ito",
        f"{key}@x.org",
        account,
        "Web",
    )
    assert rest("GET", f"sobjects/Account/{account}").json()["Name"] == key
    converted = rest("GET", f"sobjects/Lead/{lead}").json()
    assert (converted["IsConverted"], converted["ConvertedContactId"]) == (True, contact)
    late = rest("PATCH", f"sobjects/Lead/{lead}", json={"Phone": "2"})
    assert late.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"
    again = convert(rest, lead)
    assert again.findtext("{*}success") == "false"
    assert again.findtext("{*}errors/{*}statusCode") == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_a_conversion_fills_what_is_empty_in_existing_records(rest: Any, key: str) -> None:
    account = make(rest, "Account", Name=key)
    contact = make(rest, "Contact", LastName="Ito", AccountId=account, Title="Boss")
    lead = make(rest, "Lead", LastName="Ito", Company="other", Title="Clerk", Phone="1")
    done = convert(rest, lead, accountId=account, contactId=contact)
    assert done.findtext("{*}contactId") == contact
    read = rest("GET", f"sobjects/Contact/{contact}").json()
    assert (read["Title"], read["Phone"]) == ("Boss", "1")
    assert rest("GET", f"sobjects/Account/{account}").json()["Name"] == key


def test_a_conversion_needs_a_converted_status(rest: Any, key: str) -> None:
    done = convert(rest, make(rest, "Lead", LastName="Ito", Company=key), convertedStatus="Nope")
    assert done.findtext("{*}errors/{*}statusCode") == "INVALID_STATUS"


def test_a_merge_keeps_the_master_and_moves_the_children(rest: Any, key: str) -> None:
    master, victim = make(rest, "Account", Name=f"{key} A"), make(rest, "Account", Name=f"{key} B")
    contact = make(rest, "Contact", LastName="Ito", AccountId=victim)
    done = merge(rest, "Account", master, [victim], "<Phone>1</Phone>")
    assert (done.findtext("{*}id"), done.findtext("{*}success")) == (master, "true")
    assert done.findtext("{*}mergedRecordIds") == victim
    assert contact in {element.text for element in done.findall("{*}updatedRelatedIds")}
    assert rest("GET", f"sobjects/Contact/{contact}").json()["AccountId"] == master
    assert rest("GET", f"sobjects/Account/{master}").json()["Phone"] == "1"
    soql = f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{victim}'"
    loser = rest("GET", "queryAll", params={"q": soql}).json()["records"][0]
    assert (loser["IsDeleted"], loser["MasterRecordId"]) == (True, master)


def test_three_records_at_most_are_merged(rest: Any, key: str) -> None:
    ids = [make(rest, "Contact", LastName=key) for _ in range(4)]
    done = merge(rest, "Contact", ids[0], ids[1:])
    assert done.findtext("{*}success") == "false"
    assert len(rest.query(f"SELECT Id FROM Contact WHERE LastName = '{key}'")) == 4
