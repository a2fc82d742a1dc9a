"""What is true of a newsletter subscriber."""

from __future__ import annotations

import pandera.pandas as pa

from schemas.checks import (
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
    phone,
    read_as,
    text,
    typed,
)

subscribers = pa.DataFrameSchema(
    name="subscribers",
    columns={
        "email": text(email(), at_most(80), on_bad=REJECT),
        "status": text(on_bad=REJECT),
        "status_text": text(),
        "first_name": text(at_most(40, WARNING)),
        "last_name": text(at_most(80, WARNING)),
        "company": text(at_most(255, WARNING)),
        "phone": text(phone(), at_most(40)),
        "mobile_phone": text(phone(), at_most(40)),
        "street": text(at_most(255, WARNING)),
        "city": text(at_most(40, WARNING)),
        "state": text(at_most(80, WARNING)),
        "postal_code": text(at_most(20)),
        "country": text(country(), at_most(80)),
        "updated_at": typed(TIMESTAMP),
        "updated_at_text": text(),
        "as_of": typed(TIMESTAMP),
    },
    checks=[
        mandatory("email", "a subscriber is known by an e-mail address"),
        any_of(
            "status_present",
            ("status", "status_text"),
            "without a status there is no statement about the newsletter",
        ),
        read_as(
            "status",
            "not a status: 1 Subscribed, 2 Not Activated, 3 Unsubscribed or 4 Unconfirmed",
        ),
        date_read("updated_at"),
        counts_as_recency("updated_at"),
    ],
)
