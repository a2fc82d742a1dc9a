"""A row of a plan: what may be done with it, and what it holds."""

from __future__ import annotations

WRITES = ("create", "adopt", "undelete", "update", "move", "reassign")
"""Actions that send something; a move changes the parent of a record, a reassign its owner."""

ACTIONS = (*WRITES, "unchanged", "hold", "skip")
"""What a plan of a sync may do with a row; a skip waits because the run's choice leaves it out."""

UNDO_ACTIONS = ("restore", "delete", "clear_key")
"""What the plan of an undo may do besides."""

FIELD = (
    "struct(field varchar, decision varchar, before varchar, after varchar,"
    " sent varchar, why varchar)"
)
COLUMNS = {
    "key": "varchar",
    "action": "varchar",
    "sf_id": "varchar",
    "reason": "varchar",
    "scope": "varchar",
    "changed": "varchar[]",
    "before": "map(varchar, varchar)",
    "fields": f"{FIELD}[]",
    "forecast": "varchar",
    "forecast_code": "varchar",
    "forecast_message": "varchar",
    "decide": "varchar",
}
"""What a row of a plan has before its fields, with its DuckDB types."""
