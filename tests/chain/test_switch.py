"""A home that goes over to another org and back: what is said of one is not said of the other."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.config import PROJECT
from pipelines.files import write
from pipelines.project import Project
from pipelines.recover import recover
from pipelines.sync.state import BOUND
from pipelines.warehouse import literal, write_parquet

DAY = date(2026, 11, 5)
ORG = "00D000000000001AAA"
SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
"""
ROWS = """\
ID,First Name,Last Name,Email,Company
1,Ada,Okafor,ada@acme.example,Acme
2,Ben,Voss,ben@post.xn--p1ai,Acme
"""


def document(chain: Any, *arguments: str) -> Any:
    return json.loads(chain.causeway(*arguments, "--json").stdout)


def answers(chain: Any) -> dict[str, int]:
    counts = document(chain, "status")["objects"]["Contact"]
    return {name: count for name, count in counts.items() if count}


def go_over(chain: Any, local_org: Any) -> None:
    """Let another org answer, and switch to it."""
    chain.stop_org()
    first_org = chain.project.local_org
    aside = first_org.with_name("the_other_org")
    first_org.rename(aside)
    if local_org is not None:
        local_org.rename(first_org)
    chain.start_org()
    ran = chain.causeway("org", "switch", "--yes")
    assert "The next sync reads" in ran.stdout, ran.stderr
    aside.rename(first_org.with_name("old_org"))


def test_outcomes_and_plans_belong_to_their_org(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    chain.put("people", DAY, "people.csv", ROWS)
    chain.done(DAY)
    first = document(chain, "plan")["plan_id"]
    counts = {"created": 1, "rejected": 1}
    assert answers(chain) == counts
    [ben] = document(chain, "waiting", "list")
    assert (ben["title"], ben["code"]) == ("Ben Voss", "INVALID_EMAIL_ADDRESS")

    go_over(chain, None)
    assert answers(chain) == {}
    assert document(chain, "waiting", "list") == []
    for relation in ("salesforce_contact", "plan_contact", "org_match_contact", "org_contact"):
        assert chain.read(relation) == []
    assert len(chain.read("people")) == 2
    ran = chain.causeway("plan")
    assert (ran.returncode, "nothing is planned yet" in ran.stderr) == (2, True)
    chain.done(DAY)
    assert [row["attempts"] for row in chain.read("salesforce_contact", DAY)] == [1, 1]
    assert document(chain, "plan")["plan_id"] != first
    assert answers(chain) == counts

    go_over(chain, chain.project.local_org.with_name("old_org"))
    assert document(chain, "plan")["plan_id"] == first
    assert document(chain, "waiting", "list") == [ben]
    chain.done(DAY)
    outcomes = {row["outcome"]: row["attempts"] for row in chain.read("salesforce_contact", DAY)}
    assert outcomes == {"unchanged": 0, "rejected": 0}


def test_what_a_program_without_notes_left_aside_comes_back(tmp_path: Path) -> None:
    """It was killed after it had bound the home, and another run has made a relation anew."""
    mappings = tmp_path / "mappings"
    shutil.copytree(PROJECT / "mappings", mappings)
    project = Project(tmp_path, tmp_path / "inbox", mappings)
    write(tmp_path / BOUND, ORG)
    aside = project.org_home(ORG) / "stage"
    days = {name: date(2026, 11, day) for name, day in (("old", 4), ("both", 5), ("new", 6))}

    stage = tmp_path / "stage"
    with project.warehouse.connect() as connection:
        for folder, name in ((aside, "old"), (aside, "both"), (stage, "both"), (stage, "new")):
            path = folder / "salesforce_contact" / f"day={days[name]}" / "data.parquet"
            write_parquet(connection, f"select {literal(folder)} as key", path)
    recover(project)
    assert list(aside.iterdir()) == []
    assert project.warehouse.days("salesforce_contact") == [*days.values()]
    with project.warehouse.connect() as connection:
        project.warehouse.bind(connection, "salesforce_contact", [days["both"]])
        assert connection.execute("select key from salesforce_contact").fetchall() == [
            (str(stage),)
        ]
