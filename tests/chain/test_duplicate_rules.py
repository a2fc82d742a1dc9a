"""What the org's duplicate rules object to waits with its duplicates named, or is saved anyway."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

DAY, NEXT = date(2026, 11, 5), date(2026, 11, 6)
SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""
RULE = """
duplicate_rules:
  - {name: One per phone, object: Contact, match: [[Phone]], action: alert}
"""


def put(chain: Any, day: date, *lines: str) -> None:
    rows = "".join(f"{line}\n" for line in lines)
    chain.put("people", day, "p.csv", f"ID,First Name,Last Name,Email,Phone\n{rows}")


def policy(chain: Any, value: str) -> None:
    path = chain.mappings / "policies.yaml"
    lines = path.read_text().splitlines()
    other_lines = [line for line in lines if not line.startswith("duplicate_rules:")]
    path.write_text("\n".join([*other_lines, f"duplicate_rules: {value}"]))


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES, org=False)
    new_chain.start_org()
    new_chain.stop_org()
    (new_chain.project.local_org / "rules.yaml").write_text(RULE)
    new_chain.start_org()
    policy(new_chain, "review")
    put(new_chain, DAY, "1,Ada,Okafor,ada@x.org,4155550100", "2,Ben,Voss,ben@x.org,4155550199")
    return new_chain.done(DAY)


def test_a_duplicate_waits_with_what_the_rule_found_until_it_changes(chain: Any) -> None:
    id_of = {row["FirstName"]: row["Id"] for row in chain.records("Contact", "FirstName")}
    ada = id_of["Ada"]
    put(chain, NEXT, "3,Eve,Holt,eve@x.org,4155550100")
    [answer] = chain.done(NEXT).read("salesforce_contact", NEXT)
    reason = f"the duplicate rule One per phone finds {ada}: Use one of these records?"
    assert (answer["outcome"], answer["code"], answer["message"]) == (
        "held",
        "DUPLICATES_DETECTED",
        reason,
    )

    chain.done(NEXT)
    [planned] = chain.read("plan_contact", NEXT)
    assert (planned["action"], planned["reason"], planned["forecast"]) == ("hold", reason, None)
    assert [row["attempts"] for row in chain.read("salesforce_contact", NEXT)] == [0]
    assert reason in " ".join(chain.causeway("plan", "--only", "holds").stdout.split())
    chain.done(NEXT)  # what it waits for is not forgotten by waiting
    assert [row["action"] for row in chain.read("plan_contact", NEXT)] == ["hold"]

    waiting = json.loads(chain.causeway("waiting", "list", "--json").stdout)
    assert [(row["object"], row["title"], row["code"], row["message"]) for row in waiting] == [
        ("Contact", "Eve Holt", "DUPLICATES_DETECTED", reason)
    ]
    assert [row["lines"] for row in waiting] == [[f"people/{NEXT}/p.csv:2"]]
    assert "DUPLICATES_DETECTED" in chain.causeway("status").stdout

    ran = chain.causeway("retry", "--code", "DUPLICATES_DETECTED", "--json")
    assert json.loads(ran.stdout)["retried"] == {"Contact": 1}
    chain.done(NEXT)
    [answer] = chain.read("salesforce_contact", NEXT)
    assert (answer["outcome"], answer["attempts"]) == ("held", 2)


def test_a_duplicate_is_saved_where_the_policy_allows_it(chain: Any) -> None:
    policy(chain, "allow")
    put(chain, NEXT, "3,Eve,Holt,eve@x.org,4155550100")
    chain.done(NEXT)
    outcomes = {row["outcome"] for row in chain.read("salesforce_contact", NEXT)}
    assert outcomes == {"created", "unchanged"}
    assert len(chain.records("Contact", "Phone")) == 3
    assert json.loads(chain.causeway("waiting", "list", "--json").stdout) == []
