"""The law of options: every key of every model changes something, or is refused with its line.

The models are walked by reflection, so that a key which is added has to show what it does.
"""

from __future__ import annotations

import shutil
import types
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from pipelines.batch import Batch
from pipelines.config import PROJECT
from pipelines.errors import InputError
from pipelines.project import Project
from pipelines.relations import prepare
from pipelines.run import Run
from pipelines.stages import run_stage
from pipelines.sync.plan.renames import namers_sql

Key = tuple[str, ...]
DAY = date(2026, 11, 5)
ITEM = "*"
"""Stands for any key of a mapping and any item of a list."""

READ = (
    "raw_contacts", "raw_customers", "raw_subscribers", "raw_orders", "rejected_contacts",
    "valid_orders", "valid_contacts",
    "people", "account_links", "accounts", "routes", "person_links",
)  # fmt: skip
VOLATILE = ("_loaded_at", "person_key", "account_key", "entity_key", "record")

SHEETS = ("West", "East")
GENERIC = (
    "ID,First Name,Last Name,Email,Company,Title,List ID,List Name,Country,Second,Note,Birthdate,"
    "Last Updated,Token\n"
)
INBOX = {
    "crm/people.csv": GENERIC
    + "1,Ada,Okafor,ada@x.org,Acme,CEO,17,West,n/a,9,,,2026-11-01 10:00:00,t-1\n"
    "2,Ben,Voss,ben@x.org,Blue,,18,East,,,A\\\\B,,,\n3,Fay,Quill,fay@x.org,,,,,,,,03/04/1985,,\n"
    "4,Gil,Nord,gil@@x.org,,,,,,,,,,\n",
    "fair/fair.csv": GENERIC + "9,Ada,Okafor,ada@x.org,Acme,CTO,,,,,,,2026-10-01 10:00:00,\n",
    "shop/customer.csv": "email,firstname,lastname,group_id,website_id,created_at\n"
    "cy@x.org,Cy,Dahl,1,1,2025-03-01 10:00:00\ned@x.org,Ed,,3,1,2025-03-01 10:00:00\n",
    "news/subs.csv": "subscriber_id,subscriber_email,subscriber_status,customer_id\n"
    "1,dot.moss@x.org,1,0\n",
    "orders/orders.csv": "entity_id,increment_id,state,status,customer_id,customer_is_guest,"
    "customer_email,customer_firstname,customer_lastname,grand_total,created_at,updated_at\n"
    "1,100,complete,complete,,1,gus@x.org,Gus,Tarr,12,2026-11-01 10:00:00,2026-11-01 10:00:00\n"
    '2,101,complete,complete,,1,hal@x.org,Hal,Tarr,"1,234",2026-11-01 10:00:00,\n',
    "orders/addresses.csv": "entity_id,parent_id,address_type,firstname,lastname,street,city,"
    "postcode,country_id\n5,1,shipping,Gus,Tarr,1 High St,York,YO1,GB\n",
}
SOURCES: dict[str, Any] = {
    "crm": {"entity": "contacts", "preset": "generic", "as": "contact"},
    "fair": {"entity": "contacts", "preset": "generic"},
    "book": {"entity": "contacts", "preset": "generic", "format": {"sheet": "West"}},
    "shop": {"entity": "customers", "preset": "generic"},
    "news": {"preset": "magento_subscriber_table"},
    "orders": {"preset": "magento_order"},
}


