"""What one run is told to write: people, sources, objects; what it leaves out is not lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.batch import Batch
from pipelines.plan.make import newest, plan
from pipelines.stages import run_batch
from pipelines.sync.plan.choice import EVERYTHING, Choice
from pipelines.sync.plan.row import WRITES

D1, D2, D3 = (date(2026, 11, day) for day in (5, 6, 7))

SOURCES = """
sources:
  fair: {entity: contacts, preset: generic, as: contact}
  book: {entity: contacts, preset: generic, as: contact}
  prospects: {entity: contacts, preset: generic, as: lead}
  news: {preset: magento_subscriber_table}
"""
HEAD = "ID,First Name,Last Name,Email,Company,Title\n"
NEWS = "subscriber_id,customer_id,subscriber_email,subscriber_status,change_status_at\n"
FIRST = {
    "fair": HEAD + "1,Ada,Okafor,ada@x.org,Acme,CTO\n2,Ben,Voss,ben@x.org,Blue,CFO\n",
    "prospects": HEAD + "7,Ida,Falk,ida@x.org,Umbra,Buyer\n",
}
SECOND = {
    # Ada is promoted; Cy is new at her company, Di and Fay at one that is new; the org has Fay.
    "fair": HEAD + "1,Ada,Okafor,ada@x.org,Acme,CEO\n3,Cy,Dahl,cy@x.org,Acme,\n"
    "4,Di,Marsh,di@x.org,Zeta,\n5,Fay,Quill,fay@x.org,Zeta,CIO\n",
    "book": HEAD + "4,Di,Marsh,di@x.org,,Editor\n6,Gus,Tarr,gus@x.org,Tarr Ltd,\n",
    "prospects": HEAD + "7,Ida,Falk,ida@x.org,Umbra,Head Buyer\n8,Joe,Ray,joe@x.org,Ray,\n",
    # Ben, of whom the day says nothing else, and Ida refuse.
    "news": NEWS + "21,0,ben@x.org,3,2026-11-05 08:00:00\n22,0,ida@x.org,3,2026-11-05 08:00:00\n",
}
PEOPLE = {
    "Okafor": ("ada@x.org", {"fair:1"}, "Contact", "Acme"),
    "Voss": ("ben@x.org", {"fair:2", "news:21"}, "Contact", "Blue"),
    "Dahl": ("cy@x.org", {"fair:3"}, "Contact", "Acme"),
    "Marsh": ("di@x.org", {"fair:4", "book:4"}, "Contact", "Zeta"),
    "Quill": ("fay@x.org", {"fair:5"}, "Contact", "Zeta"),
    "Tarr": ("gus@x.org", {"book:6"}, "Contact", "Tarr Ltd"),
    "Falk": ("ida@x.org", {"prospects:7", "news:22"}, "Lead", None),
    "Ray": ("joe@x.org", {"prospects:8"}, "Lead", None),
}
"""Last name → address, rows, object and account."""

ROWS = sorted({row for _, rows, *_ in PEOPLE.values() for row in rows})
CHOICES = st.builds(
    Choice.of,
    st.fixed_dictionaries(
        {
            "only": st.lists(
                st.sampled_from([*ROWS, *(address for address, *_ in PEOPLE.values())]), max_size=2
            ),
            "source": st.lists(st.sampled_from(["fair", "book", "prospects", "news"]), max_size=2),
            "object": st.lists(st.sampled_from(["Account", "contact", "Lead"]), max_size=2),
        }
    ),
).filter(bool)


def people_of(choice: Choice) -> set[str]:
    """The last names of whom a choice of people means, whatever objects it names."""
    return {
        name
        for name, (address, rows, *_) in PEOPLE.items()
        if (not choice.people or {address, *rows} & set(choice.people))
        and (not choice.sources or {row.split(":")[0] for row in rows} & set(choice.sources))
    }


def chosen(choice: Choice, object_name: str) -> set[str]:
    """Who of an object is chosen, by last name; accounts by name."""
    if choice.objects and object_name.lower() not in map(str.lower, choice.objects):
        return set()
    people = people_of(choice)
    if object_name == "Account":
        return {PEOPLE[name][3] for name in people if PEOPLE[name][3]}
    return {name for name in people if PEOPLE[name][2] == object_name}


@pytest.fixture(scope="module")
def template(make_chain: Any) -> Any:
    """A home after its first day, with a second one in the inbox; its org is stopped."""
    chain = make_chain(SOURCES)
    for source, content in FIRST.items():
        chain.put(source, D1, "f.csv", content)
    chain.done(D1)
    client = chain.salesforce()
    client.Contact.create({"LastName": "Quill", "FirstName": "Fay", "Email": "fay@x.org"})
    client.session.close()
    for source, content in SECOND.items():
        chain.put(source, D2, "f.csv", content)
    chain.stop_org()
    return chain


@contextmanager
def copied(make_chain: Any, template: Any, folder: Path) -> Iterator[Any]:
    home = folder / "home"
    chain = make_chain(SOURCES, org=False, home=home)
    shutil.rmtree(home)
    shutil.copytree(template.home, home)
    chain.start_org()
    yield chain
    chain.stop_org()
    shutil.rmtree(home)


def run(chain: Any, day: date, choice: Choice = EVERYTHING, **how: Any) -> Any:
    return run_batch(replace(chain.project, choice=choice), day, **how)


def records(chain: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Object and name → the record, by its key, without what differs from run to run."""
    accounts = {row["Id"]: row["Name"] for row in chain.records("Account", "Name")}
    found = {}
    for name in ("Account", "Contact", "Lead"):
        for row in chain.records(name):
            del row["Id"]
            if "AccountId" in row:
                row["AccountId"] = accounts.get(row["AccountId"])
            found[name, row["Name" if name == "Account" else "LastName"]] = row
    return found


