"""The batch that is brought into an org again and again, and what the org then holds."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.batch import Batch
from pipelines.config import PROJECT
from pipelines.project import Project
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.named_objects import ROUTED

DAY, AFTER = date(2026, 11, 5), date(2026, 11, 6)
"""The batch that makes records, and one that changes, adopts and makes some more."""

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


UNDONE = Size(accounts=20, contacts=300, leads=2_050)
"""What is undone: leads are put back and deleted by Bulk jobs, the others by calls."""


@dataclass(frozen=True)
class Contents:
    """What an org holds of ours.

    Attributes:
        records: object → how often each record is there, by its key and all of its values.
        again: records that were written more than once.
    """

    records: Mapping[str, Counter[tuple[Any, ...]]]
    again: int

    def lost(self, other: Contents) -> int:
        """How many of these records ``other`` lacks."""
        return sum((self.records[name] - other.records[name]).total() for name in ROUTED)


NOTHING = Contents({name: Counter() for name in ROUTED}, again=0)
"""An org without a record."""


def project_at(home: Path) -> Project:
    """The pipeline below a folder."""
    return Project(home, home / "inbox", home / "mappings")


def lay(home: Path, size: Size) -> Project:
    """Make a home with one batch of so many records; every seventh name is hard to write."""
    project = project_at(home)
    shutil.copytree(PROJECT / "mappings", project.mappings)
    (project.mappings / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    policies = project.mappings / "policies.yaml"
    text = policies.read_text(encoding="utf-8")
    text = re.sub(r"\{share: .*, above: 500\}", "none", text)
    policies.write_text(text, encoding="utf-8")
    for source, rows in (("people", size.contacts), ("leads", size.leads)):
        _write_file(project, source, DAY, (_line(source, n, size) for n in range(rows)))
    return project


def lay_after(project: Project, size: Size) -> None:
    """Add the second batch: every lead changes and more than as many come, of contacts a third.

    Some of the new leads are in the org already, see ``leads_of_the_org``.
    """
    for source, rows, unchanged, more in (
        ("people", size.contacts, size.contacts * 2 // 3, size.contacts // 3),
        ("leads", size.leads, 0, size.leads * 6 // 5),
    ):
        numbers = range(unchanged, rows + more)
        _write_file(project, source, AFTER, (_line(source, n, size, "second") for n in numbers))


def leads_of_the_org(size: Size) -> list[dict[str, str]]:
    """Leads of the second batch that the org holds before the first, without a key of ours."""
    numbers = range(size.leads, size.leads * 2, 10)
    return [
        {"LastName": f"Old{n}", "Company": "Old", "Email": _mail("leads", n, size)} for n in numbers
    ]


def edited(size: Size) -> str:
    """The e-mail address of a contact that the second batch changes."""
    return _mail("people", size.contacts - 1, size)


def _write_file(project: Project, source: str, day: date, lines: Iterator[str]) -> None:
    path = project.inbox / source / day.isoformat() / f"{source}.csv"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + "".join(lines), encoding="utf-8")


def _line(source: str, n: int, size: Size, note: str = "日本") -> str:
    name = f'"Ørsted, ""{n}"""' if n % 7 == 0 else f"Last{n}"
    street = f'"{n} High Street\nFlat {n}"' if n % 5 == 0 else f"{n} High Street"
    company = f"Company {source} {_company(source, n, size)}"
    mail = _mail(source, n, size)
    return f"{source}{n},First{n},{name},{mail},{company},{street},Århus,{note} {n}\n"


def _mail(source: str, n: int, size: Size) -> str:
    return f"{source}{n}@acme{_company(source, n, size)}.example"


def _company(source: str, n: int, size: Size) -> int:
    """Which company; leads have one each, new contacts are with new ones."""
    if source == "leads":
        return n
    return n % size.accounts if n < size.contacts else size.accounts + n % (size.accounts // 3)


def contents_of(project: Project) -> Contents:
    """Read every record of ours."""
    records, again = {}, 0
    with project.org() as org:
        for name in ROUTED:
            [mapping] = of_object(Batch(project, DAY).mappings, name)
            fields = [field for field in mapping.enabled() if field != "AccountId"]
            own = [
                mapping.key,
                *fields,
                *(["Account.Causeway_Key__c"] if name == "Contact" else []),
            ]
            listed = ", ".join((*own, "CreatedDate", "LastModifiedDate"))
            rows = list(org.query(f"select {listed} from {name}"))
            again += sum(row["CreatedDate"] != row["LastModifiedDate"] for row in rows)
            records[name] = Counter(
                tuple(str(value) for key, value in row.items() if not key.endswith("Date"))
                for row in rows
            )
    return Contents(records, again)
