"""Who is in a plan besides the people its batch touched, and the reason that says so."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
import requests

from pipelines.local_org import control
from pipelines.local_org.catalog.load import TEMPLATE

DAYS = [date(2026, 11, day) for day in range(5, 10)]
SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""
USERS = "\nusers:\n  - {last_name: Lovelace, email: ada@example.com}\n"
ANEW, CHANGED = "changed since the last plan: contact.yaml", "its record changed in the org"


def put(chain: Any, day: date, *people: int) -> None:
    lines = "".join(f"{n},First{n},Last{n},p{n}@x.org,boss,Acme {n}\n" for n in people)
    chain.put("people", day, "p.csv", f"ID,First Name,Last Name,Email,Title,Company\n{lines}")


def scopes(chain: Any, day: date, name: str = "contact") -> dict[str, str]:
    """Last name (or name) → why the row is in the plan."""
    field = "Name" if name == "account" else "LastName"
    return {row[field]: row["scope"] for row in chain.read(f"plan_{name}", day)}


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES, org=False)
    folder = new_chain.project.local_org
    folder.mkdir(parents=True)
    (folder / "org.yaml").write_text(TEMPLATE.read_text() + USERS)
    new_chain.start_org()
    put(new_chain, DAYS[0], 1, 2)
    return new_chain.done(DAYS[0])


def test_a_batch_plans_whom_it_touches(chain: Any) -> None:
    put(chain, DAYS[1], 3)
    chain.done(DAYS[1])
    assert scopes(chain, DAYS[1]) == {"Last3": "touched by the batch"}


def test_a_changed_mapping_plans_everyone_once(chain: Any) -> None:
    path = chain.mappings / "contact.yaml"
    text = path.read_text()
    path.write_text(
        text.replace("{from: title, too_long: truncate}", "{from: title, transform: upper}")
    )
    put(chain, DAYS[2], 4)
    chain.done(DAYS[2])
    assert scopes(chain, DAYS[2]) == {
        "Last1": ANEW, "Last2": ANEW, "Last3": ANEW, "Last4": "touched by the batch",
    }  # fmt: skip
    assert set(scopes(chain, DAYS[2], "account").values()) == {ANEW, "touched by the batch"}
    assert Counter(row["Title"] for row in chain.records("Contact", "Title")) == {"BOSS": 4}
    put(chain, DAYS[3], 5)
    chain.done(DAYS[3])
    assert scopes(chain, DAYS[3]) == {"Last5": "touched by the batch"}


def test_a_record_that_somebody_changed_in_the_org_is_planned(chain: Any) -> None:
    org = control.status(chain.project.local_org)
    base = f"{org['http_url']}/services"
    grant = {
        "grant_type": "password", "client_id": org["client_id"],
        "client_secret": org["client_secret"], "username": "ada@example.com",
        "password": org["password"],
    }  # fmt: skip
    token = requests.post(f"{base}/oauth2/token", data=grant, timeout=10).json()
    [zoe] = [row for row in chain.records("Contact", "LastName") if row["LastName"] == "Last2"]
    answer = requests.patch(
        f"{base}/data/v67.0/sobjects/Contact/{zoe['Id']}", json={"Title": "Queen"},
        headers={"Authorization": f"Bearer {token['access_token']}"}, timeout=10,
    )  # fmt: skip
    assert answer.status_code == 204, answer.text
    put(chain, DAYS[4], 6)
    chain.done(DAYS[4])
    assert scopes(chain, DAYS[4]) == {"Last2": CHANGED, "Last6": "touched by the batch"}
    [changes] = [row["fields"] for row in chain.read("plan_contact", DAYS[4]) if row["fields"]]
    assert [(change["field"], change["decision"]) for change in changes] == [
        ("Title", "drift_kept")
    ]
