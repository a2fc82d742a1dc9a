"""Carry out a saved plan: send its rows, keep what the org says of each. Nothing is decided here.

Creates are upserts by External Id, so that a repeat can never make a second record; everything
else goes by Id. A plan that was carried out is never sent again, and one whose run died goes on
where it stopped: every row gets one final outcome, once.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.sync.apply import outcomes, payload
from pipelines.sync.apply.answers import Answers, Target
from pipelines.sync.apply.journal import Journal
from pipelines.sync.apply.send import Progress, Sender, Sending
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.plan.saved import Plan
from pipelines.warehouse import parquet_sql, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.sync.apply.answers import Teller

OUTCOMES = ("created", "updated", "deleted", "unchanged", "held", "skipped", "rejected", "unknown")
BUDGET, INTERRUPTED = "API_BUDGET", "INTERRUPTED"
"""Codes of rows that were not sent: the calls of the day are used up, or the run died before."""


@dataclass(frozen=True)
class Outcomes:
    """What became of one mapping's rows.

    Attributes:
        stem: of the mapping.
        object: whose records they are.
        path: Parquet with the relation ``salesforce_<mapping>``.
        counts: rows by outcome, one of ``OUTCOMES``.
    """

    stem: str
    object: str
    path: Path
    counts: Mapping[str, int]


def check_ready(
    plan: Plan,
    stem: str,
    organization_id: str,
    connection: DuckDBPyConnection,
    parents: Mapping[str, Sequence[Path]],
) -> None:
    """Refuse what could only be sent to the wrong org or with look-ups that lead nowhere.

    Raises:
        ConfigError: the plan was made for another org, or an object that rows wait for was not
            applied yet.
    """
    if organization_id != plan.organization_id:
        message = f"made for the org {plan.organization_id}, not for {organization_id}"
        raise ConfigError.at(plan.folder, None, f"{message}; plan again for this org")
    query = payload.unanswered_sql(plan.objects[stem], plan.payload(stem), parents)
    missing = [
        f"salesforce_{part.stem}"
        for [name] in connection.execute(query).fetchall()
        for part in of_object(plan.objects, name)
        if not plan.outcomes(part.stem).exists()
    ]
    if missing:
        message = (
            f"nothing of {plan.called(stem)} was sent: apply {' and '.join(missing)} of this plan"
        )
        raise ConfigError.at(plan.folder, None, f"{message} first")


def bind_payload(
    plan: Plan,
    stem: str,
    connection: DuckDBPyConnection,
    parents: Mapping[str, Sequence[Path]],
) -> None:
    """Make the view ``payload``: the plan's rows, look-ups answered, those of ``barred`` marked.

    Without a table ``barred`` nothing is barred.
    """
    columns = ", ".join(f"{name} {kind}" for name, kind in payload.BARRED.items())
    connection.execute(f"create temp table if not exists barred ({columns})")
    [(barred,)] = connection.execute("select count(*) from barred").fetchall()
    part = plan.objects[stem]
    query = payload.payload_sql(part, plan.payload(stem), parents, barred=barred > 0)
    connection.execute(f"create or replace temp view payload as {query}")


def send_object(
    plan: Plan, target: Target, org: Sender, connection: DuckDBPyConnection,
    progress: Progress | None = None,
) -> Outcomes:  # fmt: skip
    """Send one mapping's rows, what a dead run left first, and write their outcomes.

    Args:
        plan: from ``load_plan``.
        target: one of its parts, and how it is written.
        org: the org the plan was made for.
        connection: a DuckDB that sees ``payload``, as ``bind_payload`` makes it.
        progress: called after every call or job.

    Raises:
        SalesforceError: the org could not be talked to; what was sent is in the journal.
    """
    journal = Journal.of(plan.folder, target.part.stem)
    journal.begin()
    answers = Answers(target, org, connection, journal)
    answers.settle(go_on=True)
    sending = Sending(org, answers, progress)
    sending.run()
    return write_outcomes(plan, answers, BUDGET, f"not sent: {target.budget}")


def settle_object(
    plan: Plan, target: Target, org: Teller, connection: DuckDBPyConnection
) -> Outcomes:
    """Find out what a dead run has written of one object, send nothing, and write the outcomes."""
    answers = Answers(target, org, connection, Journal.of(plan.folder, target.part.stem))
    answers.settle(go_on=False)
    message = "not sent: the run that was to send it died; the next one plans it anew"
    return write_outcomes(plan, answers, INTERRUPTED, message)


def write_outcomes(plan: Plan, answers: Answers, code: str, message: str) -> Outcomes:
    """One final outcome per row, beside the plan; ``code`` and ``why`` are of rows not sent."""
    journal, connection = answers.journal, answers.connection
    query = outcomes.outcomes_sql(plan.plan_id, code, message, answered=answers.any)
    write_parquet(connection, query, journal.outcomes)
    shutil.rmtree(answers.results, ignore_errors=True)
    for temporary_file in journal.folder.glob(".*.tmp"):
        temporary_file.unlink()
    return read_outcomes(plan, answers.part.stem, connection)


def read_outcomes(plan: Plan, stem: str, connection: DuckDBPyConnection) -> Outcomes:
    """The outcomes of a mapping's part that was applied."""
    path = plan.outcomes(stem)
    counted = connection.execute(
        f"select outcome, count(*) from {parquet_sql(path)} group by outcome"
    ).fetchall()
    return Outcomes(
        stem, plan.objects[stem].object, path, dict.fromkeys(OUTCOMES, 0) | dict(counted)
    )
