"""Taking back what a sync wrote: the org is as it was, and stays so until something else is wanted.

The tests tell one story, in the order in which they stand here.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests

from pipelines.undo.carry_out import carry_out
from pipelines.undo.make import plan_undo

DAYS = [date(2026, 11, day) for day in (2, 3, 4)]
HEADER = "First Name,Last Name,E-mail,Job Title,Phone,Company\n"
SOURCES = """\
sources:
  fair:
    entity: contacts
    preset: generic
    as: contact
"""
USERS = """\
users:
  - {first_name: Grace, last_name: Hopper, email: grace@example.com}
"""
STAMPS = ("SystemModstamp", "LastModified", "LastViewed", "LastReferenced", "LastActivity")

FIRST = {
    "ada": ("Ada", "Buyer", "+1 415 555 0101", "Acme"),
    "bea": ("Bea", "Clerk", "+1 415 555 0102", "Acme"),
    "dee": ("Dee", "Partner", "+1 415 555 0104", "Delta"),
}
SECOND = FIRST | {
    "ada": ("Ada", "Head of Buying", "+1 415 555 0101", "Acme"),
    "bea": ("Bea", "Head Clerk", "+1 415 555 0202", "Acme"),
    "eve": ("Eve", "Founder", "+1 415 555 0105", "Evergreen"),
}
THIRD = {"ada": ("Ada", "CEO", "+1 415 555 0101", "Acme")}


def people(rows: dict[str, tuple[str, ...]]) -> str:
    """A contact list."""
    lines = [
        f"{first},Example,{name}@example.com,{title},{phone},{company}\n"
        for name, (first, title, phone, company) in rows.items()
    ]
    return HEADER + "".join(lines)


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    """A pipeline whose org knows one of the people already, without our key."""
    from pipelines.local_org.catalog.load import TEMPLATE

    new_chain = make_chain(SOURCES, org=False)
    new_chain.project.local_org.mkdir(parents=True)
    setup = TEMPLATE.read_text().replace("users: []\n", USERS)
    (new_chain.project.local_org / "org.yaml").write_text(setup)
    new_chain.start_org()
    client = new_chain.salesforce()
    delta = client.Account.create({"Name": "Delta"})["id"]
    dee = {"FirstName": "Dee", "LastName": "Example", "Email": "dee@example.com"}
    client.Contact.create({**dee, "AccountId": delta, "Title": "Owner"})
    client.session.close()
    return new_chain


@pytest.fixture(scope="module")
def outputs() -> list[str]:
    """Everything that commands print."""
    return []


@pytest.fixture
def causeway(chain: Any, outputs: list[str]) -> Any:
    """Run a command; its exit code and what it prints, as JSON where asked for."""

    def run(*arguments: str) -> tuple[int, Any]:
        ran = chain.causeway(*arguments)
        outputs.extend((ran.stdout, ran.stderr))
        text = ran.stdout if ran.returncode != 2 else ran.stderr
        return ran.returncode, json.loads(text) if "--json" in arguments and text[
            0
        ] == "{" else text

    return run


def everything(chain: Any) -> dict[str, dict[str, Any]]:
    """Id → every field of every record, but for when and by whom it was touched last."""
    client, records_of = chain.salesforce(), {}
    for name in ("Account", "Contact", "Lead"):
        fields = [field["name"] for field in getattr(client, name).describe()["fields"]]
        compared = [field for field in fields if not field.startswith(STAMPS)]
        for row in client.query_all(f"select {', '.join(compared)} from {name}")["records"]:
            del row["attributes"]
            records_of[row["Id"]] = row
    client.session.close()
    return records_of


def by_name(chain: Any) -> dict[str, dict[str, Any]]:
    """First name → contact."""
    fields = ("FirstName", "Title", "Phone", "Causeway_Key__c", "AccountId")
    return {row["FirstName"]: row for row in chain.records("Contact", *fields)}


def sync(chain: Any, day: date) -> dict[str, dict[str, int]]:
    """Run a batch; object → outcomes."""
    chain.done(day)
    return {name: dict(counts) for name, counts in chain.outcomes(day).items()}


def grace(chain: Any) -> Any:
    """A session of another user of the org."""
    from pipelines.local_org import control

    org = control.status(chain.project.local_org)
    form = {"grant_type": "password", "username": "grace@example.com", "password": org["password"]}
    form |= {"client_id": org["client_id"], "client_secret": org["client_secret"]}
    token = requests.post(f"{org['http_url']}/services/oauth2/token", data=form, timeout=10).json()
    return f"{org['http_url']}/services/data/v67.0/sobjects", {
        "Authorization": f"Bearer {token['access_token']}"
    }


def change(chain: Any, object_name: str, sf_id: str, values: dict[str, Any]) -> None:
    """Let another user change a record."""
    sobjects, headers = grace(chain)
    url = f"{sobjects}/{object_name}/{sf_id}"
    assert requests.patch(url, json=values, headers=headers, timeout=10).status_code == 204


def test_the_org_is_as_before_in_every_field(chain: Any, causeway: Any) -> None:
    before = everything(chain)
    chain.put("fair", DAYS[0], "fair.csv", people(FIRST))
    result = chain.run(DAYS[0])
    assert result.success, result.error
    contacts = by_name(chain)
    assert set(contacts) == {"Ada", "Bea", "Dee"}
    assert all(row["Causeway_Key__c"] for row in contacts.values())
    assert contacts["Dee"]["Title"] == "Owner"  # adopted: only what was blank is filled
    assert contacts["Dee"]["Phone"] == "+1 415 555 0104"

    code, output = causeway("undo", result.run_id, "--plan-only")
    assert code == 0
    assert "Undo of 2026-11-02" in output
    assert "recycle bin" in output
    assert everything(chain) != before
    policies = chain.mappings / "policies.yaml"
    as_shipped = policies.read_text()
    guard = "max_delete: {share: 1%, above: 1}"
    policies.write_text(as_shipped.replace("max_delete: {share: 20%, above: 500}", guard))
    blocked = chain.causeway("undo", result.run_id, "--yes")
    assert blocked.returncode == 4
    assert "Contact: 2 to delete, with 3 of ours in the org; guards.max_delete" in blocked.stderr
    assert everything(chain) != before
    [plan_id] = re.findall(r"causeway plan --release (\S+);", blocked.stderr)
    assert causeway("plan", "--release", plan_id)[0] == 0
    code, done = causeway("undo", result.run_id, "--yes", "--json")
    assert code == 0, done
    assert done["planned"]["Contact"]["delete"] == 2
    assert done["planned"]["Contact"]["clear_key"] == 1
    assert done["objects"]["Account"]["deleted"] == 1
    assert done["proof"]["not_stored"] == 0
    assert everything(chain) == before
    policies.write_text(as_shipped)


def test_what_was_undone_stays_undone(chain: Any, causeway: Any) -> None:
    before = everything(chain)
    outcomes = sync(chain, DAYS[0])
    assert set(outcomes["Contact"]) == {"unchanged"}
    assert everything(chain) == before
    code, listed = causeway("release", "--list")
    assert code == 0
    assert "Contact  the record" in listed


def test_nothing_is_undone_twice_and_an_undo_not_at_all(chain: Any, causeway: Any) -> None:
    plans = sorted((chain.home / "plans").glob("2026-11-02-*/applied"))
    codes = {}
    for folder in plans:
        code, message = causeway("undo", folder.parent.name, "--yes")
        codes[folder.parent.name] = code, message
    assert {code for code, _ in codes.values()} == {2}
    message = " ".join(message for _, message in codes.values())
    assert "was undone already" in message
    assert "is an undo itself" in message
    code, message = causeway("undo", "2026-11-02-unknown")
    assert code == 2
    assert "there is no plan" in message


def test_release_brings_all_of_it_back(chain: Any, causeway: Any) -> None:
    code, released = causeway("release")
    assert code == 0
    assert "released" in released
    outcomes = sync(chain, DAYS[0])
    assert outcomes["Contact"] == {"created": 2, "updated": 1}
    contacts = by_name(chain)
    assert contacts["Dee"]["Phone"] == "+1 415 555 0104"
    assert all(row["Causeway_Key__c"] for row in contacts.values())


def test_what_others_have_touched_is_left_alone_and_told(chain: Any, causeway: Any) -> None:
    first = by_name(chain)
    chain.put("fair", DAYS[1], "fair.csv", people(SECOND))
    result = chain.run(DAYS[1])
    assert result.success, result.error
    contacts = by_name(chain)
    change(chain, "Contact", contacts["Bea"]["Id"], {"Phone": "+1 415 555 0999"})
    client = chain.salesforce()
    client.Task.create({"Subject": "Call", "WhoId": contacts["Eve"]["Id"]})
    client.session.close()
    code, done = causeway("undo", result.run_id, "--yes", "--json")
    assert code == 1  # something was left alone
    reasons = " ".join(done["left_alone"]["Contact"])
    assert "others have hung things on it: 1 Task" in reasons
    assert "1 Contact" in " ".join(done["left_alone"]["Account"])  # Eve stays, so her account does
    contacts = by_name(chain)
    assert contacts["Ada"]["Title"] == first["Ada"]["Title"] == "Buyer"
    assert contacts["Bea"]["Title"] == "Clerk"  # field by field: only her phone was changed since
    assert contacts["Bea"]["Phone"] == "+1 415 555 0999"
    assert contacts["Eve"]["Causeway_Key__c"]


def test_a_changed_source_value_is_written_again(chain: Any) -> None:
    chain.put("fair", DAYS[2], "fair.csv", people(THIRD))
    outcomes = sync(chain, DAYS[2])
    assert outcomes["Contact"]["updated"] == 1
    contacts = by_name(chain)
    assert contacts["Ada"]["Title"] == "CEO"
    assert contacts["Bea"]["Title"] == "Clerk"


def test_one_field_of_one_record_can_be_released(chain: Any, causeway: Any) -> None:
    code, _ = causeway("release", "Contact", "bea@example.com", "--field", "Title")
    assert code == 0
    sync(chain, DAYS[1])
    assert by_name(chain)["Bea"]["Title"] == "Head Clerk"
    assert by_name(chain)["Bea"]["Phone"] == "+1 415 555 0999"


def test_a_record_is_explained_field_by_field(chain: Any, causeway: Any) -> None:
    code, document = causeway("explain", "Contact", "ada@example.com", "--json")
    assert code == 0
    title = next(field for field in document["fields"] if field["field"] == "Title")
    assert (title["value"], title["wanted"]) == ("CEO", "CEO")
    [gave] = title["gave"]
    assert (gave["file"], gave["line"]) == ("fair/2026-11-04/fair.csv", 2)
    assert title["place"].startswith("contact.yaml:")
    assert title["written"]["batch"] == "2026-11-04"
    assert title["written"]["before"] == "Buyer"
    actions = [touch["action"] for touch in document["history"]]
    assert actions[0] == "update"
    assert {"restore", "delete", "create"} <= set(actions)
    code, output = causeway("explain", "Contact", "ada@example.com")
    assert code == 0
    assert "fair/2026-11-04/fair.csv:2" in output


def test_what_somebody_changed_is_explained(chain: Any, causeway: Any) -> None:
    code, document = causeway("explain", "Contact", "bea@example.com", "--json")
    assert code == 0
    phone = next(field for field in document["fields"] if field["field"] == "Phone")
    assert phone["value"] == "+1 415 555 0999"
    assert phone["note"]
    code, message = causeway("explain", "Contact", "nobody@example.com")
    assert code == 2
    assert "no Contact has the Id, e-mail address, key or name" in message


def test_an_edit_made_while_somebody_looks_at_the_undo_stands(chain: Any) -> None:
    """Between what is shown and what is sent lies the time that a person needs to say yes."""
    people_of_day = THIRD | {"flo": ("Flo", "Guest", "+1 415 555 0106", "Acme")}
    chain.put("fair", DAYS[2], "fair.csv", people(people_of_day))
    result = chain.run(DAYS[2])
    people_of_day["ada"] = ("Ada", "Chair", "+1 415 555 0101", "Acme")
    chain.put("fair", DAYS[2], "fair.csv", people(people_of_day))
    changed = chain.run(DAYS[2])
    for run, name, action in ((changed, "Ada", "restore"), (result, "Flo", "delete")):
        saved = plan_undo(chain.project, run.run_id)
        assert saved.objects["contact"].counts[action] == 1
        change(chain, "Contact", by_name(chain)[name]["Id"], {"Title": "Set by sales"})
        outcome = {
            result_of_object.object: result_of_object
            for result_of_object in carry_out(chain.project, saved).outcomes
        }["Contact"]
        assert outcome.counts["held"] == 1
        assert by_name(chain)[name]["Title"] == "Set by sales"
        [held_row] = [
            row for row in pq.read_table(outcome.path).to_pylist() if row["outcome"] == "held"
        ]
        assert held_row["code"] == "STALE"
        assert held_row["message"].endswith("Title became Set by sales; it is left alone")


def test_no_secret_of_the_org_is_anywhere_but_with_the_org(chain: Any, outputs: list[str]) -> None:
    from pipelines.local_org import control

    org = control.status(chain.project.local_org)
    token = re.compile(rb"00D\w{12}!AQ\w+")
    secrets = [org[name].encode() for name in ("client_secret", "password", "security_token")]
    paths: dict[bool, set[Path]] = {True: set(), False: set()}
    for path in chain.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if token.search(content) or any(secret in content for secret in secrets):
                paths[path.is_relative_to(chain.project.local_org)].add(path)
    assert paths[True]  # the search finds what is there
    assert paths[False] == set()
    printed = "".join(outputs).encode()
    assert len(printed) > 1000
    assert not token.search(printed)
    assert not any(secret in printed for secret in secrets)
