"""The rules that say which records are one person, strongest first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One way in which two records can be told to be the same person's.

    Attributes:
        name: as ``person_links`` shows it.
        weight: how much it says, from 0 to 1; of two links the weaker is cut first.
        shared: whether people share the value it goes by; then their names have to agree.
        partial: whether a record without a full name may join by it, where one person fits.
    """

    name: str
    weight: float
    shared: bool = False
    partial: bool = True


RULES = (
    Rule("decided", 1.0),
    Rule("same_parent", 0.99),
    Rule("same_customer", 0.98),
    Rule("same_trusted_record", 0.97),
    Rule("same_record", 0.95, shared=True),
    Rule("same_email", 0.9, shared=True),
    Rule("same_role_email", 0.6, shared=True, partial=False),
    Rule("same_name_at_company", 0.5, shared=True, partial=False),
)

CROWD = 100
"""Different names behind one value that people share, beyond which only equal names join: it is a
company's mailbox or a placeholder, and comparing everybody with everybody says nothing."""


def rules_sql() -> str:
    """The temporary table ``rule``, by which SQL knows them."""
    rows = ", ".join(
        f"('{rule.name}', {rule.weight}, {str(rule.shared).lower()}, {str(rule.partial).lower()})"
        for rule in RULES
    )
    return (
        "create or replace temp table rule"
        f" as select * from (values {rows}) as rules (rule, weight, shared, partial)"
    )
