"""A plan as a value on disk: saved once, never changed, applied exactly as it is.

    <home>/plans/<plan_id>/header.json       what it is, what it was made from, counts, hashes
    <home>/plans/<plan_id>/contact.parquet   the rows of ``plan_contact``

Each part is one mapping's, called by the stem of its file. Headers of older plans call it by its
object, of which there was one mapping each; its files have the same names.

The plan's hash covers the header, and the header holds the hash of every payload, so that no
byte of a plan can be edited without being noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigError, InternalError
from pipelines.files import NOT_OURS, cure, publish, read_json, reading, write
from pipelines.sync.apply.journal import Journal
from pipelines.sync.mapping.fields import Field, parent_fields
from pipelines.sync.mapping.folder import called, of_object
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.plan.choice import Choice
from pipelines.sync.plan.row import ACTIONS
from pipelines.warehouse import parquet_sql

HEADER = "header.json"


@dataclass(frozen=True)
class ObjectPlan:
    """One mapping's part of a plan, with all that applying it needs to know.

    Attributes:
        stem: of the mapping.
        object: whose records are written.
        key_field: the External Id field.
        types: describe type of each planned field, in the order of the payload.
        references: field → the object whose creates it may wait for.
        parent_field: the look-up that locks a parent; its rows are sent together.
        counts: rows by action.
        sha256: of the payload file.
    """

    stem: str
    object: str
    key_field: str
    types: Mapping[str, str]
    references: Mapping[str, str]
    parent_field: str | None
    counts: Mapping[str, int]
    sha256: str


@dataclass(frozen=True)
class Plan:
    """A saved plan, as its header says and its hashes prove; ``Origin`` explains the rest."""

    folder: Path
    plan_id: str
    sha256: str
    created_at: str
    batch: str
    organization_id: str
    username: str
    made_from: Mapping[str, str]
    objects: Mapping[str, ObjectPlan]
    kind: str = "sync"
    undoes: str | None = None
    instance_url: str = ""
    limits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    notices: Sequence[str] = ()
    choice: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The partition, as a date."""
        return date.fromisoformat(self.batch)

    @property
    def sync_again(self) -> str:
        """The command that makes this plan anew and sends it: another choice is another plan."""
        return f"sync --batch {self.batch}{Choice.of(self.choice).options}"

    @property
    def content(self) -> str:
        """The same for plans that do the same to the same org, whenever they were made.

        It is read from every row, in whatever order they lie, so ask only where it matters.
        """
        facts = [self.kind, self.organization_id]
        facts += [f"{name} {_content(self.payload(name))}" for name in self.objects]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def payload(self, stem: str) -> Path:
        """The Parquet file with the rows of one mapping."""
        return self.folder / payload_name(stem)

    def outcomes(self, stem: str) -> Path:
        """What became of one mapping's rows; only there once all were sent."""
        return Journal.of(self.folder, stem).outcomes

    def parents(self, stem: str) -> dict[str, list[Path]]:
        """Object that rows of a part look up → the outcomes of all who write it, if all are there.

        Without those of an object its Ids are not known yet.
        """
        paths_by_object = {
            name: [self.outcomes(part.stem) for part in of_object(self.objects, name)]
            for name in dict.fromkeys(self.objects[stem].references.values())
        }
        return {
            name: paths
            for name, paths in paths_by_object.items()
            if paths and all(path.exists() for path in paths)
        }

    def called(self, stem: str) -> str:
        """What people read of a part: its object, and where several write it, which of them."""
        return called(self.objects)[stem]


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
        notices: lines of ``decisions.csv`` that decide nothing, each with its place and why.
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
    folder = home / "plans" / f".{uuid.uuid4().hex}.tmp"
    folder.mkdir(parents=True)
    try:
        objects = {}
        for name, file in files.items():
            payload = folder / payload_name(name)
            _link(file, payload)
            mapping = mappings[name]
            objects[name] = _object_plan(name, mapping, schema[mapping.object], payload)
        header = {
            **asdict(origin),
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "objects": {name: _facts(part) for name, part in objects.items()},
        }
        sha256 = _hash_of(header)
        header |= {"plan_id": f"{origin.batch}-{sha256[:12]}", "sha256": sha256}
        text = json.dumps(header, indent=2, ensure_ascii=False)
        write(folder / HEADER, text + "\n")  # on the disk before the folder gets its name
        saved = home / "plans" / header["plan_id"]
        publish(folder, saved)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return load_plan(home, header["plan_id"])