@pytest.fixture(scope="module")
def plain(make_chain: Any, template: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the org holds after a second day without a choice."""
    with copied(make_chain, template, tmp_path_factory.mktemp("plain")) as chain:
        assert run(chain, D2).success
        return records(chain)


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(choice=CHOICES)
def test_a_plain_run_completes_what_any_choice_left_out(
    make_chain: Any, template: Any, plain: Any, tmp_path_factory: Any, choice: Choice
) -> None:
    with copied(make_chain, template, tmp_path_factory.mktemp("chosen")) as chain:
        before = records(chain)
        assert run(chain, D2, choice).success
        between = records(chain)
        for (object_name, name), row in between.items():
            was = before.get((object_name, name))
            if name not in chosen(choice, object_name):
                assert was is not None, f"{choice} makes {object_name} {name}"
                changed = {field for field in row if row[field] != was[field]}
                assert changed <= {"HasOptedOutOfEmail"}, f"{choice} changes {name}: {changed}"
            elif object_name != "Account" or not choice.objects:
                assert row == plain[object_name, name], f"{choice} writes {name} otherwise"
        for who in (("Contact", "Voss"), ("Lead", "Falk")):
            assert between[who]["HasOptedOutOfEmail"], f"{choice} leaves an opt-out out"
        # Whichever day comes next brings the rest.
        chain.put("book", D3, "b.csv", HEAD)
        assert run(chain, D3).success
        assert records(chain) == plain
        stamps = chain.stamps()
        assert run(chain, D2).success
        assert chain.stamps() == stamps


def rows_of(batch: Batch) -> dict[tuple[str, str], dict[str, Any]]:
    """Mapping and key → the row, of the day's newest plan."""
    import duckdb

    saved, rows = newest(batch), {}
    with duckdb.connect() as connection:
        for stem in saved.objects:
            payload = connection.sql(f"from '{saved.payload(stem)}'").to_arrow_table().to_pylist()
            rows |= {(stem, row["key"]): row for row in payload}
    return rows


@pytest.fixture(scope="module")
def planned(make_chain: Any, template: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """A home whose second day was planned and not sent, and the rows of that plan."""
    with copied(make_chain, template, tmp_path_factory.mktemp("planned")) as chain:
        assert run(chain, D2, plan_only=True).success
        yield chain, rows_of(Batch(chain.project, D2))


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(choice=CHOICES)
def test_a_choice_takes_rows_out_of_a_plan_and_changes_none(planned: Any, choice: Choice) -> None:
    chain, everything = planned
    batch = Batch(replace(chain.project, choice=choice), D2)
    saved, _ = plan(batch)
    assert saved.choice == {kind: list(values) for kind, values in choice.kinds.items()}
    rows = rows_of(batch)
    assert rows.keys() == everything.keys()
    for which, row in rows.items():
        other = everything[which]
        if row["action"] == "skip":
            assert other["action"] in WRITES, (choice, other)
            assert (row["changed"], row["fields"]) == ([], [])
            assert "left out by --" in row["reason"]
        elif (row["reason"] or "").startswith("only its opt-out is sent, the rest waits: left out"):
            assert row["changed"] == ["HasOptedOutOfEmail"]
            assert {"HasOptedOutOfEmail", "Title"} == set(other["changed"])
        else:
            assert row == other, choice
