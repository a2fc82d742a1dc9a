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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigError
from pipelines.files import NOT_OURS, cure, read_json, reading
from pipelines.sync.apply.journal import Journal
from pipelines.sync.mapping.folder import called, of_object
from pipelines.sync.plan.choice import Choice
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


def load_plan(home: Path, plan_id: str) -> Plan:
    """Read a plan and prove that it is the one that was saved.

    Raises:
        ConfigError: there is no such plan, or a byte of it was changed since it was saved.
    """
    folder = home / "plans" / plan_id
    try:
        header = json.loads((folder / HEADER).read_text(encoding="utf-8"))
        sealed = {key: header[key] for key in header if key not in ("plan_id", "sha256")}
        sha256 = hash_of(sealed)
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
        if not plan.payload(name).is_file() or hash_of_file(plan.payload(name)) != part.sha256:
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


def _edited(path: Path) -> ConfigError:
    message = f"this plan was changed after it was saved and is not applied; {cure(path)}"
    return ConfigError.at(path, None, message)


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


def hash_of(header: Mapping[str, Any]) -> str:
    """What seals a header: the digest of all it says."""
    text = json.dumps(header, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of_file(path: Path) -> str:
    """The digest of a payload's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
