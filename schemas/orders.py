"""What is true of a shop order and of its addresses."""

from __future__ import annotations

import pandera.pandas as pa

from schemas.checks import (
    BOOLEAN,
    DECIMAL,
    REJECT,
    TIMESTAMP,
    WARNING,
    any_of,
    at_most,
    country,
    counts_as_recency,
    date_read,
    email,
    mandatory,
    matches,
    phone,
    read_as,
    text,
    typed,
)

orders = pa.DataFrameSchema(
    name="orders",
    columns={
        "source_id": text(),
        "state": text(),
        "customer_id": text(),
        "is_guest": typed(BOOLEAN),
        "is_guest_text": text(),
        "email": text(email(), at_most(80), on_bad=REJECT),
        "first_name": text(at_most(40, WARNING)),
        "last_name": text(at_most(80, WARNING)),
        "grand_total": typed(DECIMAL),
        "grand_total_text": text(),
        "currency": text(
            matches("currency_format", "^[A-Z]{3}$", "not a currency code such as USD")
        ),
        "created_at": typed(TIMESTAMP),
        "created_at_text": text(),
        "updated_at": typed(TIMESTAMP),
        "updated_at_text": text(),
        "as_of": typed(TIMESTAMP),
    },
    checks=[
        mandatory("source_id", "the order's number (order_id) is needed"),
        mandatory("state", "the order's state is needed"),
        any_of(
            "buyer_present",
            ("email", "customer_id"),
            "an order belongs to a customer or, for a guest, to an e-mail address",
        ),
        read_as("is_guest", "neither yes nor no: 1, true, yes, 0, false or no is expected"),
        read_as(
            "grand_total",
            "not an amount we can read, such as 1234.50; where it may be two, say how they are"
            ' written: format: {numbers: "1,234.50"} or {numbers: "1.234,50"}',
        ),
        date_read("created_at"),
        date_read("updated_at"),
        counts_as_recency("updated_at"),
    ],
)

order_addresses = pa.DataFrameSchema(
    name="order_addresses",
    columns={
        "order_source_id": text(),
        "address_type": text(on_bad=REJECT),
        "address_type_text": text(),
        "company": text(at_most(255, WARNING)),
        "street": text(at_most(255, WARNING)),
        "city": text(at_most(40, WARNING)),
        "region": text(at_most(80, WARNING)),
        "postal_code": text(at_most(20)),
        "country": text(country(), at_most(80)),
        "phone": text(phone(), at_most(40)),
        "email": text(email(), at_most(80)),
    },
    checks=[
        mandatory("order_source_id", "the order's number (order_id) is needed"),
        any_of(
            "address_type_present",
            ("address_type", "address_type_text"),
            "billing or shipping is needed",
        ),
        read_as("address_type", "neither billing nor shipping"),
        any_of(
            "address_present",
            ("street", "city", "region", "postal_code", "country"),
            "a part of an address is needed",
        ),
    ],
)
