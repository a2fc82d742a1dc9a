"""How each stage describes what it made: rows, columns and their origin, and the checks of them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.describe.description import Check, Description, Fact, Lineage, of_written
from pipelines.describe.lineage import lineage_of
from pipelines.org import snapshot
from pipelines.plan.make import left_out, scored
from pipelines.plan.page import page_of
from pipelines.sources.cells import unread_lines
from pipelines.sql import SqlFile
from pipelines.sync.mapping.golden import origin
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.values import mapping_columns
from pipelines.validate.judge_sql import KINDS
from pipelines.warehouse import Written

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.sources.land import Landed
    from pipelines.sync.apply.objects import Outcomes
    from pipelines.sync.plan.forecast import Score
    from pipelines.sync.plan.saved import Plan
    from pipelines.sync.prove import Proof
    from pipelines.validate.judge import Validated

CONSERVED = "every_row_has_a_verdict"
DRIFT = "fields_are_as_saved"
ANSWERED = "every_planned_row_has_an_outcome"
ACCEPTED = "nothing_rejected"
STORED = "stored_as_sent"
FORESEEN = "forecast"


def sql(project: Project, written: Written, file: SqlFile) -> Description:
    """A relation of a ``.sql`` file: what its columns hold and where they come from."""
    if file.path.suffix != ".sql":  # made from a mapping, which says it better
        return of_written(written)
    return of_written(written, lineage=lineage_of(project, file), notes=file.columns)


def landed(written: Written, landed: Landed) -> Description:
    """Rows as their files have them, and which files of the day could not be read."""
    withheld = sum(chain.from_iterable(cells.values() for cells in landed.withheld.values()))
    facts: dict[str, Fact] = {
        "refused files": list(map(str, landed.refused)),
        "withheld cells": withheld,
        "read otherwise": list(map(str, landed.remarks)),
    }
    sources = {count.source for count in landed.counts if count.relation == written.relation}
    cells = {name: cells for name, cells in sorted(landed.cells.items()) if name in sources}
    facts["cells"] = sum(one.read for one in cells.values())
    facts["cells kept in _extra"] = sum(one.kept for one in cells.values())
    unread = (unread_lines(name, one) for name, one in cells.items())
    facts["columns that nothing reads"] = list(chain.from_iterable(unread))
    return of_written(written, facts=facts)


def valid(verdict: Validated) -> Description:
    """The rows that passed, what is asked of each column, and the checks of all rows."""
    notes = {column: "  \n".join(texts) for column, texts in verdict.rules.items()}
    counts = {
        "landed": verdict.staged,
        "valid": verdict.valid.rows,
        "rejected": verdict.rejected.rows,
    }
    conserved = Check(
        CONSERVED,
        verdict.staged == verdict.valid.rows + verdict.rejected.rows,
        counts,
        warns=False,
    )
    checks = (conserved, *(_of_kind(verdict, kind) for kind in KINDS))
    return of_written(verdict.valid, notes=notes, checks=checks)


def check_of(kind: str) -> str:
    """What the check of one kind of validation is called."""
    return kind.lower().replace(" ", "_")


def _of_kind(verdict: Validated, kind: str) -> Check:
    rows = verdict.kinds.get(kind, 0)
    broken = {rule.message: rows for rule, rows in verdict.broken.items() if rule.kind == kind}
    return Check(check_of(kind), not rows, {"rows": rows, **broken})


def rejected(verdict: Validated) -> Description:
    """The rows that did not pass, the first of them with their reasons."""
    lines = [f"{row.file}:{row.row}: {'; '.join(row.reasons)}" for row in verdict.sample]
    return of_written(verdict.rejected, facts={"why": lines})


def org(batch: Batch, written: Written) -> Description:
    """What the org touched since the last snapshot, and how its fields differ from the saved."""
    if written.relation != "org_schema":
        return of_written(written)
    drift = snapshot.drift(batch)
    return of_written(written, checks=(Check(DRIFT, not drift, {"drift": drift}),))


def mapped(batch: Batch, written: Written, stem: str) -> Description:
    """The records, where their fields come from, and how many go without a country or state."""
    lineage = _mapping_lineage(batch.mappings[stem])
    facts = {"left out": left_out(batch.project, written)}
    return of_written(written, lineage=lineage, facts=facts)


def _mapping_lineage(mapping: ObjectMapping) -> Lineage:
    return {
        field: [origin(mapping.from_, column) for column in columns]
        for field, columns in mapping_columns(mapping).items()
    }


def planned(written: Written, plan: Plan, counts: Mapping[str, int]) -> Description:
    """One mapping's part of a plan: its rows per action, and the page of the whole."""
    page = page_of(plan).absolute().as_uri()
    return of_written(written, facts={"plan": plan.plan_id, **counts}, links={"page": page})


def applied(written: Written, plan: Plan, stem: str, outcomes: Outcomes) -> Description:
    """The final outcome of each row of one mapping."""
    counts = dict(outcomes.counts)
    rows = sum(plan.objects[stem].counts.values())
    return of_written(
        written,
        facts=counts,
        checks=(
            Check(ANSWERED, rows == sum(counts.values()), {"planned": rows, **counts}, warns=False),
            Check(ACCEPTED, counts["rejected"] == 0, {"rejected": counts["rejected"]}),
        ),
    )


def proven(project: Project, plan: Plan, stem: str, proof: Proof) -> Description:
    """What the org holds of what one mapping wrote, and whether its refusals were foreseen."""
    checks = (_stored(proof), _foreseen(scored(project, plan, stem)))
    return Description(relation("salesforce", stem), checks=checks)


def _stored(proof: Proof) -> Check:
    """What the org holds of what was written; what its automation changed is told, too."""
    facts: dict[str, Fact] = {
        "fields written": proof.written,
        "stored as sent": proof.as_sent,
        "not stored": proof.not_stored,
        "not as sent": list(proof.sentences()),
    }
    return Check(STORED, proof.not_stored == 0, facts)


def _foreseen(score: Score) -> Check:
    """Whether what the plan called certain came true, and how much of the rest it saw coming."""
    facts: dict[str, Fact] = {
        "foretold": score.foretold,
        "rejected": score.rejected,
        "foretold and rejected": score.both,
        "precision": score.precision,
        "recall": score.recall,
        "not foretold": [f"{code}: {rows:,}" for code, rows in score.missed.items()],
    }
    return Check(FORESEEN, score.wrong == 0, facts)
