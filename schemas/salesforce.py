"""What is true of a plan's row and of an outcome, whatever the sObject."""

from __future__ import annotations

from typing import Any

import pandera.pandas as pa

from schemas.checks import MANDATORY, mandatory, rule, text

ACTIONS = ("create", "adopt", "update", "unchanged", "hold")
OUTCOMES = ("created", "updated", "unchanged", "held", "rejected")

_KNOWN = ("adopt", "update", "unchanged")  # actions on a record that the org already holds


def _one_of(values: tuple[str, ...]) -> pa.Check:
    message = f"not one of {', '.join(values)}"
    return rule("known_word", "Data Format", message, lambda column: column.isin(values))


def _needs(field: str, given: str, values: tuple[str, ...], message: str) -> pa.Check:
    """Where ``given`` is one of ``values``, the field has a value."""

    def holds(rows: Any) -> Any:
        return rows[field].notna() | ~rows[given].isin(values)

    return rule(f"{field}_present", MANDATORY, message, holds, field=field)


plan = pa.DataFrameSchema(
    name="plan",
    columns={
        "key": text(),
        "action": text(_one_of(ACTIONS)),
        "sf_id": text(),
        "reason": text(),
    },
    checks=[
        mandatory("key"),
        mandatory("action"),
        _needs("sf_id", "action", _KNOWN, "the record's Id is needed"),
        _needs("reason", "action", ("hold",), "what is held says why"),
    ],
    unique=["key"],
)

outcome = pa.DataFrameSchema(
    name="outcome",
    columns={
        "plan_id": text(),
        "key": text(),
        "outcome": text(_one_of(OUTCOMES)),
        "sf_id": text(),
        "code": text(),
        "message": text(),
    },
    checks=[
        mandatory("plan_id"),
        mandatory("key"),
        mandatory("outcome"),
        _needs("sf_id", "outcome", ("created", "updated", "unchanged"), "the Id is needed"),
        _needs("code", "outcome", ("rejected",), "Salesforce's code is needed"),
        _needs("message", "outcome", ("held", "rejected"), "the reason is needed"),
    ],
    unique=["key"],
)
