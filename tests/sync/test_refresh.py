"""The mirror holds what the org holds, however it came about; nothing is read twice for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.local_org import control
from pipelines.org import describes, refresh
from pipelines.org.mirror import Manifest, read_manifest
from pipelines.org.refresh import OVERLAP, Reading, Refreshed, bring_up
from pipelines.salesforce.connection import load_connection
from pipelines.salesforce.errors import LimitReached
from pipelines.salesforce.org import Org
from pipelines.salesforce.rows import Load
from pipelines.sync.snapshot import snapshot_soql, snapshot_sql
from pipelines.warehouse import Warehouse, write_parquet

FIELDS = (
    "Id", "IsDeleted", "MasterRecordId", "CreatedDate", "LastModifiedDate", "LastModifiedById",
    "SystemModstamp", "Causeway_Key__c", "Name", "Description", "AnnualRevenue",
    "NumberOfEmployees", "ParentId",
)  # fmt: skip

MERGE = """<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Header><SessionHeader
xmlns="urn:partner.soap.sforce.com"><sessionId>{token}</sessionId></SessionHeader></Header><Body>
<merge xmlns="urn:partner.soap.sforce.com"><request><masterRecord><type>Account</type>
<Id>{master}</Id></masterRecord><recordToMergeIds>{victim}</recordToMergeIds></request></merge>
</Body></Envelope>"""


class Mirrored:
    """The Accounts of an org, written as people do and read as Causeway does."""

    def __init__(self, org: Org, home: Path, reading: Reading) -> None:
        self.org = org
        self.home = home
        self.reading = reading
        self.warehouse = Warehouse(home)

    @property
    def folder(self) -> Path:
        return self.home / "snapshot" / "account"

    @property
    def manifest(self) -> Manifest:
        manifest = read_manifest(self.folder)
        assert manifest is not None
        return manifest

    def refresh(self, reading: Reading | None = None) -> Refreshed:
        nothing = self.home / "nothing.parquet"
        with self.warehouse.connect() as connection:
            if not nothing.exists():
                listed = ", ".join(f'null::varchar as "{name}"' for name in FIELDS)
                write_parquet(connection, f"select {listed} where false", nothing)
            return bring_up(connection, reading or self.reading, self.folder, nothing)

    def org_contents(self) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return sorted(connection.execute(self.manifest.view_sql()).fetchall(), key=str)

    def read_in_full(self) -> list[tuple[Any, ...]]:
        soql = snapshot_soql("Account", FIELDS)
        pages = self.org.bulk_query(soql, self.home / "full", include_deleted=True)
        query = snapshot_sql(FIELDS, pages, self.reading.schema)
        with self.warehouse.connect() as connection:
            return sorted(connection.execute(query).fetchall(), key=str)

    def changed(self) -> list[dict[str, Any]]:
        """Refresh; the rows that differ from the mirror before."""
        refreshed = self.refresh()
        with self.warehouse.connect() as connection:
            delta = connection.read_parquet(str(refreshed.delta))
            rows: list[dict[str, Any]] = delta.to_arrow_table().to_pylist()
        assert len(rows) == refreshed.records
        return rows

    def age(self) -> None:
        """Let what was read count as read long ago."""
        path = self.folder / "manifest.json"
        later = (self.manifest.watermark + OVERLAP).isoformat()
        path.write_text(path.read_text().replace(self.manifest.watermark.isoformat(), later))

    def ids(self, *, deleted: bool = False) -> list[str]:
        where = "true" if deleted else "false"
        soql = f"select Id from Account where IsDeleted = {where} order by Id"
        return [row["Id"] for row in self.org.query(soql, include_deleted=True)]

    def insert(self, *names: str) -> list[str]:
        results = self.org.collections(Load("Account", "insert"), [{"Name": n} for n in names])
        return [str(result.id) for result in results]

    def update(self, record: str, **values: Any) -> None:
        [result] = self.org.collections(Load("Account", "update"), [{"Id": record, **values}])
        assert result.success, result.errors

    def delete(self, record: str) -> None:
        [result] = self.org.collections(Load("Account", "delete"), [{"Id": record}])
        assert result.success, result.errors

    def merge(self, master: str, victim: str) -> None:
        token = self.org.session.token.access_token.get_secret_value()
        answer = self.org.session.post(
            "/services/Soap/u/67.0",
            data=MERGE.format(token=token, master=master, victim=victim),
            headers={"Content-Type": "text/xml", "SOAPAction": "merge"},
        )
        assert "<success>true</success>" in answer.text, answer.text

    def purge(self, *records: str) -> None:
        """Delete for good, which only Bulk jobs can."""
        post, url = self.org.session.post, "jobs/ingest"
        job = post(url, json={"object": "Account", "operation": "hardDelete"}).json()["id"]
        body = "\n".join(("Id", *records, ""))
        headers = {"Content-Type": "text/csv"}
        self.org.session.put(f"{url}/{job}/batches", data=body, headers=headers)
        self.org.session.patch(f"{url}/{job}", json={"state": "UploadComplete"})
        while self.org.session.get(f"{url}/{job}").json()["state"] != "JobComplete":
            pass


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("org")
    control.start(home, faults=True)
    yield home
    control.stop(home)


@pytest.fixture
def mirrored(local: Path, tmp_path: Path) -> Iterator[Mirrored]:
    facts = control.status(local)
    connection = load_connection(None, orgs_file=tmp_path / "none.yaml", local=facts, environ={})
    with Org(connection) as org:
        describes.describe(org, tmp_path / "describe", ["Account"])
        schema = describes.last_described(tmp_path / "describe", "Account")
        pages = tmp_path / "pages"
        pages.mkdir()
        reading = Reading(org, "Account", FIELDS, schema, pages)
        yield Mirrored(org, tmp_path, reading)


steps = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update", "delete", "merge", "purge", "refresh", "age"]),
        st.integers(0, 999),
    ),
    min_size=1,
    max_size=9,
)


@settings(
    deadline=None,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=steps)
def test_the_mirror_is_what_a_full_read_finds(
    mirrored: Mirrored, steps: list[tuple[str, int]]
) -> None:
    mirrored.insert("So that there is something")
    mirrored.refresh()
    for step, number in steps:
        live, binned = mirrored.ids(), mirrored.ids(deleted=True)
        if step == "insert":
            mirrored.insert(*(f"Company {number}.{place}" for place in range(number % 4)))
        elif step in ("refresh", "age"):
            mirrored.refresh()
        elif step == "update" and live:
            values = {"AnnualRevenue": number / 8, "Description": f'"{number}",\n é'}
            mirrored.update(live[number % len(live)], NumberOfEmployees=number, **values)
        elif step == "delete" and live:
            mirrored.delete(live[number % len(live)])
        elif step == "merge" and len(live) > 1:
            at = number % (len(live) - 1)
            mirrored.merge(live[at], live[at + 1])
        elif step == "purge" and live + binned:
            mirrored.purge((live + binned)[number % len(live + binned)])
        if step == "age":
            mirrored.age()
    mirrored.refresh()
    assert mirrored.org_contents() == mirrored.read_in_full()
    assert mirrored.manifest.records == len(mirrored.org_contents())
    assert mirrored.changed() == []


def test_what_is_read_again_unchanged_does_not_count(mirrored: Mirrored) -> None:
    first, second = mirrored.insert("Read again", "Changed")
    mirrored.refresh()
    mirrored.update(second, Name="Changed now")
    assert [(row["Id"], row["Name"]) for row in mirrored.changed()] == [(second, "Changed now")]
    mirrored.purge(first)
    [tombstone] = mirrored.changed()
    assert {name: value for name, value in tombstone.items() if value} == {"Id": first}
    assert mirrored.changed() == []


def test_of_a_large_overlap_only_what_moved_is_read_again(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = mirrored.insert(*(f"Loaded {number}" for number in range(30)))
    mirrored.refresh()
    before = {row[0]: row for row in mirrored.org_contents()}
    stamp = before[records[0]][FIELDS.index("SystemModstamp")]
    soql = f"select SystemModstamp from Account where Id = '{records[0]}'"
    while True:  # until the org's clock shows another second
        mirrored.update(records[0], Name="Moved")
        [row] = mirrored.org.query(soql)
        if row["SystemModstamp"][:19] != stamp[:19]:
            break
    monkeypatch.setattr(refresh, "FEW", 5)
    monkeypatch.setattr(refresh, "SETTLED", -OVERLAP)  # all of the overlap counts as settled
    refreshed = mirrored.refresh()
    assert (refreshed.records, refreshed.full) == (1, False)
    assert mirrored.org_contents() == mirrored.read_in_full()
    read = [path.name for path in mirrored.reading.pages.glob("Account-ids-*.csv")]
    assert read == ["Account-ids-000000.csv"]


def test_a_small_change_leaves_the_base_alone_and_many_are_put_together(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = mirrored.insert(*(f"Many {number}" for number in range(200)))
    base = mirrored.refresh().mirror.base
    mirrored.update(records[0], Name="One")
    refreshed = mirrored.refresh()
    assert (refreshed.mirror.base, refreshed.records) == (base, 1)
    assert list(refreshed.mirror.deltas.values()) == [1]
    for number, record in enumerate(records[:60]):
        mirrored.update(record, Name=f"More {number}")
    refreshed = mirrored.refresh()
    assert refreshed.mirror.base != base
    assert refreshed.mirror.deltas == {}
    assert refreshed.records == 60  # what changed, though everything was written anew
    assert mirrored.org_contents() == mirrored.read_in_full()


@pytest.mark.parametrize("changed", ["fields", "user"])
def test_another_field_or_user_means_a_full_read(mirrored: Mirrored, changed: str) -> None:
    mirrored.insert("Somebody")
    mirrored.refresh()
    if changed == "fields":
        reading = replace(mirrored.reading, fields=(*FIELDS, "Website"))
    else:
        path = mirrored.folder / "manifest.json"
        path.write_text(path.read_text().replace(mirrored.org.user_id, "005000000000000AAA"))
        reading = mirrored.reading
    assert mirrored.refresh(reading).full
    assert not mirrored.refresh(reading).full


def test_a_reading_that_breaks_off_leaves_the_mirror_as_it_was(
    mirrored: Mirrored, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored.insert("Before")
    mirrored.refresh()
    before, unchanged = mirrored.manifest, mirrored.org_contents()
    mirrored.insert("After", "the break")
    for path in ("/queryAll", "/results"):
        monkeypatch.setattr(refresh, "FEW", 10_000 if path == "/queryAll" else 0)
        refused = {"kind": "refuse", "status": 403, "path": path}
        control.inject(local, refused)
        with pytest.raises(LimitReached):
            mirrored.refresh()
        control.inject(local)
        assert mirrored.manifest == before
        assert mirrored.org_contents() == unchanged
    assert len(mirrored.changed()) == 2


def test_a_lost_file_means_a_full_read(mirrored: Mirrored) -> None:
    mirrored.insert("Somebody")
    refreshed = mirrored.refresh()
    refreshed.delta.unlink()
    assert mirrored.refresh().full
    assert mirrored.org_contents() == mirrored.read_in_full()
