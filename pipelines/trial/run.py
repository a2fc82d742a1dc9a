"""A file through the stages that every batch goes through, as far as no org is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pipelines.run import Part, Run
from pipelines.sources.land import land, unclear_consent, unread_consent
from pipelines.sources.model import Sources
from pipelines.sources.readers.reader import Unreadable
from pipelines.stages import STAGES, run_part
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.named_objects import ROUTED
from pipelines.trial.columns import Column, columns
from pipelines.trial.facts import facts
from pipelines.trial.home import temporary_home
from pipelines.trial.noted import Noted, blanked, noted
from pipelines.trial.rows import Row, rows
from pipelines.trial.source import Chosen, Request, chosen
from pipelines.trial.template import bind_org
from pipelines.validate.reasons import Reason, reasons

if TYPE_CHECKING:
    from pipelines.errors import Problem
    from pipelines.project import Project
    from pipelines.sources.land import Landed

DONE = ("stage", "validate", "resolve", "match")
"""The stages between landing and mapping, in their order."""


@dataclass(frozen=True)
class Trial:
    """What a file would become.

    Attributes:
        name: the source it was tried as.
        preset: what it was read as, and ``about`` in words.
        entity: what its rows are.
        facts: how the file is written, such as its encoding.
        remarks: what had to be found out to read it.
        landed: its rows; ``rejected`` of them did not pass the rules.
        columns: where each column goes.
        rows: the first of them, as the records they would become.
        records: object → how many records all rows would become.
        rejections: why rows were rejected.
        blanked: cells that are left out, as their values cannot be used.
        noted: what the mappings leave out, cut or let wait.
        lines: of ``sources.yaml``, to bring the file in; none where it is declared.
    """

    name: str
    preset: str
    about: str
    entity: str
    facts: dict[str, str]
    remarks: tuple[str, ...]
    landed: int
    rejected: int
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    records: dict[str, int]
    rejections: tuple[Reason, ...]
    blanked: tuple[Noted, ...]
    noted: tuple[Noted, ...]
    lines: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every row and every filled cell comes in."""
        unread = any(column.cells for column in self.columns if not column.is_read)
        return not (self.rejected or self.blanked or self.noted or unread)

    def document(self) -> dict[str, Any]:
        """As plain data, under the names that scripts read."""
        return {**asdict(self), "whole": self.is_whole}


def run_trial(own: Project, request: Request, day: date, most: int) -> Trial:
    """Bring one file through the stages, in a home that is gone afterwards.

    Args:
        own: whose mappings and policies hold; nothing of its home or inbox is read but what its
            org said of its fields.
        request: the file.
        day: the batch that it would be.
        most: how many rows are shown.

    Raises:
        Unreadable: the file cannot be read, with the reason.
        ConfigError: a mapping or a source is wrong.
    """
    found = chosen(own, request)
    resting = {
        name: source.model_copy(update={"enabled": False})
        for name, source in own.sources.sources.items()
    }
    sources = Sources(
        sources={**resting, found.name: found.source}, own_presets=own.sources.own_presets
    )
    with temporary_home(own) as home:
        project = home.reading(sources)
        landed = land(project.warehouse, sources, project.inbox, day)
        if landed.refused or not landed.counts:
            raise _refusal(request, landed)
        run = Run(project, day)
        bind_org(run.batch)
        for stage in DONE:
            for part in STAGES[stage].parts(project):
                _make(part, run)
        reached = _reached(run)
        for part in STAGES["map"].parts(project):
            if reached.issuperset(part.relations):
                _make(part, run)
        return _trial(run, found, landed, most)


def _make(part: Part, run: Run) -> None:
    for _ in run_part(part, run):
        pass


def _reached(run: Run) -> set[str]:
    """The relations of mappings to which a row may go: compiling one costs more than most files."""
    mappings = run.project.object_mappings
    with run.batch.connect() as connection:
        run.batch.bind_table(connection, "routes")
        routes = connection.execute("select distinct sobject from routes").fetchall()
    objects = {name for [name] in routes}
    return {
        relation("sf", stem)
        for stem, mapping in mappings.items()
        if mapping.object in objects or mapping.object not in ROUTED
    }


def _trial(run: Run, found: Chosen, landed: Landed, most: int) -> Trial:
    batch, fit = run.batch, found.layout.fit
    entity = fit.shape.relation.removeprefix("raw_")
    warehouse = batch.project.warehouse
    with batch.connect() as connection:
        first_rows, counts = rows(batch, connection, entity, most)
        rejected = sum(
            warehouse.describe(connection, f"rejected_{name.removeprefix('raw_')}", run.day).rows
            for name in landed.written
        )
        return Trial(
            name=found.name,
            preset=fit.kind.preset,
            about=fit.kind.about,
            entity=found.source.entity,
            facts=facts(found.layout.reader),
            remarks=(
                *_remarks(landed.remarks),
                *map(str, unread_consent(warehouse, run.day)),
                *map(str, unclear_consent(warehouse, run.day)),
            ),
            landed=sum(count.rows for count in landed.counts),
            rejected=rejected,
            columns=columns(batch, connection, found.layout, landed, counts),
            rows=first_rows,
            records=counts,
            rejections=tuple(reasons(warehouse, run.day)),
            blanked=blanked(batch, connection),
            noted=noted(batch, connection),
            lines=found.lines,
        )


def _remarks(remarks: tuple[Problem, ...]) -> Iterator[str]:
    for remark in remarks:
        yield remark.message if remark.line is None else f"line {remark.line}: {remark.message}"


def _refusal(request: Request, landed: Landed) -> Unreadable:
    if landed.refused:
        [problem, *_] = landed.refused
        return Unreadable(problem.message, problem.line)
    if request.path.name.startswith("."):
        return Unreadable("hidden files are not read; give it another name")
    return Unreadable("it holds no row, or its name says that it is still being written")
