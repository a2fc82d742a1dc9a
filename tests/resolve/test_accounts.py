"""Which account is whose: the laws of the registry, whatever rule decides."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.batch import Batch
from pipelines.plan.withdrawn import withdrawn

D1, D2, D3 = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)
NEWER = datetime(2026, 11, 3)
NAMES = ["Acme", "Acme Inc.", "ACME", "Blue", "Blue GmbH", None]


def contact(number: int, company: str | None, **more: Any) -> dict[str, Any]:
    row = {"source": "list", "source_id": str(number), "last_name": f"L{number}"}
    return {**row, "company": company, **more}


def customer(number: int, email: str, **more: Any) -> dict[str, Any]:
    row = {"source": "shop", "source_id": str(number), "customer_id": str(number), "email": email}
    return {**row, "first_name": "Ann", "last_name": "Moss", **more}


def links(resolver: Any, day: date) -> dict[str, dict[str, Any]]:
    return {row["person_key"]: row for row in resolver.read("account_links", day)}


def accounts(resolver: Any, day: date) -> dict[str, dict[str, Any]]:
    return {row["account_key"]: row for row in resolver.read("accounts", day)}


def query(resolver: Any, text: str) -> list[tuple[Any, ...]]:
    """What the state says."""
    project = resolver.project
    with Batch(project, D1).connect() as connection, project.state.attach(connection):
        rows: list[tuple[Any, ...]] = connection.execute(text).fetchall()
    return rows


def registry(resolver: Any) -> set[tuple[Any, ...]]:
    return {*query(resolver, "from state.account")}


def left_behind(resolver: Any) -> set[str]:
    """The accounts that nobody belongs to any more."""
    path = withdrawn(resolver.project)
    rows = query(resolver, f"select key from '{path}' where relation = 'accounts'")
    return {key for [key] in rows}


def together(resolver: Any) -> set[frozenset[str]]:
    """Which source records share an account, whatever its key is called."""
    rows = query(
        resolver,
        "select list(distinct record.source_id) from state.account_member as belonging"
        " join state.member as member on member.person = belonging.person"
        " join state.record as record on record.record = member.record"
        " group by belonging.account",
    )
    return {frozenset(ids) for [ids] in rows}


def test_people_ask_and_links_decide(resolver: Any) -> None:
    resolver.feed(
        D1,
        contacts=[contact(1, "Acmé, Inc."), contact(2, None)],
        customers=[customer(7, "a@example.com")],
    )
    people = {row["person_key"]: row for row in resolver.read("people", D1)}
    requests = {
        (row["asked_account"], row["asked_by"], row["asked_name_key"]) for row in people.values()
    }
    assert requests == {
        ("Acmé, Inc.", "exact_name", "acme"), (None, "none", None),
        ("Ann Moss", "generated_name", None),
    }  # fmt: skip
    assert not [column for column in next(iter(people.values())) if column.startswith("account")]
    for key, link in links(resolver, D1).items():
        person = people[key]
        request = (person["asked_account"], person["asked_by"], person["asked_name_key"])
        assert (link["name"], link["rule"], link["name_key"]) == request
        assert link["reference"] is None
    assert len(links(resolver, D1)) == 2


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_who_shares_an_account_is_the_same_in_any_order_of_batches(
    make_resolver: Callable[[], Any], companies: list[str | None], random: Any
) -> None:
    rows = [contact(number, company) for number, company in enumerate(companies)]
    at_once, shuffled = make_resolver(), make_resolver()
    at_once.feed(D1, contacts=rows)
    random.shuffle(rows)
    half = len(rows) // 2
    shuffled.feed(D2, contacts=rows[half:])
    shuffled.feed(D1, contacts=rows[:half])
    assert together(shuffled) == together(at_once)
    keys = "select account from state.account"
    assert {*query(shuffled, keys)} == {*query(at_once, keys)}


def test_an_account_is_minted_once_and_a_batch_again_changes_nothing(resolver: Any) -> None:
    resolver.feed(D1, contacts=[contact(1, "Acme")], customers=[customer(7, "a@example.com")])
    resolver.feed(D2, contacts=[contact(2, "ACME"), contact(3, "Blue")])
    minted = "select account_spelling(account, spelling), minted from state.account"
    days = {
        row["name"]: row["account_key"]
        for day in (D1, D2)
        for row in resolver.read("accounts", day)
    }
    before = registry(resolver), links(resolver, D2), accounts(resolver, D2)
    assert dict(query(resolver, minted)) == {
        days["ACME"]: D1, days["Ann Moss"]: D1, days["Blue"]: D2,
    }  # fmt: skip
    resolver.feed(D2, contacts=[contact(2, "ACME"), contact(3, "Blue")])
    assert (registry(resolver), links(resolver, D2), accounts(resolver, D2)) == before
    assert {row[0] for row in query(resolver, minted)} == {*days.values()}


def test_whoever_is_withdrawn_leaves_the_account_and_its_key_stays(resolver: Any) -> None:
    resolver.feed(D1, contacts=[contact(1, "Acme")])
    resolver.feed(D2, contacts=[contact(2, "Acme"), contact(3, "Blue")])
    keys = {row["name"]: row["account_key"] for row in resolver.read("accounts", D2)}
    resolver.feed(D2, contacts=[])
    assert together(resolver) == {frozenset("1")}
    assert accounts(resolver, D2)[keys["Acme"]]["members"] == 1
    assert keys["Blue"] not in accounts(resolver, D2)
    assert left_behind(resolver) == {keys["Blue"]}
    resolver.feed(D3, contacts=[contact(9, "Blue")])
    assert {*accounts(resolver, D3)} == {keys["Blue"]}
    [(minted,)] = query(
        resolver,
        f"select minted from state.account where "
        f"account_spelling(account, spelling) = '{keys['Blue']}'",
    )
    assert minted == D2


def test_an_account_called_after_a_person_follows_them_until_they_part(resolver: Any) -> None:
    resolver.feed(D1, customers=[customer(7, "a@example.com")])
    resolver.feed(D2, customers=[customer(8, "b@example.com")])
    [first], [second] = accounts(resolver, D1), accounts(resolver, D2)
    resolver.feed(D3, customers=[customer(8, "a@example.com", as_of=NEWER)])
    assert accounts(resolver, D3)[first]["aliases"] == [second]
    assert left_behind(resolver) == set()
    resolver.feed(D3, customers=[])
    assert {key: row["aliases"] for key, row in accounts(resolver, D3).items()} == {
        first: [], second: [],
    }  # fmt: skip
    assert {row[3] for row in registry(resolver)} == {None}


def test_with_a_company_the_account_called_after_a_person_goes_nowhere(resolver: Any) -> None:
    ann = {"email": "a@example.com", "first_name": "Ann", "last_name": "Moss"}
    resolver.feed(D1, contacts=[contact(1, "Acme", **ann)])
    resolver.feed(D2, customers=[customer(8, "b@example.com")])
    resolver.feed(D3, customers=[customer(8, "a@example.com", as_of=NEWER)])
    assert len(resolver.members()) == 1
    assert [row["aliases"] for row in resolver.read("accounts", D3)] == [[]]
    assert {row[3] for row in registry(resolver)} == {None}


def test_of_people_who_are_one_only_an_account_that_there_was_is_an_alias(resolver: Any) -> None:
    resolver.feed(D1, customers=[customer(7, "a@example.com")])
    resolver.feed(D2, contacts=[contact(1, None, email="b@example.com", last_name="Moss")])
    resolver.feed(
        D3,
        contacts=[
            contact(1, None, email="a@example.com", first_name="Ann", last_name="Moss", as_of=NEWER)
        ],
    )
    [person] = resolver.read("people", D3)
    [account] = resolver.read("accounts", D3)
    assert (len(person["aliases"]), account["aliases"]) == (1, [])


@pytest.mark.parametrize("spelling", ["p-Odd", "p-0123456789abcdefX"])
def test_a_key_that_is_spelled_in_its_own_way_gives_its_account_the_same(
    resolver: Any, spelling: str
) -> None:
    """As an org gave it back: the number of such a key is that of its spelling."""
    resolver.feed(D1, customers=[customer(7, "a@example.com")])
    number = f"key_number('{spelling}')"
    query(resolver, f"update state.member set person = {number}")
    query(resolver, f"update state.person set person = {number}, spelling = '{spelling}'")
    for day in (D1, D2, D3):
        resolver.feed(day, customers=[customer(7, "a@example.com", gender=str(day))])
        [account] = [row for row in resolver.read("accounts", day) if row["members"]]
        assert account["account_key"] == f"a-{spelling[2:]}"
        assert {row["account_key"] for row in links(resolver, day).values()} == {
            account["account_key"]
        }
