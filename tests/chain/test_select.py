"""Of which rows somebody is written: ``select`` of a source, and lists with ``as: none``."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import yaml

D1, D2 = date(2026, 11, 5), date(2026, 11, 6)

FAIR = {"entity": "contacts", "preset": "generic", "as": "contact"}
SOURCES = {
    "fair": FAIR,
    "book": {**FAIR, "as": "lead"},
    "news": {"preset": "magento_subscriber_table"},
}
HEAD = "ID,First Name,Last Name,Email,Company,List Name,List ID,Title\n"
PEOPLE = HEAD + (
    "1,Ada,Okafor,ada@x.org,Acme,West,17,\n"
    "2,Ben,Voss,ben@x.org,Blue,East,18,\n"
    "3,Cy,Dahl,cy@x.org,Acme,East,18,\n"
    "4,Di,Marsh,di@x.org,Zeta,,,\n"
)
NEWS = "subscriber_id,customer_id,subscriber_email,subscriber_status,change_status_at\n"


def sources(**changes: dict[str, Any]) -> str:
    changed = {name: {**one, **changes.get(name, {})} for name, one in SOURCES.items()}
    return yaml.safe_dump({"sources": changed})


def names(chain: Any, object_name: str, field: str = "LastName") -> list[str]:
    return sorted(row[field] for row in chain.records(object_name, field))


def opted_out(chain: Any) -> dict[str, bool]:
    rows = chain.records("Contact", "LastName", "HasOptedOutOfEmail")
    return {row["LastName"]: row["HasOptedOutOfEmail"] for row in rows}


@pytest.mark.parametrize(
    ("select", "written", "accounts"),
    [
        ({"lists": ["West"]}, ["Okafor"], ["Acme"]),
        ({"lists": [18]}, ["Dahl", "Voss"], ["Acme", "Blue"]),
        ({"ids": [4, "2"]}, ["Marsh", "Voss"], ["Blue", "Zeta"]),
        ({"lists": ["West"], "ids": [4]}, ["Marsh", "Okafor"], ["Acme", "Zeta"]),
    ],
)
def test_nobody_is_written_whom_no_row_selects(
    make_chain: Any, select: Any, written: list[str], accounts: list[str]
) -> None:
    chain = make_chain(sources(fair={"select": select}))
    chain.put("fair", D1, "f.csv", PEOPLE)
    chain.done(D1)
    assert len(chain.read("people", D1)) == 4
    assert names(chain, "Contact") == written
    assert names(chain, "Account", "Name") == accounts
    # What the selection left out was only not written.
    (chain.mappings / "sources.yaml").write_text(sources())
    chain.put("book", D2, "b.csv", HEAD)
    chain.done(D2)
    assert names(chain, "Contact") == ["Dahl", "Marsh", "Okafor", "Voss"]
    assert names(chain, "Account", "Name") == ["Acme", "Blue", "Zeta"]


def test_whoever_any_source_selects_is_written_with_all_that_is_known(make_chain: Any) -> None:
    chain = make_chain(sources(fair={"select": {"ids": [4]}, "priority": 10}))
    chain.put("fair", D1, "f.csv", PEOPLE.replace("17,\n", "17,Boss\n"))
    chain.put("book", D1, "b.csv", HEAD + "9,Ada,Okafor,ada@x.org,Acme,,,\n")
    chain.done(D1)
    contacts = {row["LastName"]: row["Title"] for row in chain.records("Contact")}
    assert contacts == {"Marsh": None, "Okafor": "Boss"}
    assert names(chain, "Lead") == []


def test_a_record_that_is_there_stays_as_it_is_but_for_an_opt_out(make_chain: Any) -> None:
    chain = make_chain(sources())
    chain.put("fair", D1, "f.csv", PEOPLE)
    chain.done(D1)
    client = chain.salesforce()
    stranger = {"LastName": "Quill", "FirstName": "Fay", "Email": "fay@x.org"}
    client.Contact.create(stranger)
    client.session.close()
    before = {row["LastName"]: row for row in chain.records("Contact")}
    # The newsletter would select all of its readers; so it selects somebody else.
    changed = sources(fair={"select": {"lists": ["West"]}}, news={"select": {"ids": ["77"]}})
    (chain.mappings / "sources.yaml").write_text(changed)
    chain.put("fair", D2, "f.csv", HEAD + "1,Ada,Okafor,ada@x.org,Acme,West,,CEO\n"
              "2,Ben,Voss,ben@x.org,Blue Ltd,East,,CTO\n5,Fay,Quill,fay@x.org,Acme,East,,CFO\n"
              "6,Gus,Tarr,gus@x.org,Tarr,East,,\n")  # fmt: skip
    unsubscribed = "".join(
        f"{n},0,{name}@x.org,3,2026-11-05 08:00:00\n" for n, name in ((1, "ben"), (2, "fay"))
    )
    chain.put("news", D2, "n.csv", NEWS + unsubscribed)
    chain.done(D2)
    after = {row["LastName"]: row for row in chain.records("Contact")}
    assert after["Okafor"]["Title"] == "CEO"
    out = {"HasOptedOutOfEmail": True}
    assert after == before | {
        "Okafor": before["Okafor"] | {"Title": "CEO"},
        "Voss": before["Voss"] | out,
        "Quill": before["Quill"] | out,
    }
    assert names(chain, "Account", "Name") == ["Acme", "Blue", "Zeta"]
    reasons = {row["reason"] for row in chain.read("plan_contact", D2) if row["changed"]}
    assert "only its opt-out is sent: no source selects them (select, in sources.yaml)" in reasons
    stamps = chain.stamps()
    chain.done(D2)
    assert chain.stamps() == stamps


def test_a_list_that_does_not_sync_asks_for_nobody(make_chain: Any) -> None:
    rule = {"lists": {"East": {"as": "none"}}}
    chain = make_chain(sources(fair=rule))
    chain.put("fair", D1, "f.csv", PEOPLE)
    # Ben is on a list of Leads besides, and Cy on none.
    chain.put("book", D1, "b.csv", HEAD + "9,Ben,Voss,ben@x.org,Blue,,,\n")
    chain.done(D1)
    assert names(chain, "Contact") == ["Marsh", "Okafor"]
    assert names(chain, "Lead") == ["Voss"]
    assert names(chain, "Account", "Name") == ["Acme", "Zeta"]
    routes = {row["entity_key"]: row["reason"] for row in chain.read("routes", D1)}
    [cy] = [row["person_key"] for row in chain.read("people", D1) if row["last_name"] == "Dahl"]
    assert routes[cy] == "the list East does not sync (as: none)"


def test_a_selection_that_no_row_fits_is_told_with_its_line(make_chain: Any) -> None:
    select = {"lists": ["Wset", "West"], "ids": ["4", "44"]}
    chain = make_chain(sources(fair={"select": select}))
    chain.put("fair", D1, "f.csv", PEOPLE)
    synced = chain.causeway("sync", "--batch", str(D1))
    assert synced.returncode == 0, synced.stderr
    assert "2 people are not selected (select and as: none, in sources.yaml)" in synced.stdout
    told = json.loads(chain.causeway("plan", "--json").stdout)["notices"]
    checked = json.loads(chain.causeway("check", "--json").stdout)["notices"]
    text = (chain.mappings / "sources.yaml").read_text().splitlines()
    for value, hint in (("Wset", "the list 'Wset'; did you mean 'West'?"), ("44", "the id '44'")):
        line = next(n for n, one in enumerate(text, start=1) if one.strip(" -'") == value)
        [notice] = [one for one in told if hint in one]
        assert f"sources.yaml:{line}: no row of fair that has landed is of {hint}" in notice
        assert [one["line"] for one in checked if hint in one["message"]] == [line]
    document = json.loads(chain.causeway("status", "--json").stdout)
    assert document["unselected"] == 2


@pytest.mark.parametrize(
    ("source", "select", "message"),
    [
        ("fair", {}, "names no row"),
        ("fair", {"list": ["West"]}, "list"),
        ("news", {"lists": ["West"]}, "'lists' is for contact lists"),
    ],
)
def test_a_selection_that_could_do_nothing_is_refused(
    make_chain: Any, source: str, select: Any, message: str
) -> None:
    chain = make_chain(sources(**{source: {"select": select}}), org=False)
    error = str(chain.refused(D1))
    assert message in error
    assert "sources.yaml:" in error
