"""Search in its parameterised form, and plain SOSL."""

from typing import Any

import pytest


def ids_of(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {record["Id"] for record in answer.json()["searchRecords"]}


def test_words_find_records_of_the_objects_asked_for(rest: Any, key: str) -> None:
    account = rest("POST", "sobjects/Account", json={"Name": f"{key} Works"}).json()["id"]
    values = {"LastName": "Ito", "Email": f"{key}@x.org"}
    contact = rest("POST", "sobjects/Contact", json=values).json()["id"]
    body = {
        "q": key.upper(),
        "sobjects": [{"name": "Account", "fields": ["Id", "Name"]}, {"name": "Contact"}],
        "fields": ["Id"],
    }
    assert ids_of(rest("POST", "parameterizedSearch", json=body)) == {account, contact}
    by_url = {"q": f"{key} works", "sobject": "Account", "Account.fields": "Id,Name"}
    assert ids_of(rest("GET", "parameterizedSearch", params=by_url)) == {account}
    sosl = f"FIND {{{key}}} IN EMAIL FIELDS RETURNING Account(Id), Contact(Id, Name)"
    assert ids_of(rest("GET", "search", params={"q": sosl})) == {contact}


@pytest.mark.parametrize("query", ["", "FIND", "FIND {x}", "FIND {abc} RETURNING Banana(Id)"])
def test_searches_that_cannot_be(rest: Any, query: str) -> None:
    assert rest("GET", "search", params={"q": query}).status_code == 400
