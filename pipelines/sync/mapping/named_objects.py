"""The sObjects that are known by their names: by the routes, and because Salesforce converts them.

Everything else goes by the mapping files and by what the org says of their objects.
"""

from __future__ import annotations

ROUTED = ACCOUNT, CONTACT, LEAD = "Account", "Contact", "Lead"
"""What ``assets/match/routes.sql`` makes of people and accounts; each needs a mapping."""

PREFIXES = {ACCOUNT: "001", CONTACT: "003", LEAD: "00Q"}
"""How Ids of an object begin (https://help.salesforce.com/s/articleView?id=000385203)."""

USER = "User"
"""Whose records own others: they are looked up, never written."""

CONVERSION = ("IsConverted", "ConvertedDate", "ConvertedContactId", "ConvertedAccountId")
"""The fields that tell what became of a record which was converted."""


def converts(object_name: str) -> bool:
    """Whether Salesforce can convert records of an object, from which there is no way back."""
    return object_name == LEAD
