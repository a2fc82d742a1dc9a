"""The raw relations: what a row of each kind looks like once it has landed.

Every column is text as the source wrote it, under the name a preset gives it; a column that no
preset knows goes to ``_extra`` as JSON. A line that could not be read at all lands too, with its
values null and ``_defect`` saying why, so that no row is ever lost between file and verdict.
"""

from __future__ import annotations

ORIGIN: dict[str, str] = {
    "_extra": "json",  # {"header as written": "value"}, null when there is none
    "_consent": "json",  # [{"header", "kind", "value"}] of its filled cells that speak of consent
    "_defect": "varchar",  # why this line could not be read, with its byte range; else null
    "_source": "varchar",  # the source's name in mappings/sources.yaml
    "_file": "varchar",  # path below the inbox, with forward slashes
    "_row": "bigint",  # the line of the file on which the record starts; the header is line 1
    "_batch": "date",
    "_loaded_at": "timestamptz",
}

_PERSON = ("prefix", "first_name", "middle_name", "last_name", "suffix")

# The second address of a row that has several; the first is the row's own.
_OTHER = ("other_street", "other_street2", "other_city", "other_postal_code", "other_country")

_ADDRESS = ("company", "street", "city", "region", "postal_code", "country", "phone")

RAW: dict[str, tuple[str, ...]] = {
    "raw_contacts": (
        "contact_id", "parent_id", "list_id", "list_name",
        *_PERSON, "nickname", "name", "title", "department",
        "company", "company_type", "brand", "category",
        "email", "phone", "main_phone", "mobile_phone", "fax",
        "street", "street2", "building", "city", "state", "postal_code", "country",
        "website", "linkedin", "birthdate", "assignee", "tags", "note", "updated_at",
        "home_phone", "other_phone", "lead_source", *_OTHER, "other_state",
    ),
    "raw_customers": (
        "customer_id", "email", "website", "store", "website_id", "store_id", "created_in",
        *_PERSON, "birthdate", "gender", "group_id", "tax_number", "confirmation",
        "default_billing", "default_shipping", "is_active", "created_at", "updated_at",
        "name", "company", "phone", "mobile_phone", "fax", *_OTHER, "other_region",
    ),
    "raw_customer_addresses": (
        "address_id", "customer_id", "customer_email", "website",
        *_PERSON, *_ADDRESS, "fax", "tax_number",
        "is_default_billing", "is_default_shipping", "updated_at", "street2",
    ),
    "raw_subscribers": (
        "subscriber_id", "email", "status", "type", "customer_id", "first_name", "last_name",
        "website", "store", "store_view", "store_id", "updated_at",
        "prefix", "middle_name", "suffix", "name", "company", "phone", "mobile_phone",
        "street", "street2", "city", "state", "postal_code", "country",
    ),
    "raw_orders": (
        "order_id", "increment_id", "state", "status", "customer_id", "is_guest", "email",
        "first_name", "last_name", "group_id", "grand_total", "currency", "website",
        "created_at", "updated_at",
    ),
    "raw_order_addresses": (
        "address_id", "order_id", "address_type", "first_name", "last_name", *_ADDRESS, "email",
    ),
}  # fmt: skip

JUDGED: dict[str, tuple[str, ...]] = {
    "raw_contacts": (
        "email", "phone", "main_phone", "mobile_phone", "home_phone", "other_phone", "fax",
        "postal_code", "country", "other_postal_code", "other_country",
        "website", "birthdate", "updated_at",
    ),
    "raw_customers": (
        "email", "phone", "mobile_phone", "fax", "other_postal_code", "other_country",
        "birthdate", "created_at", "updated_at",
    ),
    "raw_customer_addresses": (
        "postal_code", "country", "phone", "fax", "is_default_billing", "is_default_shipping",
        "updated_at",
    ),
    "raw_subscribers": (
        "email", "status", "phone", "mobile_phone", "postal_code", "country", "updated_at",
    ),
    "raw_orders": ("is_guest", "email", "grand_total", "currency", "created_at", "updated_at"),
    "raw_order_addresses": ("address_type", "postal_code", "country", "phone", "email"),
}  # fmt: skip
"""The columns whose values a schema may find bad."""

SPEAKING = ("raw_contacts", "raw_customers", "raw_subscribers", "raw_orders")
"""The raw relations whose rows may say something of consent: they are of a person."""

SECRETS = frozenset(
    {"password", "password_hash", "rp_token", "rp_token_created_at", "subscriber_confirm_code"}
)
"""Headers, in lower case, whose values must never reach disk, whatever the preset."""

SECRET_WORDS = frozenset(
    {"password", "pass word", "passwd", "pwd", "secret", "token"}
    | {"api key", "apikey", "session id", "sessionid"}
)
"""Words of a header, or two in a row, by which its values are withheld as well, plural or not.

A source can say otherwise of a column: ``columns: {Token: {secret: false}}``.
"""


def columns(relation: str) -> dict[str, str]:
    """Column name → DuckDB type of a raw relation, in order."""
    return dict.fromkeys(RAW[relation], "varchar") | ORIGIN
