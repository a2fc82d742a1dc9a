"""Queries: what they find, and how they are refused (api-facts 2.2 and 7)."""

from typing import Any

import pytest


@pytest.fixture(scope="module")
def world(rest: Any) -> dict[str, str]:
    """Three accounts and four contacts that only this module uses."""
    accounts = [
        {"Name": "Soql Alpha", "AnnualRevenue": 1500.5, "Rating": "Hot", "Site": "soql"},
        {"Name": "Soql beta", "AnnualRevenue": 10, "Rating": "Hot", "Site": "soql"},
        {"Name": "Soql O'Hara", "Site": "soql"},
    ]
    ids = {a["Name"]: _make(rest, "Account", a) for a in accounts}
    contacts = [
        {"LastName": "Ito", "FirstName": "Mei", "AccountId": ids["Soql Alpha"], "Title": "Boss"},
        {"LastName": "Abe", "FirstName": "Ken", "AccountId": ids["Soql Alpha"], "Title": None},
        {"LastName": "Ono", "AccountId": ids["Soql beta"], "Birthdate": "1990-05-06"},
        {"LastName": "Zen"},
    ]
    for contact in contacts:
        contact_id = _make(rest, "Contact", contact | {"Department": "soql"})
        ids[str(contact["LastName"])] = contact_id
    return ids


def _make(rest: Any, name: str, values: dict[str, Any]) -> str:
    answer = rest("POST", f"sobjects/{name}", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


CONTACTS = "SELECT LastName FROM Contact WHERE Department = 'soql'"


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ("AND Title = 'BOSS'", ["Ito"]),
        ("AND Title != 'boss'", ["Abe", "Ono", "Zen"]),
        ("AND Title = null", ["Abe", "Ono", "Zen"]),
        ("AND (Title != null OR Birthdate > 1990-01-01)", ["Ito", "Ono"]),
        ("AND (NOT LastName LIKE '%E%')", ["Ito", "Ono"]),
        ("AND LastName IN ('ito','ono')", ["Ito", "Ono"]),
        ("AND LastName NOT IN ('ito','ono')", ["Abe", "Zen"]),
        ("AND Account.Name = 'soql alpha'", ["Abe", "Ito"]),
        ("AND Account.AnnualRevenue < 100", ["Ono"]),
        ("AND AccountId IN (SELECT Id FROM Account WHERE Rating = 'Hot')", ["Abe", "Ito", "Ono"]),
        ("AND AccountId NOT IN (SELECT Id FROM Account WHERE Rating = 'Hot')", ["Zen"]),
        ("AND CreatedDate = TODAY", ["Abe", "Ito", "Ono", "Zen"]),
        ("AND CreatedDate < LAST_N_DAYS:3", []),
        (
            "AND SystemModstamp > 2020-01-01T00:00:00Z AND IsDeleted = false AND Title = 'Boss'",
            ["Ito"],
        ),
        ("AND Owner.IsActive = true AND FirstName = 'ken'", ["Abe"]),
        ("AND Name = 'mei ito'", ["Ito"]),
    ],
)
def test_filters(rest: Any, world: dict[str, str], more: str, names: list[str]) -> None:
    contacts = rest.query(f"{CONTACTS} {more} ORDER BY LastName")
    assert [r["LastName"] for r in contacts] == names


def test_strings_escape(rest: Any, world: dict[str, str]) -> None:
    accounts = rest.query(r"SELECT Id FROM Account WHERE Name = 'Soql O\'Hara'")
    assert accounts == [{"Id": world["Soql O'Hara"]}]
    assert rest.query(r"SELECT Id FROM Account WHERE Name LIKE 'Soql\_%'") == []


