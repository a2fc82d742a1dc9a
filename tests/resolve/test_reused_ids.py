"""The law of ids that begin anew: whoever came is one person, and nobody is two, in any order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.batch import Batch

DAYS = (date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3))
PEOPLE = (("Wanda", "Quill"), ("Igor", "Stem"), ("Lotte", "Brandt"), ("Hugo", "Marsh"))

CROWDS = st.lists(
    st.lists(st.sampled_from(range(len(PEOPLE))), unique=True, max_size=4), min_size=3, max_size=3
)
"""Per day who came, in the order in which the day numbers them."""


def rows(people: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "source": "list",
            "source_id": str(number),
            "first_name": PEOPLE[who][0],
            "last_name": PEOPLE[who][1],
            "email": f"{PEOPLE[who][0].lower()}@example.org",
        }
        for number, who in enumerate(people, start=1)
    ]


def named(resolver: Any) -> dict[int, set[tuple[str, str]]]:
    """Person → every name that a record of theirs has, in any version."""
    state = resolver.project.state
    with Batch(resolver.project, DAYS[0]).connect() as connection, state.attach(connection):
        found = connection.execute(
            "select person, list(distinct [first_name, last_name])"
            " from state.member join state.record using (record) group by person"
        ).fetchall()
    return {person: {tuple(name) for name in names} for person, names in found}


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(CROWDS, st.permutations(range(3)), st.permutations(range(3)))
def test_ids_that_begin_anew_take_nobodys_place(
    make_resolver: Callable[[], Any], crowds: list[list[int]], order: list[int], again: list[int]
) -> None:
    resolver = make_resolver()
    for day in order:
        resolver.feed(DAYS[day], contacts=rows(crowds[day]))
    people = named(resolver)
    came = {PEOPLE[who] for crowd in crowds for who in crowd}
    assert sorted(map(sorted, people.values())) == sorted([name] for name in came)
    for day in again:
        resolver.feed(DAYS[day], contacts=rows(crowds[day]))
    assert named(resolver) == people
