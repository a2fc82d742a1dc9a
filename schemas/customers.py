"""What is true of a shop customer and of a customer's address."""

from __future__ import annotations

import pandera.pandas as pa

from schemas.checks import (
    BOOLEAN,
    DATE,
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
    not_after_batch,
    phone,
    read_as,
    text,
    typed,
)

customers = pa.DataFrameSchema(
    name="customers",
    columns={
        "email": text(email(), at_most(80), on_bad=REJECT),
        "first_name": text(at_most(40, WARNING)),
        "last_name": text(at_most(80, WARNING)),
        "company": text(at_most(255, WARNING)),
        "phone": text(phone(), at_most(40)),
        "mobile_phone": text(phone(), at_most(40)),
        "fax": text(phone(), at_most(40)),
        "other_street": text(at_most(255, WARNING)),
        "other_city": text(at_most(40, WARNING)),
        "other_region": text(at_most(80, WARNING)),
        "other_postal_code": text(at_most(20)),
        "other_country": text(country(), at_most(80)),
        "birthdate": typed(DATE),
        "birthdate_text": text(),
        "created_at": typed(TIMESTAMP),
        "created_at_text": text(),
        "updated_at": typed(TIMESTAMP),
        "updated_at_text": text(),
        "as_of": typed(TIMESTAMP),
        "_batch": typed(DATE),
    },
    checks=[
        mandatory("email", "a customer is known by an e-mail address"),
        date_read("birthdate"),
        not_after_batch("birthdate"),
        date_read("created_at"),
        date_read("updated_at"),
        counts_as_recency("updated_at"),
    ],
)

_FLAG = "neither yes nor no: 1, true, yes, 0, false or no is expected"

customer_addresses = pa.DataFrameSchema(
    name="customer_addresses",
    columns={
        "customer_source_id": text(),
        "company": text(at_most(255, WARNING)),
        "street": text(at_most(255, WARNING)),
        "city": text(at_most(40, WARNING)),
        "region": text(at_most(80, WARNING)),
        "postal_code": text(at_most(20)),
        "country": text(country(), at_most(80)),
        "phone": text(phone(), at_most(40)),
        "fax": text(phone(), at_most(40)),
        "is_default_billing": typed(BOOLEAN),
        "is_default_billing_text": text(),
        "is_default_shipping": typed(BOOLEAN),
        "is_default_shipping_text": text(),
        "updated_at": typed(TIMESTAMP),
        "updated_at_text": text(),
        "as_of": typed(TIMESTAMP),
    },
    checks=[
        mandatory("customer_source_id", "the customer's number or e-mail address is needed"),
        any_of(
            "address_present",
            ("street", "city", "region", "postal_code", "country"),
            "a part of an address is needed",
        ),
        read_as("is_default_billing", _FLAG),
        read_as("is_default_shipping", _FLAG),
        date_read("updated_at"),
        counts_as_recency("updated_at"),
    ],
)