def test_parents_and_children(rest: Any, world: dict[str, str]) -> None:
    soql = (
        "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName), "
        "(SELECT Id FROM Opportunities) FROM Account WHERE Site = 'soql' ORDER BY Name"
    )
    alpha, beta, ohara = rest("GET", "query", params={"q": soql}).json()["records"]
    assert [c["LastName"] for c in alpha["Contacts"]["records"]] == ["Abe", "Ito"]
    assert (beta["Contacts"]["totalSize"], ohara["Contacts"]) == (1, None)
    assert alpha["Opportunities"] is None
    limited = soql.replace("ORDER BY LastName", "ORDER BY LastName DESC LIMIT 1")
    first = rest("GET", "query", params={"q": limited}).json()["records"][0]
    assert [c["LastName"] for c in first["Contacts"]["records"]] == ["Ito"]


def test_null_parents_are_null(rest: Any, world: dict[str, str]) -> None:
    contacts = rest.query(
        f"SELECT Account.Name, Account.Owner.Name FROM Contact WHERE Id = '{world['Zen']}'"
    )
    assert contacts == [{"Account": None}]


def test_order_limit_offset(rest: Any, world: dict[str, str]) -> None:
    def names(more: str) -> list[str]:
        return [r["LastName"] for r in rest.query(f"{CONTACTS} {more}")]

    assert names("ORDER BY Title NULLS LAST, LastName DESC") == ["Ito", "Zen", "Ono", "Abe"]
    assert names("ORDER BY Title, LastName") == ["Abe", "Ono", "Zen", "Ito"]
    assert names("ORDER BY LastName LIMIT 2 OFFSET 1") == ["Ito", "Ono"]
    assert names("ORDER BY Account.Name NULLS LAST, LastName FOR VIEW")[0] == "Abe"


def test_aggregates(rest: Any, world: dict[str, str]) -> None:
    soql = (
        "SELECT Rating, COUNT(Id) n, SUM(AnnualRevenue), MAX(Name) FROM Account "
        "WHERE Site = 'soql' GROUP BY Rating HAVING COUNT(Id) > 1"
    )
    records = rest("GET", "query", params={"q": soql}).json()["records"]
    assert records == [
        {
            "attributes": {"type": "AggregateResult"},
            "Rating": "Hot",
            "n": 2,
            "expr0": 1510.5,
            "expr1": "Soql beta",
        }
    ]
    counted = rest("GET", "query", params={"q": "SELECT COUNT() FROM Account WHERE Site='soql'"})
    assert counted.json() == {"totalSize": 3, "done": True, "records": []}
    years = rest.query(
        "SELECT CALENDAR_YEAR(Birthdate) y, COUNT_DISTINCT(LastName) FROM Contact "
        "WHERE Department = 'soql' AND Birthdate != null GROUP BY CALENDAR_YEAR(Birthdate)"
    )
    assert years == [{"y": 1990, "expr0": 1}]


def test_fields_functions(rest: Any, world: dict[str, str]) -> None:
    every = rest.query("SELECT FIELDS(ALL) FROM Contact LIMIT 1")[0]
    custom = rest.query("SELECT FIELDS(CUSTOM) FROM Contact LIMIT 1")[0]
    assert {"Id", "Name", "Causeway_Key__c"} <= set(every)
    assert "Causeway_Key__c" in custom
    assert all(name.endswith("__c") for name in custom)


def test_deleted_records_show_in_query_all(rest: Any, key: str) -> None:
    lead_id = _make(rest, "Lead", {"LastName": key, "Company": "x"})
    rest("DELETE", f"sobjects/Lead/{lead_id}")
    soql = f"SELECT Id FROM Lead WHERE LastName = '{key}'"
    assert rest.query(soql) == []
    assert rest("GET", "queryAll", params={"q": soql}).json()["totalSize"] == 1


