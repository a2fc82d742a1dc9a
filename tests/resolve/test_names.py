"""Whether two names can be one person's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sync.identity.names import folded, is_full, likeness

AGREE = [
    (("Bob", "Smith"), ("Robert", "Smith")),
    (("J.", "Smith"), ("John", "Smith")),
    ((None, "Smith"), ("John", "Smith")),
    (("John", None), ("John", "Smith")),
    ((None, None), ("John", "Smith")),
    (("Jonh", "Smith"), ("John", "Smith")),
    (("Kathrine", "Lee"), ("Katherine", "Lee")),
    (("Eric", "Lee"), ("Erik", "Lee")),
    (("Steven", "Lee"), ("Stephen", "Lee")),
    (("Jörg", "Müller"), ("JOERG", "mueller")),
    (("Юрий", "Иванов"), ("Yuriy", "Ivanov")),
    (("Mary", "O'Brien"), ("Mary", "O Brien")),
    (("Jan", "van der Berg"), ("Jan", "Vanderberg")),
    (("John A.", "Lee"), ("John", "Lee")),
    (("John Andrew", "Lee"), ("John A.", "Lee")),
    (("Jean-Pierre", "Roux"), ("Jean Pierre", "Roux")),
    (("John", "Smith Jr."), ("John", "Smith")),
    (("Ada", "Petonski"), ("Ada", "Pteonski")),
]
THIN = [
    (("Anna", "Smith"), ("Anna", "Jones")),  # a marriage, or two people
    (("Ann", "Smith"), ("Anna", "Smiht")),
    (("Smith", "Anna"), ("Anna", "Smith")),
    ((None, "Anna"), ("Anna", "Smith")),
]
DIFFER = [
    (("Anna", "Miller"), ("Bob", "Miller")),
    (("Anna", "Miller"), ("Bob", "Jones")),
    (("Maria", "Rossi"), ("Mario", "Rossi")),
    (("Daniel", "Rossi"), ("Daniela", "Rossi")),
    (("Christian", "Lee"), ("Christina", "Lee")),
    (("Frances", "Lee"), ("Francis", "Lee")),
    (("Jan", "Lee"), ("Jane", "Lee")),
    (("Tim", "Lee"), ("Tom", "Lee")),
    (("Bill", "Lee"), ("Robert", "Lee")),
    (("Jean-Pierre", "Roux"), ("Jean", "Roux")),
    (("Anna Maria", "Rossi"), ("Anna Lisa", "Rossi")),
    (("Anna & Bob", "Miller"), ("Anna", "Miller")),
    (("John", "Smith Jr."), ("John", "Smith Sr.")),
    ((None, "Smith"), (None, "Jones")),
]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        *((a, b, "agree") for a, b in AGREE),
        *((a, b, "thin") for a, b in THIN),
        *((a, b, "differ") for a, b in DIFFER),
    ],
)
def test_how_far_two_names_speak_for_one_person(a: Any, b: Any, expected: str) -> None:
    assert likeness(*a, *b) == expected
    assert likeness(*b, *a) == expected


PARTS = st.one_of(
    st.none(),
    st.sampled_from(["Anna", "Bob", "Robert", "J.", "", "Anna & Bob", "Jr.", "Smith Jr.", "李"]),
    st.text(max_size=8),
)


@given(PARTS, PARTS, PARTS, PARTS)
def test_order_case_and_blanks_around_make_no_difference(
    first_a: str | None, last_a: str | None, first_b: str | None, last_b: str | None
) -> None:
    result = likeness(first_a, last_a, first_b, last_b)
    assert result == likeness(first_b, last_b, first_a, last_a)
    assert likeness(first_a, last_a, first_a, last_a) == "agree"
    padded = None if first_a is None else f"  {first_a} "
    assert result == likeness(padded, last_a, first_b, last_b)


@given(PARTS, PARTS)
def test_a_name_without_letters_speaks_against_nobody(first: str | None, last: str | None) -> None:
    assert likeness(first, last, None, None) == "agree"
    assert likeness(first, last, "-", "...") == "agree"
    assert is_full(first, last) == (
        bool(folded(first, last).last) and len((folded(first, last).first or ("",))[0]) > 1
    )
