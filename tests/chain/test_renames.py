"""A record of the org never quietly becomes another person's; what is decided lets it, or not."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipelines.batch import Batch
from pipelines.errors import Blocked, ConfigError
from pipelines.plan.decided import notices
from pipelines.plan.make import newest
from pipelines.relations import prepare
from pipelines.run import Run
from pipelines.stages import STAGES, run_stage

D1, D2, D3 = date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 7)
SOURCES = """
sources:
  shop: {entity: contacts, preset: generic, as: contact}
  list: {entity: contacts, preset: generic, as: contact, priority: 60}
  news: {entity: subscribers, preset: generic, priority: 70}
"""
HEAD = "ID,First Name,Last Name,Email,Title\n"
ANNA = "7,Anna,Smith,anna@x.org,Boss\n"
HELD = 'it would be renamed from "Anna Smith" to "Bob Jones"'


def sync(chain: Any, day: date) -> None:
    """Every stage of a batch, without the orchestrator."""
    project = chain.project
    prepare(project)
    for name in STAGES:
        run_stage(name, Run(project, day))


def rows(chain: Any, day: date, name: str = "contact") -> list[dict[str, Any]]:
    import duckdb

    plan = newest(Batch(chain.project, day))
    with duckdb.connect() as connection:
        query = f"from '{plan.payload(name.lower())}' order by key"
        return connection.sql(query).to_arrow_table().to_pylist()


def names(chain: Any) -> dict[str, str]:
    """E-mail address → name, of every Contact, as another client sees them."""
    records = chain.records("Contact", "FirstName", "LastName", "Email")
    return {row["Email"]: f"{row['FirstName']} {row['LastName']}" for row in records}


@pytest.fixture
def chain(make_chain: Any) -> Any:
    """Anna is in the org."""
    new_chain = make_chain(SOURCES)
    new_chain.put("shop", D1, "s.csv", HEAD + ANNA)
    sync(new_chain, D1)
    assert names(new_chain) == {"anna@x.org": "Anna Smith"}
    return new_chain


def test_a_rename_waits_for_a_word_and_its_opt_out_does_not(chain: Any) -> None:
    chain.put("shop", D2, "s.csv", HEAD + "7,Bob,Jones,anna@x.org,Chief\n")
    chain.put("news", D2, "n.csv", "ID,Email,Status\n1,anna@x.org,unsubscribed\n")
    sync(chain, D2)
    [row] = rows(chain, D2)
    assert (row["action"], row["decide"]) == ("update", "rename_ok,shop:7,")
    assert HELD in row["reason"]
    [record] = chain.records("Contact", "FirstName", "LastName", "Title", "HasOptedOutOfEmail")
    assert list(record.values())[1:] == ["Anna", "Smith", "Boss", True]

    reviews = chain.causeway("plan", "--only", "reviews").stdout
    assert HELD in reviews
    assert "add to decisions.csv:\n            rename_ok,shop:7,\n" in reviews
    document = json.loads(chain.causeway("plan", "--only", "reviews", "--json").stdout)
    told = {part["object"]: part for part in document["objects"]}["Contact"]
    assert (told["undecided"], told["rows"][0]["decide"]) == (1, "rename_ok,shop:7,")

    # Whoever waits is in every later plan; with the opt-out written the whole row waits.
    chain.put("shop", D3, "s.csv", HEAD + "8,Cleo,Roux,cleo@x.org,\n")
    sync(chain, D3)
    [waits] = [row for row in rows(chain, D3) if row["action"] == "hold"]
    assert (waits["scope"], waits["decide"]) == ("held or rejected earlier", "rename_ok,shop:7,")

    chain.decide("rename_ok,shop:7,,ada,2026-11-07,he took over")
    sync(chain, D3)
    [row] = [row for row in rows(chain, D3) if row["reason"]]
    told = 'renamed from "Anna Smith" to "Bob Jones" as decisions.csv:2 allows'
    assert (row["action"], row["reason"], row["decide"]) == ("update", told, None)
    assert names(chain) == {"anna@x.org": "Bob Jones", "cleo@x.org": "Cleo Roux"}
    sync(chain, D3)
    assert {row["action"] for row in rows(chain, D3)} == {"unchanged"}


def test_an_id_that_is_trusted_may_take_another_name(chain: Any) -> None:
    text = (chain.mappings / "sources.yaml").read_text()
    trusting = text.replace("shop: {", "shop: {trust_id: true, ")
    (chain.mappings / "sources.yaml").write_text(trusting)
    chain.put("shop", D3, "s.csv", HEAD + "7,Bob,Jones,bob@x.org,\n")
    sync(chain, D3)
    assert names(chain)["bob@x.org"] == "Bob Jones"
    [row] = [row for row in rows(chain, D3) if row["reason"] and row["FirstName"] == "Bob"]
    assert row["reason"].endswith(", by an id that is trusted")


def test_somebody_is_the_record_that_a_person_says(chain: Any) -> None:
    client = chain.salesforce()
    stranger = client.Contact.create({"FirstName": "Al", "LastName": "Ferro", "Email": "al@y.org"})
    other = client.Contact.create({"LastName": "Gone"})["id"]
    client.Contact.delete(other)
    chain.put("shop", D2, "s.csv", f"{HEAD}8,Alan,Ferro,alan@x.org,\n9,Ben,Voss,ben@x.org,\n")
    chain.decide(
        f"use,shop:8,{stranger['id']}", f"use,shop:9,{other}", "use,shop:77,003A00000000001"
    )
    sync(chain, D2)
    plan = {row["LastName"]: row for row in rows(chain, D2)}
    assert (plan["Ferro"]["action"], plan["Ferro"]["sf_id"]) == ("adopt", stranger["id"])
    assert plan["Voss"]["action"] == "hold"
    assert plan["Voss"]["reason"] == f"decisions.csv:3 says it is {other}, which was deleted"
    record_of = {
        row["LastName"]: row for row in chain.records("Contact", "LastName", "Causeway_Key__c")
    }
    assert record_of["Ferro"]["Id"] == stranger["id"]
    assert record_of["Ferro"]["Causeway_Key__c"] == plan["Ferro"]["key"]
    assert "Voss" not in record_of
    lines = [
        (problem.line, problem.message.split(" is nobody")[0]) for problem in notices(chain.project)
    ]
    assert lines == [(3, other), (4, "003A00000000001IAA"), (4, "shop:77")]
    assert len(newest(Batch(chain.project, D2)).notices) == 3
    output = chain.causeway("check").stdout
    assert "decisions.csv:4: shop:77 is nobody" in output
    sync(chain, D2)
    assert {row["action"] for row in rows(chain, D2)} <= {"unchanged", "hold"}


def test_many_renames_at_once_are_blocked_though_each_may_pass(chain: Any) -> None:
    policies = chain.mappings / "policies.yaml"
    text = policies.read_text()
    policies.write_text(
        text.replace("max_rename: {share: 5%, above: 50}", "max_rename: {above: 0}")
    )
    chain.put("shop", D2, "s.csv", HEAD + "7,Ann,SMITH,anna@x.org,Boss\n")
    with pytest.raises(Blocked, match=r"1 to rename, with 1 of ours.*guards.max_rename stops"):
        sync(chain, D2)
    assert names(chain) == {"anna@x.org": "Anna Smith"}


def test_a_wrong_line_stops_everything_before_anything_is_written(chain: Any) -> None:
    chain.put("shop", D2, "s.csv", HEAD + "8,Cleo,Roux,cleo@x.org,\n")
    before = chain.stamps()
    path = chain.decide("same,shop:7,shap:8", "rename,shop:7,", "use,shop:7,")
    with pytest.raises(ConfigError) as caught:
        sync(chain, D2)
    assert [(problem.file, problem.line) for problem in caught.value.problems] == [
        (str(path), 2),
        (str(path), 3),
        (str(path), 4),
    ]
    assert chain.stamps() == before
