"""Who is who where names disagree: the laws of splitting one component into people."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.sync.identity.names import likeness
from pipelines.sync.identity.settle import Key, Link, Record, Settled, settle

FIRSTS = st.sampled_from([None, "Anna", "Ann", "Bob", "Robert", "B.", "Maria", "Mario"])
LASTS = st.sampled_from([None, "Miller", "Jones"])
NAMES = st.tuples(FIRSTS, LASTS)
RULES = st.sampled_from(["same_email", "same_role_email", "same_customer"])
COMPONENTS = st.lists(
    st.tuples(NAMES, st.lists(st.tuples(RULES, st.integers(0, 2)), max_size=3)), max_size=9
)


def given_rows(component: Any) -> tuple[list[Record], list[Key]]:
    records = [Record(n, *name) for n, (name, _) in enumerate(component)]
    keys = [Key(n, rule, key) for n, (_, listed) in enumerate(component) for rule, key in listed]
    return records, keys


def people(settled: Settled) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for record, person in settled.people.items():
        groups.setdefault(person, set()).add(record)
    return {frozenset(group) for group in groups.values()}


@given(COMPONENTS, st.randoms(use_true_random=False))
def test_the_order_of_records_and_keys_makes_no_difference(component: Any, random: Any) -> None:
    records, keys = given_rows(component)
    settled = settle(records, keys, [])
    random.shuffle(records)
    random.shuffle(keys)
    again = settle(records, keys, [])
    assert people(again) == people(settled)
    assert sorted(again.apart) == sorted(settled.apart)


@given(COMPONENTS)
def test_nobody_is_joined_by_a_shared_value_to_a_name_that_does_not_agree(component: Any) -> None:
    shared = [
        (name, [key for key in keys if key[0] != "same_customer"]) for name, keys in component
    ]
    records, keys = given_rows(shared)
    for group in people(settle(records, keys, [])):
        for left, right in combinations(sorted(group), 2):
            assert likeness(*records[left][1:], *records[right][1:]) == "agree"


@given(COMPONENTS)
def test_every_record_is_in_one_person_and_every_link_rests_on_a_shared_value(
    component: Any,
) -> None:
    records, keys = given_rows(component)
    settled = settle(records, keys, [])
    assert sorted(settled.people) == [record.record for record in records]
    assert all(person == min(group) for group in people(settled) for person in [min(group)])
    assert len(settled.links) == len(records) - len(people(settled))
    values: dict[int, set[tuple[str, int]]] = {}
    for record, rule, key in keys:
        values.setdefault(record, set()).add((rule, key))
    for link in settled.links:
        assert settled.people[link.record] == settled.people[link.other]


@given(
    st.lists(
        st.tuples(
            st.just(("Anna", "Miller")), st.lists(st.tuples(RULES, st.integers(0, 2)), max_size=3)
        ),
        max_size=9,
    )
)
def test_where_all_names_agree_people_are_the_connected_components(component: Any) -> None:
    records, keys = given_rows(component)
    expected = {record.record: {record.record} for record in records}
    for left, right in combinations(keys, 2):
        if left[1:] == right[1:] and expected[left.record] is not expected[right.record]:
            joined = expected[left.record] | expected[right.record]
            for record in joined:
                expected[record] = joined
    assert people(settle(records, keys, [])) == {frozenset(group) for group in expected.values()}


def mailbox(*names: tuple[str | None, str | None], rule: str = "same_email") -> Settled:
    records = [Record(n, *name) for n, name in enumerate(names)]
    return settle(records, [Key(n, rule, 1) for n in range(len(names))], [])


def test_a_couple_with_one_mailbox_are_two_people() -> None:
    assert people(mailbox(("Anna", "Miller"), ("Bob", "Miller"))) == {
        frozenset({0}),
        frozenset({1}),
    }


def test_a_record_without_a_name_joins_only_where_one_person_fits() -> None:
    assert people(mailbox(("Anna", "Miller"), (None, None))) == {frozenset({0, 1})}
    settled = mailbox(("Anna", "Miller"), ("Bob", "Miller"), (None, None))
    assert len(people(settled)) == 3
    assert {apart.likeness for apart in settled.apart} == {"several"}


def test_an_initial_joins_the_one_it_fits_and_nobody_where_it_fits_two() -> None:
    assert people(mailbox(("Anna", "Miller"), ("Bob", "Miller"), ("B.", "Miller"))) == {
        frozenset({0}),
        frozenset({1, 2}),
    }
    assert len(people(mailbox(("Ben", "Miller"), ("Bob", "Miller"), ("B.", "Miller")))) == 3


def test_a_name_that_agrees_in_part_is_a_proposal() -> None:
    settled = mailbox(("Anna", "Smith"), ("Anna", "Jones"))
    assert len(people(settled)) == 2
    [apart] = settled.apart
    assert apart.likeness == "thin"


def test_no_chain_of_slips_makes_one_person_of_two_names() -> None:
    settled = mailbox(("Jon", "Smith"), ("John", "Smith"), ("Johan", "Smith"))
    for group in people(settled):
        names = [("Jon", "Smith"), ("John", "Smith"), ("Johan", "Smith")]
        assert all(
            likeness(*names[left], *names[right]) == "agree"
            for left, right in combinations(group, 2)
        )


def test_in_a_role_mailbox_only_full_names_that_agree_are_one_person() -> None:
    names = [("Anna", "Miller"), ("Ann", "Miller"), (None, "Miller"), (None, None), (None, None)]
    assert people(mailbox(*names, rule="same_role_email")) == {
        frozenset({0, 1}),
        frozenset({2}),
        frozenset({3, 4}),
    }


def test_what_nobody_shares_links_whatever_the_names_are() -> None:
    names = [Record(0, "Anna", "Miller"), Record(1, "Gift", "Shop"), Record(2, "Anna", "Miller")]
    settled = settle(names, [Key(0, "same_customer", 1), Key(1, "same_customer", 1)], [])
    assert people(settled) == {frozenset({0, 1}), frozenset({2})}


def test_a_decision_joins_and_parts_whatever_the_rules_say() -> None:
    names = [Record(0, "Anna", "Miller"), Record(1, "Bob", "Miller"), Record(2, "Anna", "Miller")]
    keys = [Key(n, "same_email", 1) for n in range(3)]
    together = settle(names, keys, [Link(0, 1, "decided")])
    assert people(together) == {frozenset({0, 1, 2})}
    apart = settle(names, keys, [], different=[(0, 2)])
    assert all({0, 2} - group for group in people(apart))
