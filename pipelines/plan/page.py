"""A plan as one HTML file that needs nothing else: for whoever owns the org.

The data lies in the file compressed; the page draws only the rows that are on the screen.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.batch import Batch
from pipelines.files import write
from pipelines.plan.guards import is_released, why_blocked
from pipelines.sync.layout import table_sql
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.model import GOLDEN
from pipelines.sync.plan.cost import predicted
from pipelines.sync.plan.decisions import KEPT, SENT
from pipelines.sync.plan.page import links_sql, page_rows_sql, requested_sql
from pipelines.sync.plan.show import summary

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.project import Project
    from pipelines.sync.plan.saved import Plan

ROWS_OF_A_GROUP = 1_000
"""Rows of one object and action that a page shows; it says how many there are beyond."""


def page_of(saved: Plan) -> Path:
    """Where a plan's page lies."""
    return saved.folder / "page.html"


def write_page(project: Project, saved: Plan, *, limit: int = ROWS_OF_A_GROUP) -> Path:
    """Write the page of a plan and return where it lies."""
    template = files("pipelines.sync.plan").joinpath("page.html").read_text(encoding="utf-8")
    batch = Batch(project, saved.day)
    data = _head(batch, saved)
    with batch.connect() as connection:
        data["objects"] = [
            {
                **asdict(part),
                "object": part.title,
                "forecasts": [[*refusal, n] for refusal, n in part.forecasts.items()],
            }
            for part in summary(saved, connection)
        ]
        rows = ",".join(_rows(batch, connection, saved, limit))
    text = json.dumps(data, ensure_ascii=False)
    packed = gzip.compress(f'{{"head":{text},"rows":[{rows}]}}'.encode(), compresslevel=6, mtime=0)
    html = template.replace("{{title}}", escape(f"Plan {saved.plan_id}"))
    html = html.replace("{{data}}", base64.b64encode(packed).decode())
    path = page_of(saved)
    write(path, html)
    return path


def _head(batch: Batch, saved: Plan) -> dict[str, Any]:
    return {
        "plan_id": saved.plan_id,
        "sha256": saved.sha256,
        "kind": saved.kind,
        "undoes": saved.undoes,
        "batch": saved.batch,
        "created_at": saved.created_at,
        "organization_id": saved.organization_id,
        "instance_url": saved.instance_url,
        "username": saved.username,
        "inbox": batch.project.inbox.absolute().as_uri(),
        "blocked": why_blocked(batch, saved),
        "released": is_released(batch.project, saved),
        "cost": asdict(predicted(saved)),
        "limits": saved.limits,
        "notices": list(saved.notices),
        "decisions": SENT | KEPT,
    }


def _rows(batch: Batch, connection: DuckDBPyConnection, saved: Plan, limit: int) -> Iterator[str]:
    """Each shown row as the JSON array that the page reads."""
    for stem, part in saved.objects.items():
        query = requested_sql(part, saved.payload(stem), limit)
        connection.execute(table_sql("requested", query))
        lines = source_lines(batch, connection, part.object)
        query = page_rows_sql(saved.called(stem), lines)
        yield from (row[0] for row in connection.execute(query).fetchall())


def source_lines(batch: Batch, connection: DuckDBPyConnection, object_name: str) -> str:
    """SQL of the source lines of each key in the table ``requested``: ``key``, ``lines``.

    The keys are of records of one object; where no mapping writes it any more, of whatever kind.
    """
    for name in ("person_links", "account_links"):
        batch.bind_table(connection, name)
    batches = connection.execute("select distinct batch from person_links").fetchall()
    project = batch.project
    project.warehouse.bind(connection, "person_records", [row[0] for row in batches])
    mappings = of_object(project.object_mappings, object_name)
    return links_sql({mapping.from_ for mapping in mappings} or set(GOLDEN))
