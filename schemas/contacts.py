"""What is true of a row of a contact list."""

from __future__ import annotations

import pandera.pandas as pa

from schemas.checks import (
    DATE,
    REJECT,
    TIMESTAMP,
    WARNING,
    any_of_when,
    at_most,
    country,
    counts_as_recency,
    date_read,
    email,
    known_by,
    not_after_batch,
    phone,
    text,
    typed,
)

contacts = pa.DataFrameSchema(
    name="contacts",
    columns={
        "parent_id": text(),
        "first_name": text(at_most(40, WARNING)),
        "last_name": text(at_most(80, WARNING)),
        "title": text(at_most(128, WARNING)),
        "department": text(at_most(80, WARNING)),
        "company": text(at_most(255, WARNING)),
        "email": text(email(), at_most(80), on_bad=REJECT),
        "phone": text(phone(), at_most(40)),
        "main_phone": text(phone(), at_most(40)),
        "mobile_phone": text(phone(), at_most(40)),
        "home_phone": text(phone(), at_most(40)),
        "other_phone": text(phone(), at_most(40)),
        "fax": text(phone(), at_most(40)),
        "street": text(at_most(255, WARNING)),
        "city": text(at_most(40, WARNING)),
        "state": text(at_most(80, WARNING)),
        "postal_code": text(at_most(20)),
        "country": text(country(), at_most(80)),
        "other_street": text(at_most(255, WARNING)),
        "other_city": text(at_most(40, WARNING)),
        "other_state": text(at_most(80, WARNING)),
        "other_postal_code": text(at_most(20)),
        "other_country": text(country(), at_most(80)),
        "website": text(at_most(255)),
        "birthdate": typed(DATE),
        "birthdate_text": text(),
        "updated_at": typed(TIMESTAMP),
        "updated_at_text": text(),
        "as_of": typed(TIMESTAMP),
        "_batch": typed(DATE),
    },
    checks=[
        known_by(
            "last_name_present",
            (
                ("last_name",),
                ("email",),
                ("parent_id",),
                ("company", "phone"),
                ("company", "mobile_phone"),
                ("company", "main_phone"),
            ),
            "a last name is needed, an e-mail address, or a company and a phone number, unless the "
            "row adds an address to a contact (parent_id)",
        ),
        any_of_when(
            "address_present",
            "parent_id",
            ("street", "city", "state", "postal_code", "country"),
            "a row that names a parent adds an address, so a part of one is needed",
        ),
        date_read("birthdate"),
        not_after_batch("birthdate"),
        date_read("updated_at"),
        counts_as_recency("updated_at"),
    ],
)
