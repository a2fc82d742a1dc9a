"""More mapping files than the three that ship: other objects, and a second mapping of one object.

Nothing but the files says so. The tests tell one story, in the order in which they stand here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from typing import Any

import pytest

from pipelines.apply.proofs import recorded
from pipelines.apply.prove import prove
from pipelines.batch import Batch
from pipelines.errors import ConfigError
from pipelines.org.setup import set_up
from pipelines.plan.make import newest
from pipelines.relations import prepare
from pipelines.run import Run
from pipelines.stages import STAGES, run_stage
from pipelines.undo.carry_out import carry_out
from pipelines.undo.make import plan_undo

DAYS = [date(2026, 11, day) for day in (2, 3, 4, 5)]
HEADER = "ID,First Name,Last Name,Email,Company\n"
SOURCES = """\
sources:
  fair: {entity: contacts, preset: generic, as: contact}
  webinar: {entity: contacts, preset: generic, as: lead}
"""
FILES = {
    "campaign": """\
object: Campaign
from: accounts
key: Causeway_Key__c
where: not name_generated
fields:
  Name: {from: name, too_long: truncate}
  IsActive: {value: true}
""",
    "campaign_member": """\
object: CampaignMember
from: people
key: Causeway_Key__c
where: route = 'Contact'
fields:
  CampaignId: {lookup: Campaign, by: account_key, when: insert}
  ContactId: {lookup: Contact, by: person_key, when: insert}
""",
    "webinar_lead": """\
object: Lead
from: people
key: Causeway_Key__c
where: route = 'Lead' and last_name = 'Webinar'
match: [key, email]
fields:
  LastName: last_name
  FirstName: first_name
  Email: email
  Company: {from: company, default: "[not provided]"}
  LeadSource: {value: Partner, when: insert}
