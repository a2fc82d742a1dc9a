"""The snapshot of a home: what it demands of the org, what it says, and what people then see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pipelines.batch import Batch
from pipelines.errors import ConfigError
from pipelines.local_org import control
from pipelines.org import snapshot
from pipelines.org.setup import set_up
from pipelines.relations import prepare
from pipelines.salesforce.errors import LimitReached
from pipelines.salesforce.rows import Load
from pipelines.sql import read_sql

if TYPE_CHECKING:
    from pipelines.salesforce.org import Org

FAR = datetime(2100, 1, 1, tzinfo=UTC)
DAY, NEXT = date(2026, 11, 5), date(2026, 11, 6)


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(org=False)
    control.start(new_chain.project.local_org, faults=True)
    prepare(new_chain.project)
    return new_chain


@pytest.fixture
def org(chain: Any) -> Iterator[Org]:
    with chain.project.org() as org:
        yield org


def rows(relations: list[Any]) -> dict[str, int]:
    return {written.relation: written.rows for written in relations}


def write(org: Org, operation: Any, *records: dict[str, Any]) -> list[str]:
    results = org.collections(Load("Contact", operation), list(records))
    assert all(result.success for result in results), results
    return [str(result.id) for result in results]


def test_a_batch_holds_what_it_read_and_people_see_the_org_as_it_is(chain: Any, org: Org) -> None:
    first, second = write(org, "insert", {"LastName": "Stays"}, {"LastName": "Before"})
    assert rows(snapshot.take(Batch(chain.project, DAY)))["org_contact"] == 2
    write(org, "update", {"Id": second, "LastName": "After"})
    row_counts = rows(snapshot.take(Batch(chain.project, NEXT)))
    assert (row_counts["org_contact"], row_counts["org_user"]) == (1, 0)
    names = {row["Id"]: row["LastName"] for row in chain.read("org_contact")}
    assert names == {first: "Stays", second: "After"}
    assert [row["Id"] for row in chain.read("org_contact_by_batch", NEXT)] == [second]
    with Batch(chain.project, DAY).connect() as connection:
        chain.project.bind_org(connection, "Contact", "records")
        assert len(connection.sql("from records")) == 2


def test_what_is_made_from_the_org_follows_the_mirror_not_the_batch(
    chain: Any, org: Org, tmp_path: Path
) -> None:
    file = tmp_path / "known_contacts.sql"
    file.write_text('-- Contacts.\n-- owner: team:crm\nselect "Id" from org_contact\n')
    make = partial(Batch(chain.project, DAY).run_sql, read_sql(file))
    snapshot.take(Batch(chain.project, DAY))
    snapshot.take(Batch(chain.project, DAY))  # reads nothing, and its file says so
    before = make().rows
    write(org, "insert", {"LastName": "Read by another batch"})
    snapshot.take(Batch(chain.project, NEXT))
    assert make().rows == before + 1
    assert not list(chain.home.glob("stage/*/*/.*.tmp"))


def test_refresh_tells_what_changed_since_and_costs_few_calls(chain: Any, org: Org) -> None:
    project = chain.project
    snapshot.refresh(project, org, "Contact")
    [record] = write(org, "insert", {"LastName": "New", "Phone": "1"})
    refreshed = snapshot.refresh(project, org, "Contact")
    with project.warehouse.connect() as connection:
        changed = connection.read_parquet(str(refreshed.delta)).to_arrow_table().to_pylist()
    assert [(row["Id"], row["Phone"], row["LastModifiedById"]) for row in changed] == [
        (record, "1", org.user_id)
    ]
    before = org.session.api_usage
    assert snapshot.refresh(project, org, "Contact").records == 0
    assert before is not None
    assert org.session.api_usage is not None
    assert org.session.api_usage[0] - before[0] <= 3  # how many touched, these, how many in all


def test_a_snapshot_that_breaks_off_says_that_nothing_of_it_counts(chain: Any, org: Org) -> None:
    snapshot.take(Batch(chain.project, DAY))
    before = chain.read("org_contact")
    write(org, "insert", {"LastName": "Never seen"})
    limit = {"kind": "refuse", "status": 403, "path": "/queryAll"}
    control.inject(chain.project.local_org, limit)
    with pytest.raises(LimitReached, match=r"snapshot of Account broke off.*mirror is as it was"):
        snapshot.take(Batch(chain.project, DAY))
    control.inject(chain.project.local_org)
    assert chain.read("org_contact") == before


@contextmanager
def without_view_all(org: Org) -> Iterator[None]:
    """Take the right to see everything from the profile's permission set."""
    [granted] = org.query("select Id from PermissionSet where PermissionsViewAllData = true")
    url = f"sobjects/PermissionSet/{granted['Id']}"
    org.session.patch(url, json={"PermissionsViewAllData": False})
    yield
    org.session.patch(url, json={"PermissionsViewAllData": True})


def test_who_does_not_see_every_record_is_stopped_until_the_setup_grants_it(
    chain: Any, org: Org
) -> None:
    with without_view_all(org):
        with pytest.raises(ConfigError, match=r"may not read every Account and every Contact"):
            snapshot.take(Batch(chain.project, DAY))
        reported: list[str] = []
        set_up(chain.project, reported.append)
        assert "Causeway may read every Lead" in reported
        snapshot.take(Batch(chain.project, DAY))
        set_up(chain.project, reported.append)
        assert len(reported) == len(set(reported))  # nothing was granted twice


@pytest.mark.parametrize("unsaid", [False, True], ids=["a change", "hidden without a word"])
def test_a_lost_key_field_is_told_before_anything_is_written(make_chain: Any, unsaid: bool) -> None:
    chain = make_chain()
    prepare(chain.project)
    snapshot.take(Batch(chain.project, DAY))
    chain.stop_org()
    setup = chain.project.local_org / "org.yaml"
    document = yaml.safe_load(setup.read_text())
    del document["fields"]["Lead"]["Causeway_Key__c"]
    setup.write_text(yaml.safe_dump(document))
    chain.start_org()
    if unsaid:  # the org calls its describe unchanged, and only a query tells
        description_file = next(chain.home.glob("orgs/*/describe/Lead.json"))
        described = json.loads(description_file.read_text()) | {
            "last_modified": format_datetime(FAR, usegmt=True)
        }
        description_file.write_text(json.dumps(described))
        [record] = next(chain.home.glob("orgs/*/snapshot/lead")).glob("manifest.json")
        record.unlink()
    with pytest.raises(ConfigError, match=r"lead\.yaml:\d+: .*causeway org setup"):
        snapshot.take(Batch(chain.project, DAY))


def test_another_org_behind_the_same_name_stops_the_run(chain: Any) -> None:
    bound = chain.home / "organization"
    own = bound.read_text()
    bound.write_text("00D000000000001EAA")
    with pytest.raises(ConfigError, match="causeway org switch") as refused:
        snapshot.take(Batch(chain.project, DAY))
    assert refused.value.exit_code == 2
    bound.write_text(own)
