"""The org that a home is bound to: its fields under version control, and going over to another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import PROJECT
from pipelines.org import describes
from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.named_objects import ROUTED


@pytest.fixture(scope="module")
def home(causeway: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("bound")
    assert causeway("org", "start", home=folder).code == 0
    yield folder
    causeway("org", "stop", home=folder)


@pytest.fixture
def mappings(tmp_path: Path) -> Path:
    folder = tmp_path / "mappings"
    shutil.copytree(PROJECT / "mappings", folder)
    shutil.rmtree(folder / describes.SAVED)
    return folder


def test_fields_are_saved_compared_and_checked_against_without_an_org(
    causeway: Any, home: Path, mappings: Path, tmp_path: Path
) -> None:
    environ = {"CAUSEWAY_MAPPINGS": str(mappings)}
    lone = tmp_path / "lone"
    assert "org describe --save" in causeway("check", home=lone, **environ).err

    assert causeway("org", "describe", "--save", home=home, **environ).code == 0
    contact = mappings / describes.SAVED / "Contact.json"
    first = contact.read_bytes()
    assert causeway("org", "describe", "--save", home=home, **environ).code == 0
    assert contact.read_bytes() == first
    assert causeway("check", home=lone, **environ).code == 0

    document = json.loads(contact.read_text())
    document["fields"]["Fax"]["length"] = 7
    contact.write_text(json.dumps(document))
    checked = causeway("check", "--json", home=home, **environ)
    assert (checked.code, checked.document["drift"]) == (0, ["Contact.Fax: length is 40, was 7"])
    del document["fields"]["Fax"]
    contact.write_text(json.dumps(document))
    refused = causeway("check", home=lone, **environ)
    assert refused.code == 2
    assert "no field Fax" in refused.err
    contact.write_text("{}")
    assert "Contact.json" in causeway("check", home=lone, **environ).err


def test_what_ships_is_checked_without_an_org(causeway: Any, tmp_path: Path) -> None:
    assert sorted(describes.saved(PROJECT / "mappings") or ()) == sorted(ROUTED)
    ran = causeway("check", "--json", home=tmp_path)
    assert (ran.code, ran.document) == (0, {"problems": [], "drift": [], "notices": []})


def test_drift_names_every_difference() -> None:
    def schema(*fields: Field) -> dict[str, dict[str, Field]]:
        return {"Lead": {field.field: field for field in fields}}

    fax = Field("Lead", "Fax", "Fax", "phone", length=40)
    old = Field("Lead", "Rating", "Rating", "picklist", picklist_values=["Hot", "Cold"])
    new = Field("Lead", "Rating", "Rank", "picklist", picklist_values=["Hot", "Warm"])
    assert list(describes.drift(schema(fax, old), schema(new))) == [
        "Lead.Fax is gone",
        "Lead.Rating: label is Rank, was Rating",
        "Lead.Rating: picklist_values lost Cold",
        "Lead.Rating: picklist_values gained Warm",
    ]
    assert list(describes.drift(schema(old), schema(old, fax))) == ["Lead.Fax is new"]


def test_a_home_goes_over_to_another_org_only_when_told_to(causeway: Any, home: Path) -> None:
    old = "00D000000000001EAA"
    set_aside = home / "orgs" / old / "undone.parquet"
    set_aside.parent.mkdir(parents=True)
    set_aside.touch()
    (home / "organization").write_text(old)
    assert causeway("org", "status", "--json", home=home).document["bound"] == {
        "organization_id": old,
        "read_at": {},
    }
    unanswered = causeway("org", "switch", home=home)  # nobody is there to answer
    assert unanswered.code != 0
    assert old in unanswered.err
    assert (home / "organization").read_text() == old

    done = causeway("org", "switch", "--yes", "--json", home=home)
    assert (done.code, done.document["from"]) == (0, old)
    assert (home / "organization").read_text() == done.document["to"] != old
    assert set_aside.exists()
    assert "already" in causeway("org", "switch", home=home).out
