"""The batch that is brought into an org again and again, and what the org then holds."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.config import PROJECT
from pipelines.project import OBJECTS, Project

DAY = date(2026, 11, 5)

SOURCES = """
sources:
  people: {entity: contacts, preset: generic, as: contact}
  leads: {entity: contacts, preset: generic, as: lead}
"""
HEADER = "ID,First Name,Last Name,Email,Company,Street,City,Note\n"


@dataclass(frozen=True)
class Size:
    """How many records a batch makes; up to 2,000 of an object go through sObject Collections."""

    accounts: int
    contacts: int
    leads: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.accounts + self.contacts + self.leads


FULL = Size(accounts=900, contacts=1_900, leads=2_200)
"""5,000 rows: Accounts and Contacts by calls, Leads by a Bulk job."""


@dataclass(frozen=True)
class Held:
    """What an org holds of ours.

    Attributes:
        records: object → how often each record is there, by its key and all of its values.
        again: records that were written more than once.
    """

    records: Mapping[str, Counter[tuple[Any, ...]]]
    again: int

    def lost(self, there: Held) -> int:
        """How many of these records ``there`` lacks."""
        return sum((self.records[name] - there.records[name]).total() for name in OBJECTS)


def project_at(home: Path) -> Project:
    """The pipeline below a folder."""
    return Project(home, home / "inbox", home / "mappings")


def lay(home: Path, size: Size) -> Project:
    """Make a home with one batch of so many records; every seventh name is hard to write."""
    project = project_at(home)
    shutil.copytree(PROJECT / "mappings", project.mappings)
    (project.mappings / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    for source, rows, companies in (
        ("people", size.contacts, size.accounts),
        ("leads", size.leads, size.leads),
    ):
        path = project.inbox / source / DAY.isoformat() / f"{source}.csv"
        path.parent.mkdir(parents=True)
        lines = (_line(source, n, n % companies) for n in range(rows))
        path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return project


def _line(source: str, n: int, company: int) -> str:
    name = f'"Ørsted, ""{n}"""' if n % 7 == 0 else f"Last{n}"
    street = f'"{n} High Street\nFlat {n}"' if n % 5 == 0 else f"{n} High Street"
    mail = f"{source}{n}@acme{company}.example"
    return (
        f"{source}{n},First{n},{name},{mail},Company {source} {company},{street},Århus,日本 {n}\n"
    )


def held(project: Project) -> Held:
    """Read every record of ours."""
    records, again = {}, 0
    with project.org() as org:
        for name in OBJECTS:
            mapping = project.object_mappings[name]
            fields = [field for field in mapping.enabled() if field != "AccountId"]
            own = [
                mapping.key,
                *fields,
                *(["Account.Causeway_Key__c"] if name == "Contact" else []),
            ]
            listed = ", ".join((*own, "CreatedDate", "LastModifiedDate"))
            found = list(org.query(f"select {listed} from {name}"))
            again += sum(row["CreatedDate"] != row["LastModifiedDate"] for row in found)
            records[name] = Counter(
                tuple(str(value) for key, value in row.items() if not key.endswith("Date"))
                for row in found
            )
    return Held(records, again)
