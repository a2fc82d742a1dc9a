"""What is known of a relation, in Dagster's own types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from pipelines.describe.description import Check, Column, Description, Fact


def metadata(description: Description) -> dict[str, Any]:
    """What Dagster's UI shows of a relation: rows, columns and their origin, file, facts, pages."""
    lineage = {column.name: column.origins for column in description.columns if column.origins}
    found: dict[str, Any] = {
        "dagster/row_count": description.rows,
        "dagster/column_schema": dg.TableSchema(columns=list(map(_column, description.columns))),
        "dagster/table_name": description.relation,
        "file": dg.MetadataValue.path(description.file),
        "look at it": dg.MetadataValue.md(
            f'`duckdb -readonly causeway.duckdb -c "from {description.relation} limit 5"`'
        ),
    }
    if lineage:
        found["dagster/column_lineage"] = dg.TableColumnLineage(
            {
                column: [dg.TableColumnDep(dg.AssetKey(table), name) for table, name in origins]
                for column, origins in lineage.items()
            }
        )
        found["where columns come from"] = dg.MetadataValue.md(_lineage_table(description))
    links = {name: dg.MetadataValue.url(page) for name, page in description.links.items()}
    return {**found, **_values(description.facts), **links}


def check_metadata(check: Check) -> dict[str, Any]:
    """What Dagster's UI shows of a check."""
    return _values(check.facts)


def severity(check: Check) -> dg.AssetCheckSeverity:
    """How bad a failure of a check is."""
    return dg.AssetCheckSeverity.WARN if check.warns else dg.AssetCheckSeverity.ERROR


def _values(facts: Mapping[str, Fact]) -> dict[str, Any]:
    return {
        name: dg.MetadataValue.md(_markdown(fact)) if isinstance(fact, str | Sequence) else fact
        for name, fact in facts.items()
    }


def _markdown(fact: str | Sequence[str]) -> str:
    """A text, or a list of lines, in which nothing means anything."""
    if isinstance(fact, str):
        return _verbatim(fact)
    return "\n".join(f"- {_verbatim(line)}" for line in fact) or "_none_"


def _verbatim(text: str) -> str:
    """A text as code: whatever somebody's data holds, it is no HTML, link or list of ours.

    Its line breaks are spaces, as a blank line would end it, and its quotes are longer than any
    that it has.
    """
    words = " ".join(text.split())
    longest = max(map(len, re.findall("`+", words)), default=0)
    quotes = "`" * (longest + 1)
    return f"{quotes} {words} {quotes}" if words else ""


def _column(column: Column) -> dg.TableColumn:
    arrows = ", ".join(f"{table}.{name}" for table, name in column.origins)
    texts = (column.note, f"← {arrows}" if arrows else "")
    return dg.TableColumn(
        column.name, column.type, description="  \n".join(filter(None, texts)) or None
    )


def _lineage_table(description: Description) -> str:
    lines = ["| column | comes from |", "| --- | --- |"]
    for column in description.columns:
        links = ", ".join(f"[{table}](/assets/{table}).{name}" for table, name in column.origins)
        lines.append(f"| {column.name} | {links or '—'} |")
    return "\n".join(lines)
