"""Who says what on which day: the story that the demo's inputs tell.

The same people turn up in several sources: some contacts of winmo are in apptivo too, some of
these shop, and most who shop read the newsletter. The second day brings only what changed.
A few rows are wrong on purpose, each in its own way.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.demo import exports as make
from pipelines.demo.exports import Row
from pipelines.demo.people import CAST

File = tuple[str, str]  # source and file name

HEADERS: dict[File, tuple[str, ...]] = {
    ("winmo", "winmo-contacts.csv"): make.WINMO,
    ("apptivo", "contacts.csv"): make.APPTIVO,
    ("shop", "customer.csv"): make.CUSTOMER,
    ("shop", "customer_address.csv"): make.CUSTOMER_ADDRESS,
    ("newsletter", "newsletter_subscriber.csv"): make.SUBSCRIBER,
    ("shop_orders", "sales_order.csv"): make.ORDER,
    ("shop_orders", "sales_order_address.csv"): make.ORDER_ADDRESS,
}
WINMO, APPTIVO, CUSTOMERS, ADDRESSES, SUBSCRIBERS, ORDERS, ORDER_ADDRESSES = HEADERS

Day = dict[File, list[Row]]


@dataclass(frozen=True)
class Planted:
    """A row that is wrong on purpose, on day 0 or 1."""

    source: str
    day: int
    kind: str  # the kind of the reason that Causeway must give
    what: str


PLANTED = (
    Planted(
        "winmo",
        0,
        "Mandatory Values",
        "a contact without a last name, an e-mail address and a company",
    ),
    Planted("winmo", 0, "Data Format", "an e-mail address without a domain"),
    Planted("apptivo", 0, "Duplicates", "the same contact twice in one file"),
    Planted("apptivo", 0, "Unreadable", "a line with more values than the header has columns"),
    Planted("shop", 0, "Data Format", "a customer whose e-mail address has two @"),
    Planted("shop", 0, "Reference", "an address of a customer who is not there"),
    Planted("newsletter", 0, "Data Format", "a newsletter status that does not exist"),
    Planted("shop_orders", 0, "Data Format", "an order whose e-mail address has two @"),
    Planted("shop", 1, "Mandatory Values", "a customer without an e-mail address"),
)

# Ranges of the cast. They overlap where one person is in two sources.
LISTED = range(38)  # winmo
TYPED_IN = range(33, 55)  # apptivo
SHOPPERS = range(50, 90)  # registered customers
READERS = (*range(50, 55), *range(60, 70), *range(72, 90))  # shoppers with the newsletter
LISTED_READERS = range(5)  # contacts of winmo who read it too
GUEST_READERS = range(90, 102)  # readers who are nobody else
BUYERS = range(50, 72)
GUEST_BUYERS = range(105, 108)
NEW_SHOPPER, NEW_CONTACT, NEW_READER = 102, 103, 104  # appear on the second day
NEW_PHONE, MOVED, OPTED_OUT, CONFIRMED = 3, 66, 62, 93  # change on the second day

BROKEN_LINE = "Wren,Calloway,Buyer,Acme Inc.,Partner,415-555-0195,w@acme.example,1,2,3,4,5,6,7,8,9"


def planted(day: int) -> Counter[str]:
    """How many rows of each source must be rejected on day 0 or 1."""
    return Counter(row.source for row in PLANTED if row.day == day)


def first_day(day: date) -> Day:
    """Everything the sources know when they are read for the first time."""
    listed = [make.winmo(CAST[n], day) for n in LISTED]
    typed_in = [make.apptivo(CAST[n]) for n in TYPED_IN]
    wrong = CAST[98], CAST[99], CAST[100]
    return {
        WINMO: [
            *listed,
            make.winmo(wrong[0], day) | {"Last Name": "", "Email": "", "Company": ""},
            make.winmo(wrong[1], day) | {"Email": "cyrus.farahani(at)ironwood"},
        ],
        APPTIVO: [*typed_in, typed_in[7]],
        CUSTOMERS: [
            *(make.customer(CAST[n], day) for n in SHOPPERS),
            make.customer(wrong[2], day) | {"email": "ada@@home.example"},
        ],
        ADDRESSES: [
            *_addresses(SHOPPERS),
            make.customer_address(CAST[101], "both") | {"_email": "nobody@example.com"},
        ],
        SUBSCRIBERS: [
            *_readers(day),
            make.subscriber(CAST[107], day, 0, CAST[107].private_email, False),
        ],
        **_orders(day, 1, [*BUYERS, *GUEST_BUYERS], {4: {"customer_email": "bo@@home.example"}}),
    }  # fmt: skip


def second_day(day: date) -> Day:
    """What changed since: short files, but the newsletter's table, which always comes whole."""
    before = day - timedelta(days=1)
    leaver, doubter, newcomer = CAST[OPTED_OUT], CAST[CONFIRMED], CAST[NEW_READER]
    changes = (
        make.subscriber(leaver, day, 3, make.shopper_email(leaver), True),
        make.subscriber(doubter, day, 1, doubter.private_email, False),
        make.subscriber(newcomer, day, 1, newcomer.private_email, False),
    )
    moved = {row["subscriber_id"]: row for row in changes}
    return {
        WINMO: [
            make.winmo(CAST[NEW_PHONE], day) | {"Direct Phone": "+1 504 555 0142"},
            make.winmo(CAST[NEW_CONTACT], day),
        ],
        APPTIVO: [make.apptivo(CAST[40]) | {"Job Title": "Chief Operating Officer"}],
        CUSTOMERS: [
            make.customer(CAST[MOVED], day),
            make.customer(CAST[NEW_SHOPPER], day),
            make.customer(CAST[97], day) | {"email": ""},
        ],
        ADDRESSES: [
            make.customer_address(CAST[MOVED], "billing"),
            make.customer_address(CAST[MOVED], "shipping") | {"street": "8 Harbour View"},
            *_addresses([NEW_SHOPPER]),
        ],
        SUBSCRIBERS: [
            *(row for row in _readers(before) if row["subscriber_id"] not in moved),
            *moved.values(),
        ],
        **_orders(day, 26, [60, NEW_SHOPPER], {}),
    }  # fmt: skip


