"""Saving a plan: its rows, hashed and counted, and the header that says what it was made from."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import InternalError
from pipelines.files import publish, write
from pipelines.sync.mapping.fields import Field, parent_fields
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.plan.row import ACTIONS
from pipelines.sync.plan.saved import (
    HEADER,
    ObjectPlan,
    Plan,
    hash_of,
    hash_of_file,
    load_plan,
    payload_name,
)
from pipelines.warehouse import parquet_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Origin:
    """What a plan was made for and from.

    Attributes:
        batch: the partition, ``YYYY-MM-DD``.
        organization_id: the org whose snapshot it was compared with.
        username: the user it is to be applied as.
        made_from: name → digest of whatever decided it: mappings, policies, describe.
        kind: ``sync``, or ``undo``.
        undoes: the plan whose inverse this is.
        instance_url: where people look at the org's records.
        limits: the org's limits when the plan was made, as its REST resource ``limits`` names them.
        seen: object → the newest stamp of a record of the org that the plan knew of.
        notices: lines of ``decisions.csv`` that decide nothing, each with its place and why, and
            columns of the batch's files that nothing reads.
        choice: option → its values, of the run that is to write some rows only.
    """

    batch: str
    organization_id: str
    username: str
    made_from: Mapping[str, str] = field(default_factory=dict)
    kind: str = "sync"
    undoes: str | None = None
    instance_url: str = ""
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    notices: Sequence[str] = ()
    choice: Mapping[str, Sequence[str]] = field(default_factory=dict)


def save_plan(
    home: Path,
    origin: Origin,
    files: Mapping[str, Path],
    mappings: Mapping[str, ObjectMapping],
    schema: Mapping[str, Mapping[str, Field]],
) -> Plan:
    """Save the relations ``plan_<mapping>`` as one immutable plan.

    Args:
        home: the folder of all data and state.
        origin: what it was made for and from.
        files: stem of a mapping → the Parquet file of its relation; linked where the file system
            can.
        mappings: by stem, as the plan was made from them.
        schema: the org's fields, by object and API name.

    Raises:
        InternalError: a key stands twice in a relation, in whatever case: Salesforce would
            reject both rows or let one overwrite the other.
    """
    import duckdb

    folder = home / "plans" / f".{uuid.uuid4().hex}.tmp"
    folder.mkdir(parents=True)
    try:
        objects = {}
        with duckdb.connect() as connection:
            for name, file in files.items():
                payload = folder / payload_name(name)
                _link(file, payload)
                counts = _counts(connection, name, payload)
                fields = schema[mappings[name].object]
                objects[name] = _object_plan(mappings[name], fields, payload, counts)
        header = {
            **asdict(origin),
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "objects": {name: _facts(part) for name, part in objects.items()},
        }
        sha256 = hash_of(header)
        header |= {"plan_id": f"{origin.batch}-{sha256[:12]}", "sha256": sha256}
        text = json.dumps(header, indent=2, ensure_ascii=False)
        write(folder / HEADER, text + "\n")  # on the disk before the folder gets its name
        saved = home / "plans" / header["plan_id"]
        publish(folder, saved)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return load_plan(home, header["plan_id"])


def _facts(part: ObjectPlan) -> dict[str, Any]:
    """A part as the header keeps it, below its stem."""
    facts = asdict(part)
    del facts["stem"]
    return facts


def _object_plan(
    mapping: ObjectMapping, schema: Mapping[str, Field], payload: Path, counts: Mapping[str, int]
) -> ObjectPlan:
    return ObjectPlan(
        stem=mapping.stem,
        object=mapping.object,
        key_field=mapping.key,
        types={name: schema[name].type for name in mapping.enabled()},
        references=mapping.lookups(),
        parent_field=next(iter(parent_fields(mapping.enabled(), schema)), None),
        counts=counts,
        sha256=hash_of_file(payload),
    )


def _counts(connection: DuckDBPyConnection, stem: str, payload: Path) -> dict[str, int]:
    counted = connection.execute(_counts_sql(payload)).fetchall()
    [(twice,)] = connection.execute(_twice_sql(payload)).fetchall()
    if twice:
        raise InternalError(f"{twice} keys stand more than once in plan_{stem}")
    return dict.fromkeys(ACTIONS, 0) | dict(counted)


def _counts_sql(payload: Path) -> str:
    return f"select action, count(*) from {parquet_sql(payload)} group by action order by action"


def _twice_sql(payload: Path) -> str:
    # Unique text in Salesforce ignores case.
    return (
        "select count(*) from (select lower(key) as key "
        f"from {parquet_sql(payload)} group by lower(key) having count(*) > 1)"
    )


def _link(file: Path, payload: Path) -> None:
    """The same bytes under a second name: relations are replaced by renaming, never in place."""
    try:
        os.link(file, payload)
    except OSError:
        shutil.copyfile(file, payload)
