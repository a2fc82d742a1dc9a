"""The law of refusals, for any records of the org and any rows of the sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SOURCES = """
sources:
  crm: {entity: contacts, preset: generic, as: contact}
  leads: {entity: contacts, preset: generic, as: lead}
  news: {entity: subscribers, preset: generic}
  club: {entity: subscribers, preset: generic}
"""
FIRST_DAY, FIRST_MOMENT = date(2026, 1, 5), datetime(2025, 1, 1)
PEOPLE = "ID,First Name,Last Name,Email,Last Updated\n"
NEWS = "ID,Email,Status,Updated At\n"
LAST_NAMES = ("Miller", "Schmidt", "Okafor")

addresses = st.integers(0, 4).map("reader{}@law.example".format)
people = st.tuples(st.sampled_from(["Anna", "Bob", ""]), st.sampled_from(LAST_NAMES), addresses)
records = st.tuples(st.sampled_from(["Contact", "Lead"]), people, st.booleans())
rows = st.tuples(st.sampled_from(["crm", "leads"]), st.integers(0, 5), people)
statements = st.tuples(
    st.sampled_from(["news", "club"]),
    st.integers(0, 2),
    addresses,
    st.sampled_from(["subscribed", "unsubscribed", "unsubscribed", "not activated"]),
    st.integers(0, 300),
)


@dataclass
class World:
    """What was said and made so far, in one pipeline that lives through all examples.

    Attributes:
        said: address → the newest statement with its moment.
        out: Ids of records that were opted out when somebody made them in the org.
    """

    chain: Any
    days: int = 0
    said: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)

    def make(self, client: Any, made: Sequence[Any]) -> None:
        for object_name, (first, last, email), opted_out in made:
            values = {"LastName": last, "Email": email.title(), "HasOptedOutOfEmail": opted_out}
            if first:
                values["FirstName"] = first
            if object_name == "Lead":
                values["Company"] = "Elsewhere"
            sf_id = getattr(client, object_name).create(values)["id"]
            self.out |= {sf_id} if opted_out else set()

    def put(self, listed: Sequence[Any], spoken: Sequence[Any]) -> date:
        """Lay a day into the inbox; no two statements of all examples are of one moment."""
        day = FIRST_DAY + timedelta(days=self.days)
        self.days += 1
        lines: dict[tuple[str, str], str] = {}  # a file names each id once
        for source, number, (first, last, email) in listed:
            lines[source, str(number)] = f"{number},{first},{last},{email},\n"
        heard: dict[tuple[str, str], tuple[str, tuple[datetime, bool]]] = {}
        for place, (source, reader, email, status, hours) in enumerate(spoken):
            moment = FIRST_MOMENT + timedelta(hours=hours, seconds=100 * self.days + place)
            # One reader, one address: that a reader moves says nothing of the address before.
            name = f"{reader}-{email}"
            lines[source, name] = f"{name},{email},{status},{moment}\n"
            heard.pop((source, name), None)
            if status != "not activated":
                heard[source, name] = (email, (moment, status != "subscribed"))
        for email, statement in heard.values():
            self.said[email] = max(self.said.get(email, statement), statement)
        for source in {source for source, _ in lines}:
            header = NEWS if source in ("news", "club") else PEOPLE
            rows_of = [line for (named, _), line in lines.items() if named == source]
            self.chain.put(source, day, "rows.csv", header + "".join(rows_of))
        return day

    def stored(self) -> dict[str, tuple[str, bool, str | None]]:
        return {
            row["Id"]: (row["Email"], row["HasOptedOutOfEmail"], row["Causeway_Key__c"])
            for name in ("Contact", "Lead")
            for row in self.chain.records(name, "Email", "HasOptedOutOfEmail", "Causeway_Key__c")
        }


@pytest.fixture(scope="module")
def world(make_chain: Any) -> World:
    return World(make_chain(SOURCES))


@given(
    made=st.lists(records, min_size=2, max_size=8),
    listed=st.lists(rows, max_size=8),
    spoken=st.lists(statements, min_size=1, max_size=6),
)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_live_record_with_a_refused_address_is_out_and_none_comes_back(
    world: World, made: Any, listed: Any, spoken: Any
) -> None:
    client = world.chain.salesforce()
    world.make(client, made)
    client.session.close()
    before = world.stored()
    day = world.put(listed, spoken)
    world.chain.done(day)
    after = world.stored()
    refused = {email for email, (_, out) in world.said.items() if out}
    assert not [row for row in after.values() if row[0] in refused and not row[1]]
    strangers = {sf_id for sf_id, row in before.items() if row[2] is None and row[1]}
    assert not [sf_id for sf_id in strangers | world.out if not after[sf_id][1]]
    assert {sf_id for sf_id, row in after.items() if row[2] is None} <= before.keys()
    stamps = world.chain.stamps()
    world.chain.done(day)
    assert world.chain.stamps() == stamps
