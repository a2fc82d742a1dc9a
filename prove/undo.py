"""Taking a batch back, killed and broken on the way, while somebody edits what it takes back.

The first batch makes records, the second changes, adopts and makes some; its undo puts back, lets
go and deletes them, leads by Bulk jobs and contacts by calls.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import requests

from pipelines.batch import Batch
from pipelines.errors import InternalError
from pipelines.local_org import control
from pipelines.local_org.catalog.load import TEMPLATE
from pipelines.plan.make import newest
from pipelines.salesforce.rows import Load
from pipelines.sync.mapping.named_objects import ROUTED
from pipelines.undo.make import undos
from pipelines.undo.released import undone
from pipelines.warehouse import parquet_sql
from prove.batch import (
    AFTER,
    DAY,
    Contents,
    contents_of,
    edited,
    lay,
    lay_after,
    leads_of_the_org,
    project_at,
)
from prove.worker import NOTHING_TO_UNDO, Ended, Worker

EDIT = "written by somebody else"
OTHER = "grace@example.com"
USERS = f"users:\n  - {{first_name: Grace, last_name: Hopper, email: {OTHER}}}\n"


@dataclass
class Undoing(Worker):
    """Undoes the second of two batches.

    Attributes:
        edited: whether somebody has edited a record meanwhile.
        written: what is to be undone.
    """

    edited: bool = False
    written: Contents | None = None

    def prepare(self) -> None:
        """Bring both batches in, keep that moment, and see what an uninterrupted undo does."""
        project = lay(self.home, self.size)
        self.org.mkdir()
        text = TEMPLATE.read_text(encoding="utf-8").replace("users: []\n", USERS)
        (self.org / "org.yaml").write_text(text, encoding="utf-8")
        control.start(self.org, faults=True)
        with project.org() as org:
            org.collections(Load("Lead", "insert"), leads_of_the_org(self.size))
        self.must("all", DAY)
        lay_after(project, self.size)
        self.must("all", AFTER)
        self.written = contents_of(project)
        control.stop(self.org)
        shutil.copytree(self.home, self.folder / "planned")
        control.start(self.org, faults=True)
        self.must("undo", AFTER)
        self.steps = self.steps_of_run()
        self.expected = self.contents()

    def put_back(self) -> None:
        """Both batches in the org, and nothing undone."""
        self.edited = False
        control.stop(self.org)
        shutil.rmtree(self.home)
        shutil.copytree(self.folder / "planned", self.home)
        control.start(self.org, faults=True)

    def killed_at(self, step: int, *, edit: bool | None = None) -> Ended:
        """Kill the undo before a step, edit a record or every other time, and undo again."""
        self.put_back()
        name = self.kill("undo", AFTER, step)
        if step % 2 if edit is None else edit:
            self._edit()
        case = f"undo, step {step}" + (", and an edit" if self.edited else "")
        return self.finished(case, f"undo killed: {name}", "undo", "undo", AFTER)

    def synced_instead(self, step: int) -> Ended:
        """Kill the undo before a step and run the batch again; then undo what it had left."""
        self.put_back()
        plan_id = newest(Batch(project_at(self.home), AFTER)).plan_id
        name = self.kill("undo", AFTER, step)
        wrong = self.output if self.run("all", AFTER) else self._half_undone()
        code = self.causeway(["undo", plan_id, "--yes"])
        if code and not any(words in self.output for words in NOTHING_TO_UNDO):
            wrong = wrong or self.output
        case = f"undo, step {step}, and the batch again"
        return self._judged(case, f"undo killed: {name}", 1, wrong, self.expected)

    def _half_undone(self) -> str:
        """Records that are neither undone and noted so, nor as they were written; in words."""
        if self.expected is None or self.written is None:
            raise InternalError("a case was run before the worker was prepared")
        now, noted = contents_of(project_at(self.home)), self._noted()
        wrong = []
        for name in ROUTED:
            before, after, found = map(
                _by_key, (c.records[name] for c in (self.written, self.expected, now))
            )
            for key in before:
                state = (found.get(key) == after.get(key), (name, key) in noted)
                if before[key] != after.get(key) and state not in ((True, True), (False, False)):
                    wrong.append(f"{name} {key}: undone, noted so: {state}")
                if found.get(key) not in (before[key], after.get(key)):
                    wrong.append(f"{name} {key}: {found.get(key)}")
        return "; ".join(wrong[:5])

    def _noted(self) -> set[tuple[str, str]]:
        """Object and key of each record of which something stays undone."""
        notes = undone(project_at(self.home))
        return {(name, key) for name, key, *_ in notes}

    def faulty(self, name: str, group: str, faults: Sequence[Mapping[str, object]]) -> Ended:
        """Arm faults, then undo until nothing is left to be undone."""
        self.put_back()
        control.inject(self.org, *map(dict, faults))
        return self.finished(name, group, "undo", "undo", AFTER)

    def contents(self) -> Contents:
        """What the org holds; an edit that stands counts as what the undo would have put back."""
        contents = replace(contents_of(project_at(self.home)), again=self._again())
        if not self.edited:
            return contents
        contacts = Counter(contents.records["Contact"])
        for row in [row for row in contacts if EDIT in row]:
            restored = tuple(self._before() if value == EDIT else value for value in row)
            contacts[restored] += contacts.pop(row)
            return replace(contents, records={**contents.records, "Contact": contacts})
        return replace(contents, again=contents.again + 1)  # the undo went over it

    def _before(self) -> str:
        """What the undo puts back where nobody edits."""
        return f"日本 {self.size.contacts - 1}"

    def _edit(self) -> None:
        """Let another user change a contact that the undo changes, too."""
        status = control.status(self.org)
        form = {"grant_type": "password", "username": OTHER, "password": status["password"]}
        form |= {name: status[name] for name in ("client_id", "client_secret")}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{status['http_url']}/services/oauth2/token", data=form)
            session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            data = f"{status['http_url']}/services/data/v67.0"
            soql = f"select Id from Contact where Email = '{edited(self.size)}'"
            [contact] = session.get(f"{data}/query", params={"q": soql}).json()["records"]
            record = f"{data}/sobjects/Contact/{contact['Id']}"
            session.patch(record, json={"Description": EDIT}).raise_for_status()
        self.edited = True

    def _again(self) -> int:
        """Records that undos have written more than once, or tried to delete again."""
        writes: Counter[tuple[str, str]] = Counter()
        again = 0
        project = project_at(self.home)
        with project.warehouse.connect() as connection:
            for name, path in _outcomes(project.home):
                rows = connection.execute(
                    f"select key, outcome, code from {parquet_sql(path)}"
                ).fetchall()
                writes.update((name, key) for key, what, _ in rows if what in WRITES)
                again += sum(code == "ENTITY_IS_DELETED" for *_, code in rows)
        return again + sum(times > 1 for times in writes.values())


WRITES = ("updated", "deleted")


def _by_key(records: Counter[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {row[0]: row for row in records if row[0] != "None"}


def _outcomes(home: Path) -> list[tuple[str, Path]]:
    """The outcomes of every undo, by object."""
    paths = (
        (name, undo.folder / "applied" / name.lower() / "outcomes.parquet")
        for undo in undos(home)
        for name in ROUTED
    )
    return [(name, path) for name, path in paths if path.exists()]
