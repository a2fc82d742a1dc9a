"""A home with only the stages that resolve needs, fed with valid rows directly."""

import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines import resolve
from pipelines.batch import Batch
from pipelines.config import PROJECT
from pipelines.project import Project, stage_files
from pipelines.relations import ENTITIES, prepare

SOURCES = """
sources:
  list:
    entity: contacts
    preset: generic
    priority: 20
    as: lead
  offices:
    entity: contacts
    preset: generic
    parent: {source: list, column: parent_id}
  shop: {entity: customers, preset: magento_customer, priority: 10}
  news:
    entity: subscribers
    preset: magento_subscriber_table
    priority: 40
"""

D0 = date(2000, 1, 1)
FILES = {file.relation: file for file in stage_files("resolve")}


class Resolver:
    """Feeds rows per batch and reads what became of them."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def feed(self, day: date, **rows: list[dict[str, Any]]) -> None:
        for relation in ENTITIES:
            self._write(f"valid_{relation}", day, rows.get(relation, []))
        batch = Batch(self.project, day)
        batch.run_sql(FILES["person_records"])
        resolve.link(batch)
        resolve.people(batch, FILES["people"])
        resolve.account_links(batch, FILES["account_links"])
        resolve.accounts(batch, FILES["accounts"])

    def decide(self, *lines: str) -> None:
        """Write decisions.csv, as a person does, and read the project anew."""
        mappings = self.project.home / "mappings"
        if mappings != self.project.mappings:
            shutil.copytree(self.project.mappings, mappings)
        (mappings / "decisions.csv").write_text("\n".join(("kind,reference,target", *lines)))
        self.project = Project(self.project.home, self.project.inbox, mappings)

    def match(self, day: date, **known: dict[str, str]) -> None:
        """Route the batch, with some entities known to the org: object → key → Id."""
        with Batch(self.project, day).connect() as connection:
            for name, ids in known.items():
                relation = f"org_match_{name.removeprefix('org_')}"
                self.project.warehouse.bind(connection, relation, [])
                connection.execute(f"create temp table known as from {relation}")
                connection.executemany(
                    "insert into known (entity_key, sf_id) values (?, ?)", list(ids.items())
                )
                self.project.warehouse.write(connection, relation, day, "from known")
        [routes] = [file for file in stage_files("match") if file.relation == "routes"]
        Batch(self.project, day).run_sql(routes)

    def answered(self, key: str, outcome: str) -> None:
        """Let the org have said this of a record, and nothing else of any."""
        with Batch(self.project, D0).connect() as connection, self.project.state.attach(connection):
            connection.execute("delete from state.outcome")
            connection.execute(
                "insert into state.outcome (plan_id, object, key, batch, action, outcome,"
                " answered_at) values ('p', 'Contact', ?, ?, 'create', ?, now())",
                [key, D0, outcome],
            )

    def read(self, relation: str, day: date) -> list[dict[str, Any]]:
        with Batch(self.project, day).connect() as connection:
            self.project.warehouse.bind(connection, relation, [day])
            return connection.sql(f"select * from {relation}").to_arrow_table().to_pylist()

    def clusters(self) -> set[frozenset[tuple[str, str]]]:
        """Who is together in the state, whatever the keys are called."""
        return {frozenset(ids) for ids in self.members().values()}

    def members(self) -> dict[str, list[tuple[str, str]]]:
        """Person key → the source records that belong to it."""
        state = self.project.state
        with Batch(self.project, D0).connect() as connection, state.attach(connection):
            rows = connection.execute(
                "select person_spelling(person, null), list(distinct (source, source_id))"
                " from state.member join state.record using (record) group by person"
            ).fetchall()
        return dict(rows)

    def _write(self, relation: str, day: date, rows: list[dict[str, Any]]) -> None:
        with Batch(self.project, day).connect() as connection:
            self.project.warehouse.bind(connection, relation, [])
            connection.execute(f"create temp table fed as from {relation}")
            for number, row in enumerate(rows, start=2):
                full = {
                    "_file": "f.csv",
                    "_row": number,
                    "_batch": day,
                    "as_of": datetime.combine(day, datetime.min.time()),
                    **_consent(row, day),
                    **row,
                }
                connection.execute(
                    f"insert into fed ({', '.join(full)}) values ({', '.join('?' * len(full))})",
                    list(full.values()),
                )
            self.project.warehouse.write(connection, relation, day, "from fed")


def _consent(row: dict[str, Any], day: date) -> dict[str, Any]:
    """What staging reads of a subscriber's status."""
    if "status" not in row:
        return {}
    says = {"subscribed": "in", "unsubscribed": "out"}.get(row["status"], "pending")
    moment = row.get("as_of", datetime.combine(day, datetime.min.time()))
    cell = {"header": "status", "value": row["status"], "channels": ["email"], "says": says}
    return {"consent": [{**cell, "at": moment if row.get("updated_at") == moment else None}]}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Mappings, and a home in which every relation has its schema; made once, copied per test."""
    mappings = tmp_path_factory.mktemp("mappings")
    for path in (PROJECT / "mappings").glob("*.yaml"):
        shutil.copy(path, mappings)
    (mappings / "sources.yaml").write_text(SOURCES)
    home = tmp_path_factory.mktemp("prepared")
    prepare(Project(home=home, inbox=home / "inbox", mappings=mappings))
    return mappings, home


@pytest.fixture
def make_resolver(
    prepared: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Resolver]:
    mappings, template = prepared

    def make() -> Resolver:
        home = tmp_path_factory.mktemp("home")
        shutil.copytree(template, home, dirs_exist_ok=True)
        return Resolver(Project(home=home, inbox=home / "inbox", mappings=mappings))

    return make


@pytest.fixture
def resolver(make_resolver: Callable[[], Resolver]) -> Resolver:
    return make_resolver()
