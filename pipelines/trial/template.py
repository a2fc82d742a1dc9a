"""What every trial starts from alike: relations without rows, and the org's fields.

It holds nothing of any file. Making it costs more than most trials, so it is kept in the user's
cache (``XDG_CACHE_HOME``) until the program, the mappings or the fields change.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.batch import Batch
from pipelines.describe.lineage import raw_columns
from pipelines.files import write
from pipelines.project import Project
from pipelines.relations import prepare, prepared_stamp
from pipelines.sync.mapping.fields import schema_table
from pipelines.sync.mapping.places import places_sql, places_table
from pipelines.trial.fields import OrgFields, org_fields
from pipelines.trial.lineage import LINEAGE
from pipelines.warehouse import write_parquet

ORG = "org"
"""The folder of what the org says, which becomes the trial's relations of its day."""

NOT_KEPT = ("*.duckdb", "spill", "locks")


def template(own: Project) -> Path:
    """The folder that a trial's home is a copy of."""
    fields = org_fields(own)
    name = hashlib.sha256(f"{prepared_stamp(own)} {fields.digest}".encode()).hexdigest()[:16]
    for cache in _caches():
        with suppress(OSError):  # may not be written to: the next one
            kept = cache / name
            if not kept.is_dir():
                cache.mkdir(parents=True, exist_ok=True)
                _make(own, fields, kept)
            return kept
    raise OSError(f"no folder for temporary files: {tempfile.gettempdir()} cannot be written to")


def _caches() -> Iterator[Path]:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    yield Path(base).expanduser() / "causeway" / "try"
    yield Path(tempfile.gettempdir()) / f"causeway-{os.getuid()}" / "try"


def _make(own: Project, fields: OrgFields, kept: Path) -> None:
    """Make the folder beside its place, then give it its name; older ones go."""
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".") as folder:
        made = Path(folder) / "home"
        project = replace(own, home=made, inbox=Path(folder), org_name=None)
        prepare(project)
        _write_org(project, fields)
        write(made / LINEAGE, json.dumps(raw_columns(project)))
        for pattern in NOT_KEPT:
            for path in made.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        with suppress(OSError):  # another trial was faster
            made.rename(kept)
    for older in kept.parent.iterdir():
        if older.name != kept.name and not older.name.startswith("."):
            shutil.rmtree(older, ignore_errors=True)


def _write_org(project: Project, fields: OrgFields) -> None:
    rows, places = fields.read()
    tables: dict[str, tuple[Any, str]] = {
        "org_schema": (schema_table(rows), "select * from described"),
        "org_place": (places_table(places), places_sql("described")),
    }
    with project.warehouse.connect(project.config_sql) as connection:
        for relation, (table, query) in tables.items():
            connection.register("described", table)
            write_parquet(connection, query, project.home / ORG / f"{relation}.parquet")
            connection.unregister("described")


def bind_org(batch: Batch) -> None:
    """Let the org of the template be what the day's snapshot saw: its fields, and no record."""
    warehouse = batch.project.warehouse
    with warehouse.connect() as connection:
        for file in (batch.project.home / ORG).glob("*.parquet"):
            warehouse.link(connection, file.stem, batch.day, file)
