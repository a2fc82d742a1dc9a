"""Small homes at random: who is on which list on which day, what changes, goes and comes back.

A few people stand on many lists under several spellings. Couples share a mailbox, shops know
guests, readers have no name; rows are wrong, are withdrawn, and come in days that are run again.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SOURCES = """
sources:
  fair: {entity: contacts, preset: generic, as: contact, priority: 20}
  trade:
    entity: contacts
    preset: generic
    as: lead
    priority: 30
    lists: {Agencies: {as: contact, account: {into: Agencies}}}
  shop: {entity: customers, preset: generic, priority: 10}
  orders: {preset: magento_order, priority: 15}
  news: {preset: magento_subscriber_table, priority: 40}
"""

DAYS = tuple(f"2026-11-{day:02}" for day in range(2, 8))
Row = dict[str, str]


@dataclass(frozen=True)
class Batch:
    """One run of one day.

    Attributes:
        day: in ISO format.
        files: path below the inbox → content, put there before the run.
    """

    day: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Person:
    """Somebody invented."""

    number: int
    first: str
    last: str
    email: str
    company: str
    phone: str


FIRST = ("Anna", "Bob", "José", "Zoë", "William", "Bill", "Li", "Maria", "Jean-Luc", "Ann")
LAST = ("Miller", "O'Brien", "van den Berg", "Müller", "Nakamura", "Miller-Jones", "Ng", "Roux")
COMPANIES = ("Acme", "Acme, Inc.", "ACME Inc", "Blue Heron", "Blue Heron Ltd", "Delta", "", "")


def random_home(seed: int) -> tuple[list[tuple[str, Row]], list[Batch]]:
    """What the org holds before, and the batches in the order in which they are run."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    people = [_person(chance, number) for number in range(chance.randint(6, 24))]
    lying: dict[str, dict[str, list[Row]]] = {}
    batches = []
    for _ in range(chance.randint(3, 6)):
        again = sorted(lying) if chance.random() < 0.35 else DAYS
        day = chance.choice(again or DAYS)
        if day not in lying:
            lying[day] = {name: _rows(chance, people, name, day) for name in HEADERS}
        elif chance.random() < 0.7:
            lying[day] = {name: _edited(chance, rows) for name, rows in lying[day].items()}
        if chance.random() < 0.3:
            people[chance.randrange(len(people))] = _person(chance, chance.randrange(len(people)))
        batches.append(Batch(day, dict(_files(day, lying[day]))))
    return list(_strangers(chance, people)), batches


def _person(chance: random.Random, number: int) -> Person:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    mailbox = chance.choice((f"p{number}", f"p{number}", f"p{number}", "family", "office"))
    host = chance.choice(("acme.example", "blue.example", "cases.example"))
    return Person(
        number,
        first,
        last,
        f"{mailbox}@{host}",
        chance.choice(COMPANIES),
        f"+1 212 555 01{number:02}",
    )


def _moment(chance: random.Random, day: str) -> str:
    return f"{chance.choice((day, DAYS[0]))} 0{chance.randrange(10)}:00:00"


def _contact(chance: random.Random, person: Person, day: str) -> Row:
    return {
        "ID": f"C{person.number}",
        "List": chance.choice(("", "", "Agencies")),
        "First Name": chance.choice((person.first, person.first.upper(), "")),
        "Last Name": chance.choice((person.last, person.last, person.last, "")),
        "Email": chance.choice((person.email, person.email.upper(), "", "no address")),
        "Title": chance.choice(("", "Buyer", "Head of " + "everything " * 20)),
        "Company": chance.choice((person.company, person.company, chance.choice(COMPANIES))),
        "Phone": chance.choice((person.phone, "", "12")),
        "City": chance.choice(("", "Oslo", "New York")),
        "Country": chance.choice(("", "NO", "United States", "Narnia")),
        "Last Updated": _moment(chance, day),
    }


def _customer(chance: random.Random, person: Person, day: str) -> Row:
    return {
        "Customer ID": f"{100 + person.number}",
        "First Name": person.first,
        "Last Name": person.last,
        "Email": person.email,
        "Company": chance.choice(("", person.company)),
        "Updated At": _moment(chance, day),
    }


def _order(chance: random.Random, person: Person, day: str) -> Row:
    guest = chance.random() < 0.6
    return {
        "entity_id": f"{1000 + 10 * person.number + chance.randrange(3)}",
        "state": chance.choice(("complete", "complete", "canceled")),
        "status": "complete",
        "customer_id": "" if guest else f"{100 + person.number}",
        "customer_is_guest": str(int(guest)),
        "customer_email": person.email,
        "customer_firstname": person.first,
        "customer_lastname": person.last,
        "grand_total": "10.00",
        "created_at": _moment(chance, day),
        "updated_at": _moment(chance, day),
    }


def _subscriber(chance: random.Random, person: Person, day: str) -> Row:
    return {
        "subscriber_id": f"{500 + person.number}",
        "customer_id": chance.choice(("0", f"{100 + person.number}")),
        "subscriber_email": person.email,
        "subscriber_status": chance.choice(("1", "1", "2", "3", "9")),
        "change_status_at": _moment(chance, day),
    }


MAKERS = {
    "fair": _contact,
    "trade": _contact,
    "shop": _customer,
    "orders": _order,
    "news": _subscriber,
}
HEADERS = {
    name: tuple(make(random.Random(0), Person(0, "", "", "", "", ""), DAYS[0]))  # noqa: S311
    for name, make in MAKERS.items()
}
"""Source → the columns of its file."""


def _rows(chance: random.Random, people: Sequence[Person], name: str, day: str) -> list[Row]:
    """Some of the people, some of them twice."""
    chosen = [one for one in people if chance.random() < 0.5]
    chosen += [one for one in chosen if chance.random() < 0.1]
    return [MAKERS[name](chance, one, day) for one in chosen]


def _edited(chance: random.Random, rows: Sequence[Row]) -> list[Row]:
    """Rows are withdrawn, and cells change for those of another row."""
    kept = [dict(row) for row in rows if chance.random() < 0.8]
    for row in kept:
        if chance.random() < 0.3:
            column = chance.choice(list(row))
            row[column] = chance.choice(kept)[column]
    return kept


def _files(day: str, sources: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, str]]:
    for name, rows in sources.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, HEADERS[name], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        yield f"{name}/{day}/{name}.csv", text.getvalue()


def _strangers(chance: random.Random, people: Sequence[Person]) -> Iterator[tuple[str, Row]]:
    """Records that somebody made by hand before us, like some of the people or not."""
    for person in people:
        if chance.random() < 0.15:
            yield "Account", {"Name": person.company or "Somewhere"}
        if chance.random() < 0.15:
            last = chance.choice((person.last, "Stranger"))
            yield "Contact", {"FirstName": person.first, "LastName": last, "Email": person.email}
        if chance.random() < 0.1:
            yield "Lead", {"LastName": person.last, "Company": "Old", "Email": person.email}
