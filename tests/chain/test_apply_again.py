"""What was refused waits until something changes; what changed in the org meanwhile is not sent."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import yaml

from pipelines.apply.objects import apply
from pipelines.batch import Batch
from pipelines.errors import Blocked, ConfigError
from pipelines.plan.make import newest
from pipelines.undo.make import plan_undo

DAY, NEXT, LAST = (date(2026, 11, day) for day in (5, 6, 7))
SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""
RULE = """
validation_rules:
  - {name: Refused, object: Contact, when: Title = 'refused', message: not this title, field: Title}
"""


def people(titles: list[str]) -> str:
    rows = (f"{n},First{n},Last{n},p{n}@acme.example,Acme,{t}\n" for n, t in enumerate(titles))
    return "ID,First Name,Last Name,Email,Company,Title\n" + "".join(rows)


def ruled(chain: Any, rule: str) -> None:
    """Start the org with a rule, or without."""
    chain.start_org()
    chain.stop_org()
    path = chain.project.local_org / "org.yaml"
    text = path.read_text().split("\nvalidation_rules:")[0].replace("validation_rules: []", "")
    path.write_text(text + rule)
    chain.start_org()


def refused(chain: Any, day: date) -> tuple[int, str]:
    """How often the one refused row was sent, and what is said of it."""
    rows = [r for r in chain.read("salesforce_contact", day) if r["outcome"] == "rejected"]
    [row] = rows
    assert row["code"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    return row["attempts"], row["message"]


def test_a_refused_row_goes_again_only_when_something_changed(make_chain: Any) -> None:
    chain = make_chain(SOURCES, org=False)
    ruled(chain, RULE)
    chain.put("people", DAY, "people.csv", people(["refused", "Chair"]))
    assert refused(chain.done(DAY), DAY) == (1, "not this title")
    attempts, message = refused(chain.done(DAY), DAY)
    assert attempts == 0
    assert message == "refused before, and nothing of it has changed since: not this title"
    assert refused(chain.done(DAY), DAY) == (0, message)

    chain.put("people", DAY, "people.csv", people(["refused", "Chair"]).replace("First0", "Ada"))
    assert refused(chain.done(DAY), DAY) == (1, "not this title")

    assert json.loads(chain.causeway("retry", "--code", "OTHER", "--json").stdout)["retried"] == {}
    ran = chain.causeway("retry", "--object", "contact", "--json")
    assert json.loads(ran.stdout)["retried"] == {"Contact": 1}
    assert refused(chain.done(DAY), DAY)[0] == 1
    assert refused(chain.done(DAY), DAY)[0] == 0

    ruled(chain, "\nvalidation_rules: []\n")
    assert "1 row goes again" in chain.causeway("retry").stdout
    assert chain.done(DAY).outcomes(DAY)["Contact"]["created"] == 1


@pytest.fixture(scope="module")
def planned(make_chain: Any) -> Any:
    """Four people whose titles are to change; one record moved, one went, one is there already."""
    chain = make_chain(SOURCES)
    chain.put("people", DAY, "people.csv", people(["Old"] * 5))
    chain.done(DAY)
    chain.put("people", NEXT, "people.csv", people(["New"] * 5))
    assert chain.run(NEXT, plan_only=True).success
    ids = {row["LastName"]: row["Id"] for row in chain.records("Contact", "LastName")}
    client = chain.salesforce()
    client.Contact.update(ids["Last0"], {"Title": "Set by sales"})
    client.Contact.delete(ids["Last1"])
    client.Contact.update(ids["Last2"], {"Title": "New"})  # as a dead run of ours would
    client.Contact.update(ids["Last3"], {"Fax": "030 1"})  # no field of the plan
    client.session.close()
    return chain


def test_strict_sends_nothing_once_a_record_has_changed(planned: Any) -> None:
    strict = replace(planned.project, strict=True)
    apply(Batch(strict, NEXT), "account")
    with pytest.raises(Blocked, match="2 of 5 records of Contact") as error:
        apply(Batch(strict, NEXT), "contact")
    assert "Title became Set by sales" in str(error.value)
    assert "--strict allows none" in str(error.value)


def test_what_changed_since_it_was_planned_is_planned_anew(planned: Any) -> None:
    apply(Batch(planned.project, NEXT), "contact")
    outcomes = {row["outcome"] for row in planned.read("salesforce_contact", NEXT)}
    assert outcomes == {"updated", "held"}
    stale = [row for row in planned.read("salesforce_contact", NEXT) if row["outcome"] == "held"]
    assert [row["code"] for row in stale] == ["STALE", "STALE"]
    whys = sorted(row["message"] for row in stale)
    assert "Title became Set by sales" in whys[0]
    assert "it was deleted" in whys[1]
    titles = {row["LastName"]: row["Title"] for row in planned.records(
        "Contact", "LastName", "Title"
    )}  # fmt: skip
    assert titles == {"Last0": "Set by sales", "Last2": "New", "Last3": "New", "Last4": "New"}

    planned.done(NEXT)
    assert planned.outcomes(NEXT)["Contact"]["held"] == 1  # deleted_in_org: leave
    titles = {row["Title"] for row in planned.records("Contact", "Title")}
    assert titles == {"New"}  # both moved: the source wins


def test_a_key_field_that_the_org_lost_since_the_plan_is_told_and_nothing_is_sent(
    planned: Any,
) -> None:
    """Without it no create could be repeated, and nobody would know whose a record is."""
    planned.put("people", LAST, "people.csv", people(["Newest"] * 6))
    assert planned.run(LAST, plan_only=True).success
    before = planned.stamps()
    path = planned.project.local_org / "org.yaml"
    shipped = path.read_text()
    document = yaml.safe_load(shipped)
    del document["fields"]["Contact"]["Causeway_Key__c"]
    planned.stop_org()
    path.write_text(yaml.safe_dump(document))
    planned.start_org()
    apply(Batch(planned.project, LAST), "account")
    for run in (
        lambda: apply(Batch(planned.project, LAST), "contact"),
        lambda: plan_undo(planned.project, newest(Batch(planned.project, NEXT)).plan_id),
    ):
        with pytest.raises(ConfigError, match=r"contact\.yaml:\d+: .*causeway org setup"):
            run()
    planned.stop_org()
    path.write_text(shipped)
    planned.start_org()
    assert planned.stamps() == before
    planned.done(LAST)
    assert {row["Title"] for row in planned.records("Contact", "Title")} == {"Newest"}
