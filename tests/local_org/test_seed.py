"""Records on request: the samples, and CSV files."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.local_org import control
from pipelines.local_org.catalog.load import TEMPLATE


@pytest.fixture(scope="module")
def home(org: dict[str, Any]) -> Path:
    return Path(org["ca_file"]).parent


def test_samples_come_once_with_duplicates_among_them(home: Path, rest: Any) -> None:
    counts = control.seed(home)
    assert all(count >= 10 for count in counts.values())
    assert control.seed(home) == dict.fromkeys(counts, 0)
    soql = "SELECT Name, Account.Name FROM Contact WHERE Email = 'jferris@brightwater.example.com'"
    assert sorted(r["Name"] for r in rest.query(soql)) == ["Jon Ferris", "Jonathan Ferris"]
    accounts = rest.query("SELECT Id FROM Account WHERE Name LIKE 'Brightwater Foods%'")
    assert len(accounts) == 2


def test_a_file_with_a_key_is_upserted_again_and_again(
    home: Path, rest: Any, key: str, tmp_path: Path
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes(
        f"Causeway_Key__c;LastName;Email\r\n{key};Öz;{key}@x.org\r\n".encode("utf-8-sig")
    )
    for _ in range(2):
        answer = control.seed_file(home, "Contact", file)
        assert (answer["operation"], answer["state"], answer["rows"]) == (
            "upsert",
            "JobComplete",
            1,
        )
    contacts = rest.query(f"SELECT LastName, Email FROM Contact WHERE Causeway_Key__c = '{key}'")
    assert contacts == [{"LastName": "Öz", "Email": f"{key}@x.org"}]


def test_a_file_without_a_key_is_taken_once(
    home: Path, rest: Any, key: str, tmp_path: Path
) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(f'LastName,Company\n"{key}","a\nb"\nIto,\n')
    answer = control.seed_file(home, "Lead", file)
    assert (answer["operation"], answer["rows"], answer["failed"]) == ("insert", 2, 1)
    assert "REQUIRED_FIELD_MISSING" in answer["errors"][0][0]
    assert set(control.seed_file(home, "Lead", file)) == {"loaded"}
    assert len(rest.query(f"SELECT Id FROM Lead WHERE LastName = '{key}'")) == 1


def test_bad_columns_are_named_with_file_and_line(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("First Name,Banana,IsDeleted,Email,email\nAnn,1,2,3,4\n")
    with pytest.raises(control.LocalOrgError) as refused:
        control.seed_file(home, "Contact", file)
    message = str(refused.value)
    assert (
        f"{file}:1: column 1, 'First Name': Contact has no such field; perhaps FirstName" in message
    )
    assert f"{file}:1: column 2, 'Banana': Contact has no such field" in message
    assert f"{file}:1: column 3, 'IsDeleted': nobody can write this field" in message
    assert f"{file}:1: column 5, 'email': the field has a column already" in message
    assert f"{file}:1: there is no column for LastName" in message


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "1: is empty"),
        (b"LastName,Email\nIto\nAbe,x@y.org\nOno,a,b\n", "2: has 1 values, but the header names 2"),
        (b"LastName,Email\n\xff\xfe,x\n", "is not UTF-8"),
    ],
)
def test_broken_files_are_refused_whole(
    home: Path, tmp_path: Path, content: bytes, problem: str
) -> None:
    file = tmp_path / "broken.csv"
    file.write_bytes(content)
    with pytest.raises(control.LocalOrgError, match=problem):
        control.seed_file(home, "Contact", file)
    with pytest.raises(control.LocalOrgError, match="no object Banana"):
        control.seed_file(home, "Banana", file)


def test_the_organization_is_what_the_set_up_says_now(tmp_path: Path, rest_of: Any) -> None:
    home = tmp_path / "org"
    facts = "SELECT Name, IsSandbox, OrganizationType, LastModifiedDate FROM Organization"
    [before] = rest_of(control.start(home)).query(facts)
    control.stop(home)
    [same] = rest_of(control.start(home)).query(facts)
    assert same == before
    control.stop(home)
    setup = (home / "org.yaml").read_text()
    setup = setup.replace("name: Causeway Local Org", "name: Another Name")
    (home / "org.yaml").write_text(setup.replace("sandbox: true", "sandbox: false"))
    [now] = rest_of(control.start(home)).query(facts)
    assert (now["Name"], now["IsSandbox"]) == ("Another Name", False)
    assert now["OrganizationType"] == before["OrganizationType"]
    control.stop(home)


def test_a_full_org_takes_nothing_new(tmp_path: Path, rest_of: Any) -> None:
    home = tmp_path / "org"
    home.mkdir()
    template = TEMPLATE.read_text()
    (home / "org.yaml").write_text(template.replace("DataStorageMB: 20480", "DataStorageMB: 1"))
    rest = rest_of(control.start(home))
    rows = "Causeway_Key__c,LastName\n" + "".join(f"k{n},L{n}\n" for n in range(700))
    spec = {"operation": "upsert", "externalIdFieldName": "Causeway_Key__c"}
    job = rest.ingest(rows, object="Contact", **spec)
    room = 700 - job["numberRecordsFailed"]
    assert 400 < room < 512
    assert (
        job["failedResults"].count("STORAGE_LIMIT_EXCEEDED:storage limit exceeded:--")
        == (job["numberRecordsFailed"])
    )
    contact = {"LastName": "one more"}
    refused = rest("POST", "sobjects/Contact", json=contact)
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "STORAGE_LIMIT_EXCEEDED")
    record = {"attributes": {"type": "Contact"}, **contact}
    [row] = rest("POST", "composite/sobjects", json={"records": [record]}).json()
    assert row["errors"][0]["statusCode"] == "STORAGE_LIMIT_EXCEEDED"
    assert rest("GET", "limits").json()["DataStorageMB"]["Remaining"] == 0
    # What is there may change, and what goes makes room for as much.
    [one, two] = rest.query("SELECT Id FROM Contact LIMIT 2")
    assert rest("PATCH", f"sobjects/Contact/{one['Id']}", json={"Title": "x"}).status_code == 204
    assert rest("DELETE", f"sobjects/Contact/{two['Id']}").status_code == 204
    assert rest("POST", "sobjects/Contact", json=contact).status_code == 201
    assert rest("POST", "sobjects/Contact", json=contact).status_code == 400
    control.stop(home)
