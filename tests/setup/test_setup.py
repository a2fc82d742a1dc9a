"""What an org lacks is made, shown to us and checked; what is there stays."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.config import PROJECT
from pipelines.errors import ConfigError
from pipelines.local_org import control
from pipelines.org.setup import set_up
from pipelines.org.snapshot import bind_home
from pipelines.project import Project
from pipelines.salesforce.session import Session
from pipelines.stages import run_batch
from pipelines.sync.mapping.named_objects import ROUTED

TEMPLATE = PROJECT / "pipelines" / "local_org" / "catalog" / "org.yaml"


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Project]:
    """A project whose org has no key fields yet, but one of the wrong kind."""
    project = Project(home=tmp_path, inbox=tmp_path / "inbox", mappings=PROJECT / "mappings")
    document = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    document["fields"] = {}
    project.local_org.mkdir()
    (project.local_org / "org.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    control.start(project.local_org)
    yield project
    control.stop(project.local_org)


def test_the_fields_are_made_granted_and_seen_and_nothing_is_made_twice(bare: Project) -> None:
    reported: list[str] = []
    set_up(bare, reported.append)
    assert [line for line in reported if line.startswith("made the field")] == [
        f"made the field {name}.Causeway_Key__c" for name in ROUTED
    ]
    with bare.org() as org:
        for name in ROUTED:
            [field] = [
                field
                for field in org.describe(name)["fields"]
                if field["name"] == "Causeway_Key__c"
            ]
            assert (field["length"], field["externalId"], field["unique"]) == (36, True, True)
            assert (field["createable"], field["updateable"]) == (True, True)
    again: list[str] = []
    set_up(bare, again.append)
    assert again == []


def test_a_field_that_is_there_but_invisible_is_only_granted(bare: Project) -> None:
    metadata = {
        "label": "Causeway Key",
        "type": "Text",
        "length": 36,
        "externalId": True,
        "unique": True,
    }
    with bare.org() as org:
        body = {"FullName": "Lead.Causeway_Key__c", "Metadata": metadata}
        org.session.post("tooling/sobjects/CustomField", json=body)
    reported: list[str] = []
    set_up(bare, reported.append)
    assert "made the field Lead.Causeway_Key__c" not in reported
    assert "Causeway may read and edit Lead.Causeway_Key__c" in reported


def test_a_setup_that_dies_after_every_write_comes_to_its_end(
    bare: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps nothing in the home: what is missing it sees by looking at the org."""

    class Killed(BaseException):
        """No handler may stop it."""

    send = Session.request

    def killed(self: Session, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        answer = send(self, method, url, *args, **kwargs)
        if method in ("POST", "PATCH"):
            raise Killed
        return answer

    deaths = 0
    with monkeypatch.context() as patch:
        patch.setattr(Session, "request", killed)
        while deaths < 30:
            try:
                set_up(bare, lambda line: None)
                break
            except Killed:
                deaths += 1
    assert 8 <= deaths < 30
    again: list[str] = []
    set_up(bare, again.append)
    assert again == []
    with bare.org() as org:
        for name in ("PermissionSet", "PermissionSetAssignment"):
            condition = "Name" if name == "PermissionSet" else "PermissionSet.Name"
            made = org.query(f"select Id from {name} where {condition} = 'Causeway'")
            assert len(list(made)) == 1


def test_a_field_of_the_wrong_kind_is_left_and_an_admin_is_told_what_to_do(bare: Project) -> None:
    with bare.org() as org:
        metadata = {"label": "Causeway Key", "type": "Text", "length": 36}
        body = {"FullName": "Lead.Causeway_Key__c", "Metadata": metadata}
        org.session.post("tooling/sobjects/CustomField", json=body)
    with pytest.raises(ConfigError, match=r"lead\.yaml:\d+: .*not both External Id and unique"):
        set_up(bare, print)


def test_a_home_stays_with_its_org(tmp_path: Path) -> None:
    project = Project(home=tmp_path, inbox=tmp_path / "inbox", mappings=PROJECT / "mappings")
    bind_home(project, "00D000000000001AAA")
    bind_home(project, "00D000000000001AAA")
    with pytest.raises(ConfigError, match=r"belongs to the org 00D000000000001AAA.*--home"):
        bind_home(project, "00D000000000002AAA")


def test_a_production_org_is_read_and_planned_but_never_written_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAUSEWAY_HOME", str(tmp_path))
    (tmp_path / "inbox").mkdir()
    project = Project.of()
    document = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    document["organization"]["sandbox"] = False
    project.local_org.mkdir()
    (project.local_org / "org.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    control.start(project.local_org)
    try:
        result = run_batch(project, datetime.now(UTC).date())
    finally:
        control.stop(project.local_org)
    assert result.failed_step == "salesforce_account", result.error
    assert isinstance(result.error, ConfigError)
    assert "production: true" in str(result.error)
