"""Whole pipelines, each with a home, an inbox, YAML and a Salesforce org of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.config import PROJECT
from pipelines.local_org import control
from pipelines.project import Project
from pipelines.stages import run_batch

if TYPE_CHECKING:
    from simple_salesforce import Salesforce

    from pipelines.run import OnEvent, RunResult

OBJECTS = ("Account", "Contact", "Lead")


class Chain:
    """One pipeline, run stage by stage and looked at as people look at it.

    Attributes:
        home: all data and state.
        inbox: where its batches lie.
        mappings: the project's YAML, with the sources of the test.
    """

    def __init__(self, home: Path, sources: str | None) -> None:
        self.home = home
        self.inbox = home / "inbox"
        self.mappings = home / "mappings"
        self.inbox.mkdir(parents=True)
        self.mappings.mkdir()
        for path in (PROJECT / "mappings").glob("*.yaml"):
            shutil.copy(path, self.mappings)
        if sources is not None:
            (self.mappings / "sources.yaml").write_text(sources)

    @property
    def environ(self) -> dict[str, str]:
        """What makes a process work on this pipeline."""
        return {
            "CAUSEWAY_HOME": str(self.home),
            "CAUSEWAY_MAPPINGS": str(self.mappings),
        }

    @property
    def project(self) -> Project:
        return Project(self.home, self.inbox, self.mappings)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Let what runs in this process work on this pipeline."""
        from pipelines.commands.environment import prepare_dagster

        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environ.items():
                patch.setenv(name, value)
            patch.setenv("DAGSTER_HOME", "")  # what is set next is undone with it
            prepare_dagster()
            yield

    def put(self, source: str, day: date, name: str, content: str | bytes) -> Path:
        """Lay a file into the inbox."""
        path = self.inbox / source / day.isoformat() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(
        self, day: date, *, plan_only: bool = False, on_event: OnEvent | None = None
    ) -> RunResult:
        """Run the stages of one day, without the orchestrator."""
        return run_batch(self.project, day, plan_only=plan_only, on_event=on_event)

    def record(self) -> list[str]:
        """Let Dagster record what was run without it; the ids of the runs."""
        from pipelines.definitions import record_runs

        with self.active():
            return record_runs(self.home)

    def done(self, day: date) -> Chain:
        """``run``, which must succeed."""
        result = self.run(day)
        assert result.success, (result.failed_step, result.error)
        return self

    def refused(self, day: date) -> BaseException:
        """``run``, which must fail; what stopped it."""
        result = self.run(day)
        assert not result.success
        assert result.error is not None, result.failed_step
        return result.error

    def causeway(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the command in a process of its own."""
        return self.start(*arguments).communicated()

    def start(self, *arguments: str | Path) -> Command:
        """Begin to run the command in a process of its own."""
        return Command(
            [Path(sys.executable).with_name("causeway"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environ, "NO_COLOR": "1"},
        )

    def start_org(self) -> dict[str, Any]:
        return control.start(self.project.local_org)

    def stop_org(self) -> None:
        control.stop(self.project.local_org)

    def salesforce(self) -> Salesforce:
        """simple-salesforce, unmodified, logged in to this pipeline's org."""
        import requests
        from simple_salesforce import Salesforce

        org = control.status(self.project.local_org)
        session = requests.Session()
        session.trust_env = False
        session.verify = org["ca_file"]
        return Salesforce(
            session_id=org["access_token"], instance_url=org["https_url"], session=session
        )

    def records(self, object_name: str, *fields: str) -> list[dict[str, Any]]:
        """Every record of an object with these fields, or all that the mapping fills."""
        rules = self.project.object_mappings[object_name.lower()].enabled()
        own = (name for name, rule in rules.items() if not rule.optional)
        names = fields or ("Causeway_Key__c", *own)
        client = self.salesforce()
        columns = ", ".join(dict.fromkeys(("Id", *names)))
        rows = client.query_all(f"select {columns} from {object_name}")["records"]
        client.session.close()
        return [{name: row[name] for name in ("Id", *names)} for row in rows]

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """What the org holds but for Ids and keys, which depend on the order of runs."""
        names = {row["Id"]: row["Name"] for row in self.records("Account", "Name")}
        records_of = {}
        for object_name in OBJECTS:
            rows = self.records(object_name)
            records_of[object_name] = sorted(
                tuple(
                    str(names.get(value) if name == "AccountId" else value)
                    for name, value in row.items()
                    if name not in ("Id", "Causeway_Key__c")
                )
                for row in rows
            )
        return records_of

    def stamps(self) -> dict[str, str]:
        """Id → when the org last touched the record."""
        return {
            row["Id"]: row["SystemModstamp"]
            for object_name in OBJECTS
            for row in self.records(object_name, "SystemModstamp")
        }

    def decide(self, *lines: str) -> Path:
        """Write decisions.csv, as a person does."""
        path = self.mappings / "decisions.csv"
        header = "kind,reference,target,decided_by,decided_at,note"
        path.write_text("\n".join((header, *lines)) + "\n")
        return path

    def outcomes(self, day: date) -> dict[str, Counter[str]]:
        """Object → outcomes of the newest run of the day."""
        return {
            name: Counter(row["outcome"] for row in self.read(f"salesforce_{name.lower()}", day))
            for name in OBJECTS
        }

    def read(self, relation: str, day: date | None = None) -> list[dict[str, Any]]:
        """A relation as analysts see it: through ``causeway.duckdb``, of one day or of all."""
        import duckdb

        with duckdb.connect(self.home / "causeway.duckdb", read_only=True) as connection:
            rows = connection.sql(f'select * from "{relation}"')
            if day is not None:
                rows = rows.filter(f"day = date '{day}'")
            return rows.to_arrow_table().to_pylist()


class Command(subprocess.Popen[str]):
    """A running command."""

    def communicated(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end; a traceback is never what people get to see."""
        with self:
            out, err = self.communicate(timeout=240)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(self.args, self.returncode, out, err)


MakeChain = Callable[..., Chain]


@pytest.fixture(scope="module")
def make_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeChain]:
    """Make pipelines; ``org=False`` leaves the org to the test. All orgs end with the module."""
    chains: list[Chain] = []

    def make(sources: str | None = None, *, org: bool = True, home: Path | None = None) -> Chain:
        chain = Chain(home or tmp_path_factory.mktemp("pipeline") / "home", sources)
        chains.append(chain)
        if org:
            chain.start_org()
        return chain

    yield make
    for chain in chains:
        chain.stop_org()


DAGSTERS = (
    "ignore::DeprecationWarning:dagster",  # it still asks pydantic for __fields__
    "ignore:.*AssetCheckSpec",  # checks per partition are a preview
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Warnings about how Dagster is made say nothing about us."""
    folder = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(folder):
            for warning in DAGSTERS:
                item.add_marker(pytest.mark.filterwarnings(warning))