def load_plan(home: Path, plan_id: str) -> Plan:
    """Read a plan and prove that it is the one that was saved.

    Raises:
        ConfigError: there is no such plan, or a byte of it was changed since it was saved.
    """
    folder = home / "plans" / plan_id
    try:
        header = json.loads((folder / HEADER).read_text(encoding="utf-8"))
        sealed = {key: header[key] for key in header if key not in ("plan_id", "sha256")}
        sha256 = _hash_of(sealed)
        objects = {part.stem: part for part in parts_of(header)}
        del header["objects"]
        plan = Plan(folder=folder, objects=objects, **header)
    except FileNotFoundError:
        plans = (home / "plans").glob("[!.]*/" + HEADER)
        plan_ids = sorted(path.parent.name for path in plans)
        listed = ", ".join(plan_ids[-5:]) or "none"
        message = f"there is no plan {plan_id}; the newest are: {listed}"
        raise ConfigError.at(folder, None, message) from None
    except NOT_OURS:
        raise _edited(folder / HEADER) from None
    if sha256 != plan.sha256 or plan.plan_id != plan_id:
        raise _edited(folder / HEADER)
    for name, part in plan.objects.items():
        if not plan.payload(name).is_file() or _hash_of_file(plan.payload(name)) != part.sha256:
            raise _edited(plan.payload(name))
    return plan


def read_header(path: Path) -> dict[str, Any]:
    """What the header of a plan says, unproven: for whoever looks through all of them.

    Raises:
        Damaged: it is none.
    """
    header = read_json(path)
    with reading(path):
        list(parts_of(header))
        datetime.fromisoformat(header["created_at"])
        date.fromisoformat(header["batch"])
        header["organization_id"]
    return header


def parts_of(header: Mapping[str, Any]) -> Iterator[ObjectPlan]:
    """The parts that a header tells of; older headers hold a digest of the rows besides."""
    for name, facts in header["objects"].items():
        own_facts = {fact: facts[fact] for fact in facts if fact != "content"}
        yield ObjectPlan(stem=name.lower(), **own_facts)


def payload_name(stem: str) -> str:
    """The file in a plan's folder with the rows of one mapping."""
    return f"{stem}.parquet"


def _facts(part: ObjectPlan) -> dict[str, Any]:
    """A part as the header keeps it, below its stem."""
    facts = asdict(part)
    del facts["stem"]
    return facts


def _edited(path: Path) -> ConfigError:
    message = f"this plan was changed after it was saved and is not applied; {cure(path)}"
    return ConfigError.at(path, None, message)


def _object_plan(
    stem: str, mapping: ObjectMapping, schema: Mapping[str, Field], payload: Path
) -> ObjectPlan:
    return ObjectPlan(
        stem=stem,
        object=mapping.object,
        key_field=mapping.key,
        types={name: schema[name].type for name in mapping.enabled()},
        references=mapping.lookups(),
        parent_field=next(iter(parent_fields(mapping.enabled(), schema)), None),
        counts=_counts(stem, payload),
        sha256=_hash_of_file(payload),
    )


def _counts(stem: str, payload: Path) -> dict[str, int]:
    import duckdb

    with duckdb.connect() as connection:
        counted = connection.execute(_counts_sql(payload)).fetchall()
        [(twice,)] = connection.execute(_twice_sql(payload)).fetchall()
    if twice:
        raise InternalError(f"{twice} keys stand more than once in plan_{stem}")
    return dict.fromkeys(ACTIONS, 0) | dict(counted)


def _content(payload: Path) -> str:
    import duckdb

    with duckdb.connect() as connection:
        [(rows, content)] = connection.execute(_content_sql(payload)).fetchall()
    return f"{rows}-{content:016x}"


def _content_sql(payload: Path) -> str:
    # Whatever is unchanged may come and go without making it another plan.
    return (
        "select count(*), coalesce(bit_xor(hash(planned)), 0) "
        f"from (select * exclude (scope) from {parquet_sql(payload)}"
        " where action <> 'unchanged') as planned"
    )


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


def _hash_of(header: Mapping[str, Any]) -> str:
    text = json.dumps(header, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
