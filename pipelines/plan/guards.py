"""What has to be true before a plan is carried out: nothing changed, nothing too much, or released.

<home>/plans/<plan_id>/released.json   who let a blocked plan pass, and when
"""

from __future__ import annotations

import getpass
import hashlib
import json
import socket
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import Blocked, ConfigError, Problem
from pipelines.files import read_json, reading, write
from pipelines.plan import left_behind
from pipelines.sources.land import unread_consent
from pipelines.sync.decisions import FILE as DECISIONS
from pipelines.sync.mapping.fields import OrgSchema
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.policies import Guards
from pipelines.sync.plan.cost import exceeded, predicted
from pipelines.sync.plan.guards import RENAME, SPLIT, blocked_by
from pipelines.sync.plan.renames import FIRST, LAST
from pipelines.sync.plan.row import WRITES
from pipelines.warehouse import literal, parquet_sql

if TYPE_CHECKING:
    from pipelines.batch import Batch
    from pipelines.project import Project
    from pipelines.sync.plan.saved import Plan

RELEASED = "released.json"
DESCRIBE = "describe"
_UNDECIDING = {"guards", "api", "batches", "plans", "home"}  # they stop a plan, but make none


def digests(project: Project, schema: OrgSchema) -> dict[str, str]:
    """Name → digest of everything a plan is made from besides the data.

    What people may write differently without meaning anything else (order, comments) makes no
    difference, nor do guards.
    """
    decided = {"policies.yaml": project.policies.model_dump_json(exclude=_UNDECIDING)}
    decided |= {
        mapping.file.name: mapping.model_dump_json() for mapping in project.object_mappings.values()
    }
    decided["sources.yaml"] = project.sources.model_dump_json()
    if project.decisions.lines:
        decided[DECISIONS] = project.decisions.digest
    decided[DESCRIBE] = repr(
        [
            schema.get(mapping.object, {}).get(field)
            for mapping in project.object_mappings.values()
            for field in mapping.enabled()
        ]
    )
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in decided.items()}


def changed(made_from: Mapping[str, str], current: Mapping[str, str]) -> list[str]:
    """What is not as it was when a plan was made, of what a plan is made from (``digests``)."""
    return [name for name in {**current, **made_from} if made_from.get(name) != current.get(name)]


def heed_guards(batch: Batch, saved: Plan) -> None:
    """Stop a plan that must not be applied, also where only a later step is run on its own.

    Raises:
        ConfigError: a mapping or policy was changed since the plan was made.
        Blocked: a guard or the org's limits stop it, and nobody has released it.
    """
    project = batch.project
    if saved.kind == "sync":
        _heed_changes(project, saved)
    reasons = why_blocked(batch, saved)
    if reasons and not is_released(project, saved):
        listed = "\n".join(f"  {reason}" for reason in reasons)
        raise Blocked(
            f"plan {saved.plan_id} is blocked and nothing was sent:\n{listed}\n"
            f"Look at it: causeway plan {saved.plan_id}. Then release it, and it alone:"
            f" causeway plan --release {saved.plan_id}; or raise the guard in"
            f" {project.mappings / 'policies.yaml'}."
        )


def why_blocked(batch: Batch, saved: Plan) -> list[str]:
    """The guards and limits that stop a plan, with their numbers; empty when it may go."""
    unread = [] if saved.kind != "sync" else unread_consent(batch.project.warehouse, batch.day)
    return [*map(str, unread), *_too_much(batch, saved)]


def _too_much(batch: Batch, saved: Plan) -> list[str]:
    policies = batch.project.policies
    limits = exceeded(predicted(saved), saved.limits, policies.api.daily_share)
    # Most plans are too small for any guard, whatever the org holds: then nobody has to count.
    if not blocked_by(_most(batch.project, saved), {}, strictest(policies.guards)):
        return limits
    return blocked_by(_guarded(batch, saved), _managed_records(batch), policies.guards) + limits


def _most(project: Project, saved: Plan) -> Mapping[str, Mapping[str, int]]:
    """Object → rows by action of the whole plan; no guard ever counts more of them."""
    counts: dict[str, Counter[str]] = {}
    with project.warehouse.connect() as connection:
        for stem, part in saved.objects.items():
            object_counts = counts.setdefault(part.object, Counter())
            object_counts.update(part.counts)
            query = _renamed_sql(saved.payload(stem))
            [(renamed,)] = connection.execute(query).fetchall()
            object_counts[RENAME] += renamed
            object_counts[SPLIT] += part.counts.get("hold", 0)
    return counts


