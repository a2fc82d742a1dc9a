"""Records of ours that somebody deleted in the org: left, made again, or taken out of the bin."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipelines.local_org import control
from pipelines.salesforce.rows import Load

DAY, NEXT = date(2026, 11, 5), date(2026, 11, 6)
SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""
LEFT = "its Contact was deleted in the org (deleted_in_org: leave)"
GOOD = "its Contact was deleted in the org, for good"


def policy(chain: Any, value: str) -> None:
    path = chain.mappings / "policies.yaml"
    lines = path.read_text().splitlines()
    other_lines = [line for line in lines if not line.startswith(("deleted_in_org:", "          "))]
    path.write_text("\n".join([*other_lines, f"deleted_in_org: {value}"]))


def put(chain: Any, day: date, title: str) -> None:
    rows = "".join(f"{n},First{n},Last{n},p{n}@x.org,{title},Acme {n}\n" for n in range(4))
    chain.put("people", day, "p.csv", f"ID,First Name,Last Name,Email,Title,Company\n{rows}")


def ids(chain: Any) -> dict[str, str]:
    return {row["LastName"]: row["Id"] for row in chain.records("Contact", "LastName")}


def delete(chain: Any, object_name: str, sf_id: str, *, purge: bool = False) -> None:
    with chain.project.org() as org:
        [result] = org.collections(Load(object_name, "delete"), [{"Id": sf_id}])
        assert result.success
        if purge:
            empty = f'<emptyRecycleBin xmlns="urn:partner.soap.sforce.com"><ids>{sf_id}</ids>'
            assert b"<success>true" in org.session.soap(f"{empty}</emptyRecycleBin>")


def planned(chain: Any, day: date, name: str = "contact") -> dict[str, tuple[str, str | None]]:
    """Last name (or name) → action and reason."""
    title = "Name" if name == "account" else "LastName"
    rows = chain.read(f"plan_{name}", day)
    return {row[title]: (row["action"], row["reason"]) for row in rows}


@pytest.fixture
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES, org=False)
    control.start(new_chain.project.local_org, faults=True)
    put(new_chain, DAY, "boss")
    return new_chain.done(DAY)


def test_what_is_left_is_listed_and_what_is_purged_is_no_news(chain: Any) -> None:
    existing = ids(chain)
    chain.salesforce().Contact.update(existing["Last2"], {"HasOptedOutOfEmail": True})
    delete(chain, "Contact", existing["Last0"])
    delete(chain, "Contact", existing["Last1"], purge=True)
    delete(chain, "Contact", existing["Last2"])
    put(chain, NEXT, "boss")
    chain.done(NEXT)
    assert planned(chain, NEXT) == {
        "Last0": ("hold", LEFT),
        "Last1": ("hold", f"{GOOD} (deleted_in_org: leave)"),
        "Last2": ("hold", LEFT),
        "Last3": ("unchanged", None),
    }
    policy(chain, "recreate")
    chain.done(NEXT)
    again = "so it is made again (deleted_in_org: recreate)"
    plan = planned(chain, NEXT)
    assert plan["Last0"] == ("create", f"its Contact was deleted in the org, {again}")
    assert plan["Last1"] == ("create", f"{GOOD}, {again}")
    [action, reason] = plan["Last2"]  # who does not want to be written to is not forgotten
    assert (action, "where it had opted out of e-mail" in str(reason)) == ("hold", True)
    assert set(ids(chain)) == {"Last0", "Last1", "Last3"}


def test_what_is_undeleted_is_the_same_record_with_what_changed_since(chain: Any) -> None:
    policy(chain, "undelete")
    existing = ids(chain)
    accounts = {row["Name"]: row["Id"] for row in chain.records("Account", "Name")}
    delete(chain, "Contact", existing["Last0"])
    delete(chain, "Contact", existing["Last1"], purge=True)
    delete(chain, "Account", accounts["Acme 2"])  # and its contact with it
    put(chain, NEXT, "chief")
    chain.done(NEXT)
    assert planned(chain, NEXT, "account")["Acme 2"] == ("undelete", None)
    plan = planned(chain, NEXT)
    assert plan["Last0"] == plan["Last2"] == ("undelete", None)
    reason = f"{GOOD}, so it is made again (deleted_in_org: undelete)"
    assert plan["Last1"] == ("create", reason)
    assert chain.outcomes(NEXT)["Contact"] == {"updated": 3, "created": 1}
    after = ids(chain)
    assert {name: after[name] for name in ("Last0", "Last2", "Last3")} == {
        name: existing[name] for name in ("Last0", "Last2", "Last3")
    }
    assert {row["Title"] for row in chain.records("Contact", "Title")} == {"chief"}
    chain.done(NEXT)
    assert {action for action, _ in planned(chain, NEXT).values()} == {"unchanged"}

    output = chain.causeway("plan", "--only", "undeletes")
    assert "undelete" not in output.stdout.split("Contact")[0]
    undone = chain.causeway("undo", _plan_of(chain, NEXT), "--plan-only")
    assert "restore" in undone.stdout or "putting back" in undone.stdout


def _plan_of(chain: Any, day: date) -> str:
    plans = sorted(
        (chain.home / "plans").glob(f"{day}-*/applied"), key=lambda path: path.stat().st_mtime_ns
    )
    return plans[0].parent.name


def test_a_lost_answer_and_an_empty_bin_lose_nothing(chain: Any) -> None:
    policy(chain, "undelete")
    existing = ids(chain)
    for name in ("Last0", "Last1"):
        delete(chain, "Contact", existing[name])
    control.inject(chain.project.local_org, {"kind": "lose_answer", "path": "Soap", "times": 1})
    put(chain, NEXT, "chief")
    chain.done(NEXT)
    assert chain.outcomes(NEXT)["Contact"] == {"updated": 4}
    assert ids(chain) == existing
    assert {row["Title"] for row in chain.records("Contact", "Title")} == {"chief"}