def keys_of(model: type[BaseModel], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every key of a model and of the models below it, with its annotation.

    A key that only holds other keys is none of its own.
    """
    for name, field in model.model_fields.items():
        key = (*above, field.alias or name)
        below = list(_below(field.annotation, key))
        if not below or values_of(field.annotation):
            yield key, field.annotation
        yield from below


def _below(annotation: Any, key: Key) -> Iterator[tuple[Key, Any]]:
    for one in _flat(annotation):
        if isinstance(one, type) and issubclass(one, BaseModel):
            yield from keys_of(one, key)
        elif isinstance(get_origin(one), type) and issubclass(get_origin(one), Mapping):
            yield from _below(get_args(one)[1], (*key, ITEM))
        elif get_origin(one) is tuple:
            yield from _below(get_args(one)[0], (*key, ITEM))


def _flat(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from _flat(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for one in get_args(annotation):
            yield from _flat(one)
    else:
        yield annotation


def values_of(annotation: Any) -> list[Any]:
    """Every value of a switch; nothing of what people name themselves."""
    values: list[Any] = []
    for one in _flat(annotation):
        if get_origin(one) is Literal:
            values += get_args(one)
        elif one is bool:
            values += [True, False]
    return values


def placed(key: Key, value: Any) -> Any:
    """A document in which only this key has a value."""
    for part in reversed(key):
        value = [value] if part == ITEM else {part: value}
    return value


def laid_over(document: Any, change: Any) -> Any:
    """A document with another laid over it, key by key."""
    if not (isinstance(document, dict) and isinstance(change, dict)):
        return change
    return document | {key: laid_over(document.get(key), value) for key, value in change.items()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test with each ``key`` of its module's ``MODEL`` and each value of that.

    ``NAMED`` says values of keys that are no switch; where there are none the test gets ``...``.
    """
    if {"key", "value"} <= set(metafunc.fixturenames):
        named = metafunc.module.NAMED
        cases = [
            (key, value)
            for key, annotation in keys_of(metafunc.module.MODEL)
            for value in named.get(".".join(key)) or values_of(annotation) or [...]
        ]
        metafunc.parametrize(("key", "value"), cases, ids=_id)


def _id(one: Any) -> str:
    return ".".join(one) if isinstance(one, tuple) else str(one)


class Law:
    """A home whose configuration is varied, and what its batch makes of the same rows."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.folder, self.template = folder, template
        self._numbers = count()
        self._made: dict[str, dict[str, Any]] = {}

    sources = SOURCES
    placed = staticmethod(placed)
    laid_over = staticmethod(laid_over)

    def project(self, **files: Any) -> Project:
        """A project with some of its files replaced: stem → document."""
        home = self.folder / f"home-{next(self._numbers)}"
        shutil.copytree(self.template, home)
        for stem, document in files.items():
            (home / "mappings" / f"{stem}.yaml").write_text(yaml.safe_dump(document))
        return Project(home, home / "inbox", home / "mappings")

    def configured(self, **files: Any) -> Project:
        """As ``project``, but only to read its configuration: its home is that of all."""
        mappings = self.folder / f"mappings-{next(self._numbers)}"
        shutil.copytree(self.template / "mappings", mappings)
        for stem, document in files.items():
            (mappings / f"{stem}.yaml").write_text(yaml.safe_dump(document))
        return Project(self.template, self.template / "inbox", mappings)

    def of_sources(self, sources: Mapping[str, Any]) -> dict[str, Any]:
        """What such sources make of the inbox: the same once for the same sources."""
        text = yaml.safe_dump(sources)
        if text not in self._made:
            self._made[text] = self.resolved(self.project(sources={"sources": sources}))
        return self._made[text]

    def resolved(self, project: Project) -> dict[str, Any]:
        """Relation → its rows, as far as they do not depend on the clock.

        Raises:
            ConfigError: the configuration is refused. A file that does not fit it is a result.
        """
        try:
            for name in ("land", "stage", "validate", "resolve", "match"):
                run_stage(name, Run(project, DAY))
        except InputError as error:
            return {"refused": str(error).replace(str(project.home), "")}
        with Batch(project, DAY).connect() as connection, project.state.attach(connection):
            rows = {name: self._rows(project, connection, name) for name in READ}
            connection.execute(
                "create temp table differences_contact as"
                " select person_key as key, 'LastName' as field from people"
            )
            project.warehouse.bind(connection, "org_match_contact", [DAY])
            namers = namers_sql(project.object_mappings["contact"])
            query = f"select reference, trusted from ({namers}) order by all"
            return {**rows, "namers": connection.execute(query).fetchall()}

    def _rows(self, project: Project, connection: Any, name: str) -> list[Any]:
        project.warehouse.bind(connection, name, [DAY])
        columns = [row[0] for row in connection.execute(f"describe {name}").fetchall()]
        listed = ", ".join(f'"{one}"' for one in columns if one not in VOLATILE)
        rows: list[Any] = connection.execute(f"select {listed} from {name} order by all").fetchall()
        return rows


@pytest.fixture(scope="session")
def law(tmp_path_factory: pytest.TempPathFactory) -> Law:
    template = tmp_path_factory.mktemp("template") / "home"
    shutil.copytree(
        PROJECT / "mappings", template / "mappings", ignore=shutil.ignore_patterns("__*")
    )
    (template / "mappings" / "sources.yaml").write_text(yaml.safe_dump({"sources": SOURCES}))
    for name, content in INBOX.items():
        source, file = name.split("/")
        path = template / "inbox" / source / DAY.isoformat() / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    book = template / "inbox" / "book" / DAY.isoformat() / "book.xlsx"
    book.parent.mkdir(parents=True)
    _write_workbook(book)
    prepare(Project(template, template / "inbox", template / "mappings"))
    return Law(tmp_path_factory.mktemp("law"), template)


_CELL = '<c t="inlineStr"><is><t>{}</t></is></c>'


def _write_workbook(path: Path) -> None:
    """A workbook with a person on each of its sheets."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    listed, relations = "", ""
    with zipfile.ZipFile(path, "w") as book:
        for number, name in enumerate(SHEETS, start=1):
            rows = (("ID", "Last Name", "Email"), (name, name, f"{name}@book.org"))
            cells = "".join("<row>" + "".join(map(_CELL.format, row)) + "</row>" for row in rows)
            book.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f"<worksheet {main}><sheetData>{cells}</sheetData></worksheet>",
            )
            listed += f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"/>'
            relations += (
                f'<Relationship Id="r{number}" Type="{office}/worksheet"'
                f' Target="worksheets/sheet{number}.xml"/>'
            )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{relations}</Relationships>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1"'
            f' Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')
