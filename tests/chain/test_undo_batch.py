"""A batch that died on the way and was run again was sent by several plans: all are undone."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

DAY = date(2026, 11, 5)
SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""
HEADER = "ID,First Name,Last Name,Email,Company,Job Title\n"
ADA = "1,Ada,Okafor,ada@acme.example,Acme,{}\n"
BEN = "2,Ben,Voss,ben@acme.example,Acme,Clerk\n"


def test_a_batch_of_several_plans_is_undone_by_one_command(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("people", DAY, "people.csv", HEADER + ADA.format("Buyer"))

    def die(name: str, event: str, _rows: int) -> None:
        if (name, event) == ("salesforce_account", "success"):
            chain.stop_org()

    assert not chain.run(DAY, on_event=die).success  # the account is there, the contact is not
    chain.start_org()
    chain.done(DAY)
    chain.put("people", DAY, "people.csv", HEADER + ADA.format("Head of Buying") + BEN)
    chain.done(DAY)
    assert [len(chain.records(name)) for name in ("Account", "Contact")] == [1, 2]

    asked = chain.causeway("undo", "--batch", str(DAY))
    assert (asked.returncode, "nobody is there to ask" in asked.stderr) == (2, True)
    assert "All 3 plans: " in asked.stdout
    assert "putting back 1 Contact, deleting" in asked.stdout
    shown = json.loads(chain.causeway("undo", "--batch", str(DAY), "--plan-only", "--json").stdout)
    assert len(shown["undos"]) == 3
    assert "has written it since: undo that first" in json.dumps(shown["undos"][1:])

    done = chain.causeway("undo", "--batch", str(DAY), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    deleted = [undo["objects"] for undo in json.loads(done.stdout)["undos"]]
    assert [objects.get("Contact", {}).get("deleted", 0) for objects in deleted] == [1, 1, 0]
    assert [len(chain.records(name)) for name in ("Account", "Contact")] == [0, 0]

    again = chain.causeway("undo", "--batch", str(DAY), "--yes")
    assert again.returncode == 2
    assert f"nothing of batch {DAY} is to be undone" in again.stderr
    assert "was undone already" in again.stderr
    stays = chain.run(DAY)
    assert stays.success
    assert chain.records("Contact") == []


def test_the_release_of_an_undo_advises_the_undo(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("people", DAY, "people.csv", HEADER + BEN)
    chain.done(DAY)
    shown = json.loads(chain.causeway("undo", "--batch", str(DAY), "--plan-only", "--json").stdout)
    [undo] = shown["undos"]
    ran = chain.causeway("plan", "--release", undo["plan_id"])
    assert f"undo {undo['undoes']}" in ran.stdout
    assert chain.causeway("undo").returncode == 2
