"""Who is who: the laws of clusters and keys, and the golden records they give."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.batch import Batch
from pipelines.sync.state import sql

D1, D2, D3 = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)
T = datetime(2026, 10, 1)


def contact(number: int, email: str | None, **more: Any) -> dict[str, Any]:
    return {"source": "list", "source_id": str(number), "email": email, "last_name": "L", **more}


def union_find(rows: list[tuple[int, int]]) -> set[frozenset[int]]:
    """Connected components the plain way: rows are (record, key)."""
    parent = {record: record for record, _ in rows}

    def find(node: int) -> int:
        while parent[node] != node:
            node = parent[node]
        return node

    for record, key in rows:
        for other, same in rows:
            if key == same:
                parent[find(record)] = find(other)
    groups: dict[int, set[int]] = {}
    for record in parent:
        groups.setdefault(find(record), set()).add(record)
    return {frozenset(group) for group in groups.values()}


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_clusters_are_the_connected_components_in_any_order_and_split(
    make_resolver: Callable[[], Any], emails: list[int], random: Any
) -> None:
    rows = [contact(n, f"x{email}@example.com") for n, email in enumerate(emails)]
    together, shuffled = make_resolver(), make_resolver()
    together.feed(D1, contacts=rows)
    random.shuffle(rows)
    half = len(rows) // 2
    shuffled.feed(D2, contacts=rows[half:])
    shuffled.feed(D1, contacts=rows[:half])
    expected = {
        frozenset(("list", str(record)) for record in group)
        for group in union_find(list(enumerate(emails)))
    }
    assert together.clusters() == expected
    assert shuffled.clusters() == expected


def test_a_long_chain_of_links_becomes_one_person(resolver: Any) -> None:
    # customer n shares an e-mail with subscriber n, subscriber n a customer id with customer n + 1
    customers = [
        {
            "source": "shop",
            "source_id": str(n),
            "customer_id": str(n),
            "email": f"e{n}@example.com",
            "last_name": "L",
        }
        for n in range(120)
    ]
    subscribers = [
        {
            "source": "news",
            "source_id": str(n),
            "email": f"e{n}@example.com",
            "customer_id": str(n + 1),
            "status": "subscribed",
        }
        for n in range(119)
    ]
    resolver.feed(D1, customers=customers, subscribers=subscribers)
    [members] = resolver.members().values()
    assert len(members) == 239


def test_running_a_batch_again_changes_nothing(resolver: Any) -> None:
    rows = [contact(1, "a@example.com"), contact(2, "a@example.com"), contact(3, None)]
    resolver.feed(D1, contacts=rows)
    before = resolver.members(), resolver.read("people", D1), resolver.read("accounts", D1)
    resolver.feed(D1, contacts=rows)
    after = resolver.members(), resolver.read("people", D1), resolver.read("accounts", D1)
    assert {key: sorted(ids) for key, ids in before[0].items()} == {
        key: sorted(ids) for key, ids in after[0].items()
    }
    by_key = lambda row: row["person_key"]  # noqa: E731
    assert sorted(before[1], key=by_key) == sorted(after[1], key=by_key)
    assert before[2] == after[2]


def test_a_late_record_joins_the_key_that_stands_and_an_older_one_never_replaces_it(
    resolver: Any,
) -> None:
    resolver.feed(D2, contacts=[contact(2, "a@example.com", as_of=datetime(2026, 11, 2))])
    [key] = resolver.members()
    resolver.feed(D1, contacts=[contact(1, "a@example.com", as_of=datetime(2020, 1, 1))])
    assert list(resolver.members()) == [key]


def test_when_clusters_merge_the_oldest_key_stays_and_when_they_split_the_founder_keeps_it(
    resolver: Any,
) -> None:
    resolver.feed(D1, contacts=[contact(1, "a@example.com")])
    resolver.feed(D2, contacts=[contact(2, "b@example.com")])
    keys = {ids[0][1]: key for key, ids in resolver.members().items()}
    newer = datetime(2026, 11, 3)
    resolver.feed(D3, contacts=[contact(2, "a@example.com", as_of=newer)])
    assert list(resolver.members()) == [keys["1"]]
    resolver.feed(D3, contacts=[])
    assert {ids[0][1]: key for key, ids in resolver.members().items()} == keys


def test_a_person_shows_the_keys_it_took_over_until_they_part_again(resolver: Any) -> None:
    resolver.feed(D1, contacts=[contact(1, "a@example.com")])
    resolver.feed(D2, customers=[customer(email="b@example.com")])
    keys = {ids[0][1]: key for key, ids in resolver.members().items()}
    assert [row["aliases"] for row in resolver.read("people", D2)] == [[]]
    newer = datetime(2026, 11, 3)
    resolver.feed(D3, contacts=[contact(1, "b@example.com", as_of=newer)])
    [person] = resolver.read("people", D3)
    assert (person["person_key"], person["aliases"]) == (keys["1"], [keys["7"]])
    [account] = [row for row in resolver.read("accounts", D3) if row["members"]]
    assert account["aliases"] == [f"a-{keys['7'].removeprefix('p-')}"]
    resolver.feed(D3, contacts=[])
    assert {row["person_key"]: row["aliases"] for row in resolver.read("people", D3)} == {
        key: [] for key in keys.values()
    }


@pytest.mark.parametrize("outcome", ["held", "rejected", "unknown"])
@pytest.mark.parametrize("waits", ["person_key", "account_key"])
def test_whoever_waits_is_in_the_scope_of_every_later_batch(
    resolver: Any, outcome: str, waits: str
) -> None:
    resolver.feed(D1, contacts=[contact(1, None, company="Acme"), contact(2, None)])
    [waiting] = resolver.read("account_links", D1)
    resolver.answered(waiting[waits], outcome)
    resolver.feed(D2, contacts=[contact(3, None)])
    keys = {row["person_key"] for row in resolver.read("people", D2)}
    assert waiting["person_key"] in keys
    assert len(keys) == 2
    resolver.answered(waiting[waits], "updated")
    resolver.feed(D3, contacts=[])
    assert waiting["person_key"] not in {row["person_key"] for row in resolver.read("people", D3)}


def test_a_withdrawn_row_leaves_its_person_and_the_older_version_speaks_again(
    resolver: Any,
) -> None:
    resolver.feed(D1, contacts=[contact(1, "a@example.com", title="Old", as_of=T)])
    resolver.feed(D2, contacts=[contact(1, "a@example.com", title="New")])
    assert [row["title"] for row in resolver.read("people", D2)] == ["New"]
    resolver.feed(D2, contacts=[])
    assert [row["title"] for row in resolver.read("people", D2)] == ["Old"]


def test_an_old_batch_run_again_never_moves_a_field_back(resolver: Any) -> None:
    old = [contact(1, "a@example.com", title="Old", as_of=T)]
    resolver.feed(D1, contacts=old)
    resolver.feed(D2, contacts=[contact(1, "a@example.com", title="New")])
    resolver.feed(D1, contacts=old)
    assert [row["title"] for row in resolver.read("people", D1)] == ["New"]


def test_role_mailboxes_link_only_with_the_same_last_name(resolver: Any) -> None:
    resolver.feed(
        D1,
        contacts=[
            contact(1, "info@example.com", last_name="Ray"),
            contact(2, "info@example.com", last_name="Lee"),
            contact(3, "info@example.com", last_name="RAY"),
        ],
    )
    assert sorted(len(ids) for ids in resolver.members().values()) == [1, 2]


def test_names_and_addresses_survive_as_blocks_by_priority(resolver: Any) -> None:
    address = {"street": "1 Main", "city": "Springfield", "postal_code": None, "country": "US"}
    resolver.feed(
        D1,
        contacts=[contact(1, "a@example.com", first_name="Liz", last_name="Ray", **address)],
        customers=[
            {
                "source": "shop",
                "source_id": "9",
                "email": "a@example.com",
                "first_name": None,
                "last_name": "Ray",
            }
        ],
    )
    [person] = resolver.read("people", D1)
    assert (person["first_name"], person["last_name"]) == (None, "Ray")
    assert (person["mailing_street"], person["mailing_city"]) == ("1 Main", "Springfield")
    assert person["values_from"]["mailing"] == "list/1"
    assert person["values_from"]["name"] == "shop/9"


def test_further_addresses_belong_to_their_parent_and_none_is_lost(resolver: Any) -> None:
    offices = [
        {
            "source": "offices",
            "source_id": f"1-{n}",
            "parent_id": "1",
            "street": f"{n} Hill",
            "city": f"Town {n}",
            "phone": f"555-000{n}",
        }
        for n in range(4)
    ]
    resolver.feed(D1, contacts=[contact(1, None, street="0 Home", city="Capital"), *offices])
    [person] = resolver.read("people", D1)
    assert person["mailing_street"] == "0 Home"
    assert person["other_street"] == "0 Hill"
    assert person["further_addresses"].splitlines() == [
        f"{n} Hill, Town {n}, 555-000{n}" for n in (1, 2, 3)
    ]
    assert person["source_records"] == 1


PLACES = st.builds(
    lambda street, city, region: {"street": street, "city": city, "region": region},
    st.sampled_from(["1 Bill St", "2 Ship St", "3 Third St"]),
    st.sampled_from(["Reno", "Austin"]),
    st.sampled_from([None, "Texas"]),
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    places=st.lists(PLACES, min_size=1, max_size=6),
    defaults=st.tuples(st.integers(0, 7), st.integers(0, 7)),
    also_on_a_list=st.booleans(),
)
def test_every_address_of_a_customer_comes_in(
    make_resolver: Any, places: Any, defaults: Any, also_on_a_list: Any
) -> None:
    resolver = make_resolver()
    customer = {
        "source": "shop",
        "source_id": "c",
        "email": "mara@example.com",
        "first_name": "Mara",
        "last_name": "Adder",
    }
    addresses = [
        {
            "source": "shop",
            "source_id": f"c/{place}",
            "customer_source_id": "c",
            "is_default_shipping": place == defaults[0],
            "is_default_billing": place == defaults[1],
            **parts,
        }
        for place, parts in enumerate(places)
    ]
    listed = {"source": "list", "source_id": "7", "email": "mara@example.com", "last_name": "Adder"}
    resolver.feed(
        D1,
        customers=[customer],
        customer_addresses=addresses,
        contacts=[listed] if also_on_a_list else [],
    )
    [person] = resolver.read("people", D1)
    blocks = [
        [person[f"{block}_{part}"] for part in ("street", "city", "state")]
        for block in ("mailing", "other")
    ]
    known = [", ".join(filter(None, block)) for block in blocks]
    further = (person["further_addresses"] or "").splitlines()
    expected = {", ".join(filter(None, parts.values())) for parts in places}
    assert {*known, *further} - {""} == expected
    assert len(further) == len(expected - set(known))


def test_an_office_lends_its_member_no_identity_and_outranks_none_of_its_words(
    resolver: Any,
) -> None:
    offices = [
        {"source": "offices", "source_id": f"o{n}", "parent_id": str(n), "street": f"{n} High St"}
        | {"email": "office@capitol.example", "title": "Front desk"}
        for n in (1, 2)
    ]
    members = [contact(n, f"m{n}@example.com", title="Member") for n in (1, 2)]
    resolver.feed(D1, contacts=[*members, *offices])
    people = sorted(resolver.read("people", D1), key=lambda person: person["email"])
    assert [(person["email"], person["title"]) for person in people] == [
        ("m1@example.com", "Member"),
        ("m2@example.com", "Member"),
    ]


def test_of_two_statements_of_one_moment_the_refusal_counts(resolver: Any) -> None:
    rows = [
        {"source": "news", "source_id": str(n), "email": "a@example.com", "status": status}
        for n, status in enumerate(("subscribed", "unsubscribed", "subscribed"))
    ]
    resolver.feed(D1, subscribers=rows)
    [person] = resolver.read("people", D1)
    assert person["opted_out"] is True


def test_a_name_read_from_an_address_never_overwrites_a_real_one(resolver: Any) -> None:
    row = {"source": "news", "source_id": "1", "status": "unsubscribed"}
    resolver.feed(D1, subscribers=[row | {"email": "jane.doe7+shop@firm.example"}])
    [person] = resolver.read("people", D1)
    assert (person["first_name"], person["last_name"]) == ("Jane", "Doe")
    assert (person["company"], person["name_derived"]) == ("firm.example", True)
    assert person["opted_out"] is True
    resolver.feed(D2, contacts=[contact(5, "jane.doe7+shop@firm.example", last_name="Roe")])
    [person] = resolver.read("people", D2)
    assert (person["first_name"], person["last_name"]) == (None, "Roe")
    assert person["name_derived"] is False


def test_nobody_who_never_said_a_word_is_opted_in_or_out(resolver: Any) -> None:
    resolver.feed(D1, contacts=[contact(1, "a@example.com")])
    [person] = resolver.read("people", D1)
    assert person["opted_out"] is None


def test_companies_alike_but_for_spelling_are_one_account(resolver: Any) -> None:
    names = ["Acme Inc.", "ACME, Inc", "Acmé", "Acme Tools"]
    resolver.feed(
        D1,
        contacts=[contact(n, None, company=name) for n, name in enumerate(names)],
        customers=[{"source": "shop", "source_id": "x", "first_name": "Ann", "last_name": "Acme"}],
    )
    accounts = {row["account_key"]: row for row in resolver.read("accounts", D1)}
    assert sorted(row["members"] for row in accounts.values()) == [1, 1, 3]
    [generated] = [row for row in accounts.values() if row["name_generated"]]
    assert generated["name"] == "Ann Acme"


def test_when_names_are_normalised_otherwise_accounts_keep_their_keys(resolver: Any) -> None:
    """The oldest of those that meet takes the others over; the name means it from then on."""
    resolver.feed(D1, contacts=[contact(1, None, company="Acme"), contact(2, None, company="Blue")])
    resolver.feed(D2, contacts=[contact(3, None, company="Acme Holding")])
    keys = {row["name"]: row["account_key"] for day in (D1, D2) for row in accounts(resolver, day)}
    project = resolver.project
    with Batch(project, D1).connect() as connection, project.state.attach(connection):
        connection.execute("create temp macro norm_company(x) as upper(replace(x, ' Holding', ''))")
        connection.execute(sql("identity/regroup_accounts"))
        spelled = "account_spelling(account, null), account_spelling(alias_of, null)"
        aliases = dict(connection.execute(f"select {spelled} from state.account").fetchall())
        means = "record_key('name', 'ACME'), record_key('name', 'BLUE')"
        [(acme, blue)] = connection.execute(f"select {means}").fetchall()
        references = connection.execute(
            "select reference, account_spelling(account, null) from state.account_reference"
        ).fetchall()
    assert aliases == {keys["Acme"]: None, keys["Blue"]: None, keys["Acme Holding"]: keys["Acme"]}
    assert dict(references) == {acme: keys["Acme"], blue: keys["Blue"]}
    resolver.feed(D3, contacts=[contact(4, None, company="Acme")])
    assert {row["account_key"] for row in accounts(resolver, D3)} == {keys["Acme"]}
    [account] = accounts(resolver, D3)
    assert account["aliases"] == [keys["Acme Holding"]]


def accounts(resolver: Any, day: date) -> list[dict[str, Any]]:
    return resolver.read("accounts", day)


def test_a_later_batch_keeps_the_members_of_an_account_that_it_does_not_name(
    resolver: Any,
) -> None:
    resolver.feed(D1, contacts=[contact(1, None, company="Acme")])
    resolver.feed(D2, contacts=[contact(2, None, company="ACME")])
    [account] = resolver.read("accounts", D2)
    assert account["members"] == 2


def test_an_account_that_everybody_just_left_is_still_in_scope(resolver: Any) -> None:
    resolver.feed(D1, contacts=[contact(1, None, company="Acme"), contact(2, None, company="Acme")])
    [key] = [row["account_key"] for row in resolver.read("accounts", D1)]
    resolver.feed(D2, contacts=[contact(1, None, company="Zenith")])
    members = {row["account_key"]: row["members"] for row in resolver.read("accounts", D2)}
    assert members[key] == 1
    assert len(members) == 2
    assert all(row["account_key"] != key for row in resolver.read("account_links", D2))
    resolver.match(D2, org_account={key: "001A"})
    routes = {row["entity_key"]: row["sobject"] for row in resolver.read("routes", D2)}
    assert routes[key] == "Account"


def customer(**more: Any) -> dict[str, Any]:
    return {
        "source": "shop",
        "source_id": "7",
        "customer_id": "7",
        "email": "a@example.com",
        "last_name": "L",
        **more,
    }


def address(number: int, street: str, **more: Any) -> dict[str, Any]:
    return {
        "source": "shop",
        "source_id": str(number),
        "customer_source_id": "7",
        "street": street,
        "city": "Springfield",
        **more,
    }


def streets(resolver: Any, day: date) -> tuple[Any, Any]:
    [person] = resolver.read("people", day)
    return person["mailing_street"], person["other_street"]


def test_a_customer_keeps_the_addresses_that_another_day_brought(resolver: Any) -> None:
    shipping = address(1, "1 Ship", is_default_shipping=True)
    billing = address(2, "2 Bill", is_default_billing=True)
    resolver.feed(D1, customers=[customer()], customer_addresses=[shipping, billing])
    assert streets(resolver, D1) == ("1 Ship", "2 Bill")
    resolver.feed(D2, customers=[customer(gender="f")])
    assert streets(resolver, D2) == ("1 Ship", "2 Bill")
    moved = address(1, "9 Moved", is_default_shipping=True)
    resolver.feed(D3, customer_addresses=[moved])
    assert streets(resolver, D3) == ("9 Moved", "2 Bill")
    resolver.feed(D1, customers=[customer()], customer_addresses=[shipping, billing])
    assert streets(resolver, D1) == ("9 Moved", "2 Bill")


def test_an_order_keeps_its_addresses_when_only_its_state_changes(resolver: Any) -> None:
    order = {
        "source": "orders",
        "source_id": "5",
        "email": "guest@example.com",
        "last_name": "L",
    }
    where = {
        "source": "orders",
        "source_id": "5|shipping",
        "order_source_id": "5",
        "address_type": "shipping",
        "street": "3 Guest",
        "city": "Springfield",
    }
    resolver.feed(D1, orders=[order | {"state": "new"}], order_addresses=[where])
    resolver.feed(D2, orders=[order | {"state": "complete"}])
    assert streets(resolver, D2)[0] == "3 Guest"


ANNA = contact(1, "family@example.com", first_name="Anna", last_name="Miller")
BOB = contact(2, "family@example.com", first_name="Bob", last_name="Miller")


def news(number: int, email: str, status: str = "subscribed", **more: Any) -> dict[str, Any]:
    row = {"source": "news", "source_id": str(number), "email": email, "status": status}
    return {**row, **more}


@pytest.mark.parametrize("days", [[ANNA, BOB], [BOB, ANNA]])
def test_a_couple_with_one_mailbox_are_two_people_in_any_order(
    make_resolver: Callable[[], Any], days: Any
) -> None:
    together, apart = make_resolver(), make_resolver()
    together.feed(D1, contacts=days)
    apart.feed(D1, contacts=days[:1])
    [first] = apart.members()
    apart.feed(D2, contacts=days[1:])
    assert together.clusters() == apart.clusters()
    assert len(apart.clusters()) == 2
    assert first in apart.members()
    names = {
        (row["first_name"], row["last_name"])
        for day in (D1, D2)
        for row in apart.read("people", day)
    }
    assert names == {("Anna", "Miller"), ("Bob", "Miller")}


def test_a_record_without_a_name_leaves_whom_it_joined_when_it_fits_two_and_comes_back(
    resolver: Any,
) -> None:
    resolver.feed(D1, contacts=[ANNA], subscribers=[news(1, "family@example.com")])
    assert len(resolver.clusters()) == 1
    resolver.feed(D2, contacts=[BOB])
    assert resolver.clusters() == {
        frozenset({("list", "1")}),
        frozenset({("list", "2")}),
        frozenset({("news", "1")}),
    }
    resolver.feed(D2, contacts=[])
    assert resolver.clusters() == {frozenset({("list", "1"), ("news", "1")})}


def test_an_opt_out_of_an_address_reaches_everybody_who_has_it(resolver: Any) -> None:
    resolver.feed(
        D1, contacts=[ANNA, BOB], subscribers=[news(1, "family@example.com", "unsubscribed")]
    )
    opted_out = {row["first_name"]: row["opted_out"] for row in resolver.read("people", D1)}
    assert opted_out["Anna"] is True
    assert opted_out["Bob"] is True


def test_whoever_orders_with_a_customers_id_lends_that_customer_no_name(resolver: Any) -> None:
    resolver.feed(
        D1,
        customers=[customer(email="family@example.com", first_name="Anna", last_name="Miller")],
        subscribers=[
            news(1, "family@example.com", customer_id="7", first_name="Bob", last_name="Miller")
        ],
        contacts=[BOB],
    )
    assert resolver.clusters() == {
        frozenset({("shop", "7"), ("news", "1")}),
        frozenset({("list", "2")}),
    }


def open_pairs(resolver: Any, day: date) -> set[tuple[str, bool, str]]:
    return {
        (row["likeness"], row["waits"], row["decide"].splitlines()[0])
        for row in resolver.read("open_identities", day)
    }


def test_names_that_agree_in_part_are_proposed_to_both_and_a_decision_settles_it(
    resolver: Any,
) -> None:
    married = contact(3, "family@example.com", first_name="Anna", last_name="Jones")
    resolver.feed(D1, contacts=[ANNA, married])
    assert open_pairs(resolver, D1) == {
        ("thin", False, "same,list:1,list:3"),
        ("thin", False, "same,list:3,list:1"),
    }
    resolver.decide("same,list:3,list:1")
    resolver.feed(D1, contacts=[ANNA, married])
    assert len(resolver.clusters()) == 1
    assert open_pairs(resolver, D1) == set()
    resolver.decide("same,list:3,list:1", "different,list:1,list:3")
    resolver.feed(D1, contacts=[ANNA, married])
    assert len(resolver.clusters()) == 2
    assert open_pairs(resolver, D1) == set()


def test_whoever_has_no_name_and_fits_two_waits_until_somebody_says_whose_it_is(
    resolver: Any,
) -> None:
    rows = {"contacts": [ANNA, BOB], "subscribers": [news(1, "family@example.com")]}
    resolver.feed(D1, **rows)
    assert open_pairs(resolver, D1) == {
        ("several", True, "same,news:1,list:1"),
        ("several", True, "same,news:1,list:2"),
    }
    resolver.decide("same,news:1,list:2")
    resolver.feed(D1, **rows)
    assert frozenset({("list", "2"), ("news", "1")}) in resolver.clusters()
    resolver.decide("different,news:1,list:1", "different,news:1,list:2")
    resolver.feed(D1, **rows)
    assert len(resolver.clusters()) == 3
    assert open_pairs(resolver, D1) == set()


def test_a_decision_counts_for_a_record_that_comes_later_and_by_a_persons_key(
    resolver: Any,
) -> None:
    resolver.feed(D1, contacts=[contact(1, "a@example.com", first_name="Anna")])
    [key] = resolver.members()
    resolver.decide(f"same,list:9,{key}")
    resolver.feed(D2, contacts=[contact(9, "b@example.com", first_name="Else")])
    assert list(resolver.members()) == [key]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "Anna", "Ann", "Bob", "B."]),
            st.sampled_from([None, "Miller", "Jones"]),
            st.sampled_from(["a@example.com", "b@example.com", "info@example.com"]),
        ),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_people_are_the_same_in_any_order_of_days_and_rows(
    make_resolver: Callable[[], Any], people: Any, random: Any
) -> None:
    rows = [
        contact(n, email, first_name=first, last_name=last)
        for n, (first, last, email) in enumerate(people)
    ]
    together, shuffled = make_resolver(), make_resolver()
    together.feed(D1, contacts=rows)
    random.shuffle(rows)
    third = len(rows) // 3
    shuffled.feed(D3, contacts=rows[: 2 * third])
    shuffled.feed(D1, contacts=rows[third : 2 * third])
    shuffled.feed(D2, contacts=rows[2 * third :])
    assert together.clusters() == shuffled.clusters()