def strictest(guards: Guards) -> Guards:
    """Guards that stop whatever the real ones may, once an org holds nothing of ours."""
    return guards.model_copy(update={"first_load": "guard"})


def release(saved: Plan) -> Path:
    """Let a blocked plan pass: this one, and one that does exactly the same."""
    path = saved.folder / RELEASED
    facts = {
        "plan_id": saved.plan_id,
        "content": saved.content,
        "by": f"{getpass.getuser()}@{socket.gethostname()}",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write(path, json.dumps(facts, indent=2) + "\n")
    return path


def released(saved: Plan) -> dict[str, Any] | None:
    """Who released this very plan, and when; none when nobody did."""
    path = saved.folder / RELEASED
    return _read_release(path) if path.exists() else None


def is_released(project: Project, saved: Plan) -> bool:
    """Whether this plan, or one that did exactly the same, was released."""
    files = (project.home / "plans").glob(f"[!.]*/{RELEASED}")
    return any(_read_release(path)["content"] == saved.content for path in files)


def _read_release(path: Path) -> dict[str, Any]:
    facts = read_json(path)
    with reading(path):
        return {name: facts[name] for name in ("plan_id", "content", "by", "at")}


def _heed_changes(project: Project, saved: Plan) -> None:
    current = digests(project, {})
    problems = [
        Problem(
            str(project.mappings / name),
            None,
            f"changed since plan {saved.plan_id} was made from it; nothing was sent."
            f" Plan again: causeway {saved.sync_again}",
        )
        for name in changed(saved.made_from, current)
        if name != DESCRIBE
    ]
    if problems:
        raise ConfigError(problems)


def _guarded(batch: Batch, saved: Plan) -> Mapping[str, Mapping[str, int]]:
    """Object → rows by action that no guard has let pass yet.

    What a run that died was sending, and what this plan has written, has been released before.
    """
    counts: dict[str, Counter[str]] = {}
    with batch.connect() as connection, batch.project.state.attach(connection):
        for stem, part in saved.objects.items():
            if saved.outcomes(stem).exists():
                continue
            left_behind.bind(batch.project, connection, part.object)
            payload = saved.payload(stem)
            object_counts = counts.setdefault(part.object, Counter())
            object_counts.update(dict(connection.execute(_guarded_sql(payload)).fetchall()))
            query = _renamed_sql(payload, "anti join left_behind using (key)")
            [(renamed,)] = connection.execute(query).fetchall()
            object_counts[RENAME] += renamed
            batch.bind_table(connection, "open_identities")
            [(split,)] = connection.execute(_split_sql(payload)).fetchall()
            object_counts[SPLIT] += split
    return counts


def _guarded_sql(payload: Path) -> str:
    return (
        f"select action, count(*) from {parquet_sql(payload)} as planned "
        "anti join left_behind using (key) group by action order by action"
    )


def _split_sql(payload: Path) -> str:
    return (
        f"select count(*) from {parquet_sql(payload)} as planned semi join"
        " (select person_key from open_identities where likeness = 'split') as split"
        " on split.person_key = planned.key where action = 'hold'"
    )


def _renamed_sql(payload: Path, without: str = "") -> str:
    sent = ", ".join(map(literal, WRITES))
    return (
        f"select count(*) from {parquet_sql(payload)} as planned"
        f" {without} where action in ({sent}) and action <> 'create'"
        f" and list_contains(changed, {literal(FIRST)}) and list_contains(changed, {literal(LAST)})"
    )


def _managed_records(batch: Batch) -> Mapping[str, int]:
    """Object → records of the snapshot that carry a key of ours."""
    counts = {}
    with batch.connect() as connection:
        for mapping in batch.project.object_mappings.values():
            name = relation("org", mapping.object)
            batch.bind_table(connection, name)
            query = _managed_records_sql(name, mapping.key)
            [(counts[mapping.object],)] = connection.execute(query).fetchall()
    return counts


def _managed_records_sql(name: str, key: str) -> str:
    return f"""select count(*) from {name} where "{key}" is not null and "IsDeleted" = 'false'"""
