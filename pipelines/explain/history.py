"""What saved plans did to one record, the newest first: read from the plans' own folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.sync.apply.journal import Journal
from pipelines.sync.plan.saved import HEADER, parts_of, payload_name, read_header
from pipelines.warehouse import literal, parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

QUIET = "unchanged"


@dataclass(frozen=True)
class Touch:
    """What one plan wanted of a record, and what became of that.

    Attributes:
        batch: of the plan.
        created_at: when it was made, ISO 8601.
        outcome: none while its object was not applied.
        changed: the fields it sent.
        sent: field → what it sent.
        before: field → what stood there.
        reasons: field → why it was not written, or what else is to be said.
    """

    plan_id: str
    batch: str
    created_at: str
    kind: str
    action: str
    outcome: str | None
    code: str | None
    message: str | None
    sent: Mapping[str, str | None]
    before: Mapping[str, str | None]
    reasons: Mapping[str, str]

    @property
    def written(self) -> bool:
        """Whether the org took it."""
        return self.outcome in ("created", "updated", "deleted")


def touches(
    connection: DuckDBPyConnection,
    home: Path,
    organization_id: str,
    object_name: str,
    keys: Sequence[str],
) -> list[Touch]:
    """Every plan of an org that had something to do or to say of one record, newest first.

    Args:
        connection: any.
        home: whose plans.
        organization_id: of the org.
        object_name: of the record.
        keys: by which plans know it: our key, and its Id while it carries none.
    """
    history = []
    for folder, header in _headers(home, organization_id):
        parts = [part for part in parts_of(header) if part.object == object_name]
        for part in parts:
            outcomes = Journal.of(folder, part.stem).outcomes
            payload = folder / payload_name(part.stem)
            query = _touch_sql(payload, outcomes if outcomes.exists() else None)
            rows = connection.sql(query, params=[keys]).to_arrow_table().to_pylist()
            history += [_touch(header, row) for row in rows]
    return sorted(history, key=lambda touch: touch.created_at, reverse=True)


def _headers(home: Path, organization_id: str) -> list[tuple[Path, Mapping[str, Any]]]:
    headers: list[tuple[Path, Mapping[str, Any]]] = []
    for path in (home / "plans").glob(f"[!.]*/{HEADER}"):
        header = read_header(path)
        if header["organization_id"] == organization_id:
            headers.append((path.parent, header))
    return headers


def _touch(header: Mapping[str, Any], row: Mapping[str, Any]) -> Touch:
    return Touch(
        plan_id=header["plan_id"],
        batch=header["batch"],
        created_at=header["created_at"],
        kind=header.get("kind", "sync"),
        action=row["action"],
        outcome=row["_outcome"],
        code=row["_code"],
        message=row["_message"],
        sent={name: row[name] for name in row["changed"]},
        before=dict(row["before"] or ()),
        reasons={field["field"]: field["why"] for field in row["fields"] or () if field["why"]},
    )


def _touch_sql(payload: Path, outcomes: Path | None) -> str:
    if outcomes is None:
        outcome_columns = (
            "null::varchar as _outcome, null::varchar as _code, planned.reason as _message"
        )
        joined = ""
    else:
        outcome_columns = (
            "outcome.outcome as _outcome, outcome.code as _code,"
            " coalesce(outcome.message, planned.reason) as _message"
        )
        joined = f"left join {parquet_sql(outcomes)} as outcome on outcome.key = planned.key\n"
    return (
        f"select planned.*, {outcome_columns}\n"
        f"from {parquet_sql(payload)} as planned\n{joined}"
        f"where list_contains($1, planned.key)\n"
        f"    and (planned.action <> {literal(QUIET)} or len(planned.fields) > 0)"
    )