def _readers(day: date) -> list[Row]:
    """The newsletter's table as it was on the first day."""
    shoppers = (
        make.subscriber(CAST[n], day, _status(n), make.shopper_email(CAST[n]), True)
        for n in READERS
    )
    listed = (make.subscriber(CAST[n], day, 1, CAST[n].email, False) for n in LISTED_READERS)
    guests = (
        make.subscriber(CAST[n], day, _status(n), CAST[n].private_email, False)
        for n in GUEST_READERS
    )
    return [*shoppers, *listed, *guests]


def _status(number: int) -> int:
    """Most subscribed (1); some not activated (2), unsubscribed (3) or unconfirmed (4)."""
    return {0: 3, 5: 4, 9: 2}.get(number % 11, 1)


def _addresses(numbers: range | list[int]) -> list[Row]:
    """One address for bill and parcel, but two for wholesale customers, who are every third."""
    rows = []
    for number in numbers:
        uses = ("billing", "shipping") if number % 3 == 0 else ("both",)
        rows += [make.customer_address(CAST[number], use) for use in uses]
    return rows


def _orders(day: date, first: int, buyers: list[int], wrong: dict[int, Row]) -> Day:
    """One order for each of ``buyers``, numbered from ``first``, with both its addresses."""
    orders, addresses = [], []
    for number, buyer in enumerate(buyers, first):
        person, registered = CAST[buyer], buyer not in GUEST_BUYERS
        orders.append(make.order(person, day, number, registered) | wrong.get(number, {}))
        if number in wrong:
            continue  # its addresses would be wrong too, for want of an order
        addresses += [make.order_address(person, number, use) for use in ("billing", "shipping")]
    return {ORDERS: orders, ORDER_ADDRESSES: addresses}