def test_pages_follow_a_snapshot(rest: Any, key: str) -> None:
    lines = "\n".join(f"{key},{n}" for n in range(500))
    rest.ingest(f"Company,LastName\n{lines}\n", object="Lead", operation="insert")
    page = rest(
        "GET",
        "query",
        params={"q": f"SELECT LastName FROM Lead WHERE Company = '{key}'"},
        headers={"Sforce-Query-Options": "batchSize=200"},
    ).json()
    assert (page["totalSize"], page["done"], len(page["records"])) == (500, False, 200)
    assert page["nextRecordsUrl"].endswith("-200")
    _make(rest, "Lead", {"LastName": "late", "Company": key})
    count = len(page["records"])
    while not page["done"]:
        page = rest(
            "GET", page["nextRecordsUrl"], headers={"Sforce-Query-Options": "batchSize=200"}
        ).json()
        count += len(page["records"])
    assert count == 500
    lost = rest("GET", "query/01g000000000000AAA-2000")
    assert (lost.status_code, lost.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_unknown_field_is_marked(rest: Any) -> None:
    answer = rest("GET", "query", params={"q": "SELECT Foo FROM Account"})
    assert answer.status_code == 400
    assert answer.json() == [
        {
            "message": "\nSELECT Foo FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such "
            "column 'Foo' on entity 'Account'. If you are attempting to use a custom field, be "
            "sure to append the '__c' after the custom field name. Please reference your WSDL or "
            "the describe call for the appropriate names.",
            "errorCode": "INVALID_FIELD",
        }
    ]


def test_unknown_object_is_marked(rest: Any) -> None:
    message = rest("GET", "query", params={"q": "select count() from XYZZY"}).json()[0]["message"]
    # Recorded from a real org.
    assert message == (
        "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject "
        "type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to "
        "append the '__c' after the entity name. Please reference your WSDL or the describe call "
        "for the appropriate names."
    )


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT", "MALFORMED_QUERY"),
        ("SELECT FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Site = 'b' OR Site = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Id IN ('a',)", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'open", "MALFORMED_QUERY"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account ALL ROWS", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE CreatedDate = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE IsDeleted = 'true'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate = SOMEDAY", "MALFORMED_QUERY"),
        ("SELECT Banana.Id FROM Account", "INVALID_FIELD"),
        ("SELECT (SELECT Id FROM Bananas) FROM Account", "INVALID_TYPE"),
        ("SELECT Id FROM Account LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Birthdate = 2024-02-31", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE Birthdate = 2024-02-31", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account LIMIT -1", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE MailingAddress = null", "INVALID_FIELD"),
        ("SELECT Id, Name, id FROM Contact", "INVALID_FIELD"),
        ("SELECT Description, COUNT(Id) FROM Contact GROUP BY Description", "INVALID_FIELD"),
        ("SELECT Id FROM Task WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact WHERE LastName INCLUDES ('x')", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Contact WHERE COUNT(Id) > 1", "MALFORMED_QUERY"),
        ("SELECT What.Industry FROM Task", "INVALID_FIELD"),
        ("SELECT TYPEOF Account WHEN Account THEN Name END FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2024-13-45T00:00:00Z", "MALFORMED_QUERY"),
    ],
)
def test_refusals(rest: Any, soql: str, code: str) -> None:
    answer = rest("GET", "query", params={"q": soql})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_many_ids(rest: Any, world: dict[str, str]) -> None:
    ids = ",".join([f"'{world['Ito']}'"] * 400)
    assert len(rest.query(f"SELECT Id FROM Contact WHERE Id IN ({ids})")) == 1
    short = world["Ito"][:15]
    assert len(rest.query(f"SELECT Id FROM Contact WHERE Id = '{short}'")) == 1


def test_parents_of_several_kinds(rest: Any, key: str) -> None:
    account = _make(rest, "Account", {"Name": f"{key} Ltd", "Type": "Prospect", "Phone": "123"})
    contact = _make(rest, "Contact", {"LastName": key, "Email": f"{key}@example.com"})
    lead = _make(rest, "Lead", {"LastName": key, "Company": "Lead Co"})
    subject = {"Subject": key}
    _make(rest, "Task", subject | {"WhatId": account, "WhoId": contact})
    _make(rest, "Task", subject | {"WhoId": lead})

    def tasks(items: str, more: str = "") -> list[dict[str, Any]]:
        soql = f"SELECT {items} FROM Task WHERE Subject = '{key}' {more} ORDER BY Id"
        return [_bare(record) for record in rest.query(soql)]

    assert tasks("what.type, WHO.Type, Who.Email, What.Name") == [
        {
            "What": {"Type": "Account", "Name": f"{key} Ltd"},
            "Who": {"Type": "Contact", "Email": f"{key}@example.com"},
        },
        {"What": None, "Who": {"Type": "Lead", "Email": None}},
    ]
    assert len(tasks("Id", "AND What.Type = 'account'")) == 1
    assert len(tasks("Id", "AND Who.Type IN ('Contact', 'Lead')")) == 2
    typed = "TYPEOF Who WHEN Contact THEN Email, Owner.IsActive WHEN Lead THEN Company END"
    assert tasks(typed) == [
        {"Who": {"Email": f"{key}@example.com", "Owner": {"IsActive": True}}},
        {"Who": {"Company": "Lead Co"}},
    ]
    assert tasks("TYPEOF What WHEN Account THEN Phone END") == [
        {"What": {"Phone": "123"}},
        {"What": None},
    ]
    assert tasks("TYPEOF Who WHEN Lead THEN Company ELSE Type END")[0] == {
        "Who": {"Type": "Contact"}
    }
    owners = rest.query(f"SELECT Owner.Type FROM Lead WHERE Id = '{lead}'")
    assert _bare(owners[0]) == {"Owner": {"Type": "User"}}


def _bare(value: Any) -> Any:
    """A record without attributes, whatever it holds."""
    if not isinstance(value, dict):
        return value
    return {name: _bare(inner) for name, inner in value.items() if name != "attributes"}


def test_columns(rest: Any) -> None:
    soql = (
        "SELECT name, owner.NAME, (SELECT lastname FROM contacts) FROM account WHERE Name = 'None'"
    )
    answer = rest("GET", "query", params={"q": soql, "columns": "true"}).json()
    facts = (answer["entityName"], answer["idSelected"], answer["keyPrefix"], answer["groupBy"])
    assert facts == ("Account", False, "001", False)
    name, owner, contacts = answer["columnMetadata"]
    assert name == {
        "aggregate": False,
        "apexType": "String",
        "booleanType": False,
        "columnName": "Name",
        "custom": False,
        "displayName": "Name",
        "foreignKeyName": None,
        "insertable": True,
        "joinColumns": [],
        "numberType": False,
        "textType": True,
        "updatable": True,
    }
    assert (owner["columnName"], owner["foreignKeyName"]) == ("Owner", "OwnerId")
    assert [column["columnName"] for column in owner["joinColumns"]] == ["Name"]
    assert (contacts["columnName"], contacts["aggregate"]) == ("Contacts", True)
    assert [column["columnName"] for column in contacts["joinColumns"]] == ["LastName"]
    soql = "SELECT Industry, Avg(annualrevenue) FROM Account GROUP BY Industry"
    answer = rest("GET", "query", params={"q": soql, "columns": "true"}).json()
    average = answer["columnMetadata"][1]
    assert (average["displayName"], average["columnName"]) == ("avg(AnnualRevenue)", "expr0")
    assert (average["aggregate"], average["numberType"], answer["groupBy"]) == (True, True, True)


def test_names_are_spelled_as_the_api_does(rest: Any) -> None:
    answer = rest("GET", "query", params={"q": "select id, NAME from user limit 1"})
    assert list(answer.json()["records"][0]) == ["attributes", "Id", "Name"]
    # A client that keeps headers in a plain dict finds them by these names.
    names = {name for name, _ in answer.raw.headers.items()}
    assert {"Content-Type", "Sforce-Limit-Info", "Date"} <= names
