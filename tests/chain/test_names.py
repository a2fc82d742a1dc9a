"""A home of any name works from end to end, and never reads another one's."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

DAY = date(2026, 11, 5)
SOURCES = "sources: {people: {entity: contacts, preset: generic, as: contact}}"
NAME = "h[1] {a,b} *' \"#%=\n~é day=x"


def test_a_home_of_an_odd_name_keeps_to_itself(make_chain: Any, tmp_path: Path) -> None:
    """What its name would match as a pattern is a home, too."""
    odd = make_chain(SOURCES, home=tmp_path / NAME)
    beside = odd.home.with_name(NAME.replace("[1]", "1").replace("*", ""))
    twin = make_chain(SOURCES, home=beside)
    for chain, person in ((odd, "Odd"), (twin, "Twin")):
        rows = f"First Name,Last Name,Email\nAda,{person},{person}@one.example\n"
        chain.put("people", DAY, "list[1].csv", rows)
        chain.put("people", DAY, "list1.csv", rows.replace("Ada", "Bea").replace("@", "2@"))
        result = chain.causeway("sync")
        assert result.returncode == 0, result.stderr + result.stdout
        names = {row["LastName"] for row in chain.records("Contact", "LastName")}
        assert names == {person}
        assert len(chain.read("people")) == 2
        assert {row["last_name"] for row in chain.read("people", DAY)} == {person}
    for command in (["status"], ["plan"], ["prove"], ["explain", "Contact", "odd@one.example"]):
        result = odd.causeway(*command)
        assert result.returncode == 0, (command, result.stderr)
        assert "Twin" not in result.stdout
    assert odd.record()