""",
}


def people(*named: tuple[str, str, str]) -> str:
    lines = (f"{n},{first},{last},{first}@x.org,{company}\n" for n, (first, last, company)
             in enumerate(named))  # fmt: skip
    return HEADER + "".join(lines).lower().replace("webinar", "Webinar").replace("other", "Other")


def run(chain: Any, day: date) -> dict[str, Counter[str]]:
    """Every stage of a batch and its proof; mapping → outcomes."""
    prepare(chain.project)
    for name in STAGES:
        run_stage(name, Run(chain.project, day))
    plan = newest(Batch(chain.project, day))
    outcomes = {}
    for stem in plan.objects:
        assert prove(chain.project, stem, plan).not_stored == 0
        rows = chain.read(f"salesforce_{stem}", day)
        outcomes[stem] = Counter(row["outcome"] for row in rows)
    return outcomes


def records_of(chain: Any, object_name: str, *fields: str) -> list[tuple[Any, ...]]:
    """Fields of every record of ours, as simple-salesforce reads them."""
    client = chain.salesforce()
    records = client.query_all(
        f"select {', '.join(fields)} from {object_name} where Causeway_Key__c != null"
    )["records"]
    client.session.close()
    rows = []
    for record in records:
        values = []
        for name in fields:
            value = record
            for part in name.split("."):
                value = value[part]
            values.append(value)
        rows.append(tuple(values))
    return sorted(rows)


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES)
    for stem, text in FILES.items():
        (new_chain.mappings / f"{stem}.yaml").write_text(text)
    lead = new_chain.mappings / "lead.yaml"
    text = lead.read_text()
    condition = "where: route = 'Lead' and last_name is distinct from 'Webinar'"
    lead.write_text(text.replace("where: route = 'Lead'", condition))
    with new_chain.active():
        set_up(new_chain.project, lambda message: None)
    new_chain.put(
        "fair", DAYS[0], "a.csv", people(("ada", "fair", "acme"), ("bea", "fair", "bolt"))
    )
    new_chain.put(
        "webinar", DAYS[0], "b.csv", people(("cy", "Webinar", "x"), ("dee", "Other", "y"))
    )
    return new_chain


def test_every_file_is_planned_and_written_after_what_it_looks_up(chain: Any) -> None:
    outcomes = run(chain, DAYS[0])
    assert list(outcomes) == [
        "account", "campaign", "contact", "campaign_member", "lead", "webinar_lead",
    ]  # fmt: skip
    assert {stem: dict(counts) for stem, counts in outcomes.items()} == {
        "account": {"created": 2}, "campaign": {"created": 4}, "contact": {"created": 2},
        "campaign_member": {"created": 2}, "lead": {"created": 1}, "webinar_lead": {"created": 1},
    }  # fmt: skip
    assert records_of(chain, "Campaign", "Name", "IsActive") == [
        ("acme", True), ("bolt", True), ("x", True), ("y", True),
    ]  # fmt: skip
    assert records_of(chain, "CampaignMember", "Campaign.Name", "Contact.FirstName") == [
        ("acme", "ada"), ("bolt", "bea"),
    ]  # fmt: skip
    assert records_of(chain, "Lead", "FirstName", "LeadSource") == [
        ("cy", "Partner"),
        ("dee", "Web"),
    ]


def test_running_it_again_writes_nothing(chain: Any) -> None:
    before = chain.stamps()
    assert {action for counts in run(chain, DAYS[0]).values() for action in counts} == {"unchanged"}
    assert chain.stamps() == before


def test_counts_of_one_object_are_told_together_and_its_parts_apart(chain: Any) -> None:
    status = json.loads(chain.causeway("status", "--json").stdout)
    assert status["objects"]["Lead"]["unchanged"] == 2
    assert list(status["objects"]) == ["Account", "Campaign", "Contact", "CampaignMember", "Lead"]
    shown_plan = chain.causeway("plan", "--json", "--object", "webinar_LEAD").stdout
    [part] = json.loads(shown_plan)["objects"]
    assert (part["object"], part["mapping"], part["actions"]["unchanged"]) == (
        "Lead", "webinar_lead", 1,
    )  # fmt: skip
    shown_plan = chain.causeway("plan", "--json", "--object", "Lead").stdout
    assert [part["mapping"] for part in json.loads(shown_plan)["objects"]] == [
        "lead",
        "webinar_lead",
    ]


def test_each_of_two_mappings_of_an_object_keeps_its_ledger_and_its_proof(chain: Any) -> None:
    chain.put("webinar", DAYS[1], "b.csv", people(("cy", "Webinar", "xx"), ("dee", "Other", "yy")))
    outcomes = run(chain, DAYS[1])
    assert outcomes["lead"] == outcomes["webinar_lead"] == {"updated": 1}
    assert records_of(chain, "Lead", "FirstName", "Company") == [("cy", "xx"), ("dee", "yy")]
    proofs = [
        proof for proof in recorded(newest(Batch(chain.project, DAYS[1]))) if proof.object == "Lead"
    ]
    assert [proof.as_sent for proof in proofs] == [1, 1]
    explanation = json.loads(chain.causeway("explain", "Lead", "cy@x.org", "--json").stdout)
    fields = {field["field"]: field for field in explanation["fields"]}
    assert fields["Company"]["place"].startswith("webinar_lead.yaml:")
    assert fields["Company"]["written"]["before"] == "x"


def test_an_undo_takes_all_of_them_back_the_children_first(chain: Any) -> None:
    second = carry_out(chain.project, plan_undo(chain.project, _plan(chain, DAYS[1])))
    leads = [part for part in second.outcomes if part.object == "Lead"]
    assert {part.stem: part.counts["updated"] for part in leads} == {"lead": 1, "webinar_lead": 1}
    assert records_of(chain, "Lead", "FirstName", "Company") == [("cy", "x"), ("dee", "y")]
    first = chain.first = plan_undo(chain.project, chain.plans[0])
    done = carry_out(chain.project, first)
    assert [part.stem for part in done.outcomes] == [
        "webinar_lead", "lead", "campaign_member", "contact", "campaign", "account",
    ]  # fmt: skip
    assert {part.counts["held"] + part.counts["rejected"] for part in done.outcomes} == {0}
    for name in ("Account", "Campaign", "Contact", "CampaignMember", "Lead"):
        assert records_of(chain, name, "Id") == []


def _plan(chain: Any, day: date) -> str:
    """The newest plan of a day; ``chain.plans`` are all that wrote, oldest first."""
    from pipelines.sync.plan.saved import load_plan

    ids = (path.parent.parent.name for path in chain.home.glob("plans/*/applied/account"))
    plans = sorted((load_plan(chain.home, plan) for plan in ids), key=lambda plan: plan.created_at)
    chain.plans = [plan.plan_id for plan in plans]
    return newest(Batch(chain.project, day)).plan_id


def test_two_mappings_that_meet_in_a_record_are_refused_before_anything_is_written(
    chain: Any,
) -> None:
    path = chain.mappings / "webinar_lead.yaml"
    path.write_text(FILES["webinar_lead"].replace(" and last_name = 'Webinar'", ""))
    chain.put("webinar", DAYS[2], "b.csv", people(("eve", "Other", "z")))
    plans = set(chain.home.glob("plans/*"))
    with pytest.raises(ConfigError) as error:
        run(chain, DAYS[2])
    places = {(problem.file, problem.line) for problem in error.value.problems}
    assert places == {
        (str(chain.mappings / "lead.yaml"), 11), (str(path), 4),
    }  # fmt: skip
    meets = r"lead and webinar_lead \(webinar_lead.yaml:4\) meet in \d Leads?, such as p-"
    assert re.search(meets, str(error.value))
    assert set(chain.home.glob("plans/*")) == plans
    assert records_of(chain, "Lead", "Id") == []
