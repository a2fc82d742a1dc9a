"""Rules that a user declares in a file of their own, and the standard duplicate rules."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.local_org import control
from pipelines.local_org.catalog.load import TEMPLATE, load_catalog
from pipelines.local_org.catalog.rules import RulesSetup, check_rules, with_rules
from pipelines.local_org.catalog.setup_file import read_model, read_setup

RULES = """
standard_duplicate_rules: {Contact: alert, Account: block, Lead: off}
validation_rules:
  - {name: No test data, object: Lead, when: LastName ilike 'test%', message: Not here., field: LastName}
automations:
  - {name: Tidy, object: Lead, set: {Company: trim(upper(Company))}}
  - {name: Late, object: Lead, set: {Title: "'late'"}, after_seconds: 2}
"""  # noqa: E501


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("rules") / "mine.yaml"
    written.write_text(RULES)
    return written


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, file: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("ruled")
    control.start(folder, rules=file)
    yield folder
    control.stop(folder)


@pytest.fixture
def ruled(home: Path, rest_of: Any) -> Any:
    return rest_of(control.start(home))


def test_rules_of_a_file_hold_from_then_on(ruled: Any, home: Path, rest_of: Any) -> None:
    values = {"LastName": "Tester", "Company": " acme "}
    refused = ruled("POST", "sobjects/Lead", json=values).json()
    assert refused[0]["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    lead_id = ruled("POST", "sobjects/Lead", json=values | {"LastName": "Ito"}).json()["id"]
    assert ruled("GET", f"sobjects/Lead/{lead_id}").json()["Company"] == "ACME"
    control.stop(home)
    again = rest_of(control.start(home))
    assert again("POST", "sobjects/Lead", json=values).status_code == 400


def test_what_was_put_off_outlives_kill_9(ruled: Any, home: Path, rest_of: Any) -> None:
    org = control.status(home)
    lead_id = ruled("POST", "sobjects/Lead", json={"LastName": "Abe", "Company": "x"}).json()["id"]
    os.kill(org["pid"], signal.SIGKILL)
    while control.status(home)["running"]:
        time.sleep(0.01)
    again = rest_of(control.start(home))
    deadline = time.monotonic() + 20
    while again("GET", f"sobjects/Lead/{lead_id}").json()["Title"] != "late":
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("existing", "new", "alike"),
    [
        ({"FirstName": "Jonathan", "Email": "a@x.org"},
         {"FirstName": "Jon", "Email": "A@x.org"}, 1),
        ({"FirstName": "Jörg", "Phone": "(312) 555-0110"},
         {"FirstName": "Jorg", "Phone": "+1 312.555.0110"}, 1),
        ({"FirstName": "J.", "Phone": "1"}, {"FirstName": "Jane", "Phone": "1"}, 1),
        ({"FirstName": "Ann", "Phone": "1"}, {"FirstName": "Bob", "Phone": "1"}, 0),
        ({"FirstName": "Ann", "Phone": "1"}, {"FirstName": "Ann", "Phone": "2"}, 0),
        ({"FirstName": "Ann"}, {"FirstName": "Ann"}, 0),
        ({"Email": "b@x.org"}, {"FirstName": "Ann", "Email": "b@x.org"}, 1),
        ({"FirstName": "Ann", "MailingStreet": "1  Main st", "MailingCity": "Rome"},
         {"FirstName": "Anne", "MailingStreet": "1 main St", "MailingCity": "ROME"}, 1),
    ],
)  # fmt: skip
def test_contacts_are_compared_as_the_standard_rule_does(
    ruled: Any, key: str, existing: dict[str, str], new: dict[str, str], alike: int
) -> None:
    def own(values: dict[str, str]) -> dict[str, str]:
        """The values, unlike those of other tests."""
        mail = {"Email": key + values["Email"]} if "Email" in values else {}
        phone = {"Phone": key + values["Phone"]} if len(values.get("Phone", "")) == 1 else {}
        return {"LastName": "Smith"} | values | mail | phone

    first = ruled("POST", "sobjects/Contact", json=own(existing))
    assert first.status_code == 201, first.text
    answer = ruled("POST", "sobjects/Contact", json=own(new))
    assert answer.status_code == (400 if alike else 201), answer.text


def test_names_are_also_compared_swapped(ruled: Any, key: str) -> None:
    values = {"FirstName": "Akira", "LastName": "Mori", "Email": f"{key}@x.org"}
    ruled("POST", "sobjects/Contact", json=values)
    swapped = values | {"FirstName": "Mori", "LastName": "Akira"}
    assert ruled("POST", "sobjects/Contact", json=swapped).status_code == 400


def test_a_refusal_tells_what_was_found(ruled: Any, key: str) -> None:
    values = {"FirstName": "Ann", "LastName": "Ito", "Email": f"{key}@x.org"}
    first = ruled("POST", "sobjects/Contact", json=values).json()["id"]
    details = {"Sforce-Duplicate-Rule-Header": "includeRecordDetails=true"}
    error = ruled("POST", "sobjects/Contact", json=values, headers=details).json()[0]
    assert (error["errorCode"], error["message"]) == (
        "DUPLICATES_DETECTED",
        "Use one of these records?",
    )
    result = error["duplicateResult"]
    assert result["allowSave"] is True
    assert result["duplicateRule"] == "Standard_Contact_Duplicate_Rule"
    match = result["matchResults"][0]
    assert (match["entityType"], match["size"]) == ("Contact", 1)
    record = match["matchRecords"][0]["record"]
    assert (record["Id"], record["Email"]) == (first, f"{key}@x.org")
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert ruled("POST", "sobjects/Contact", json=values, headers=allow).status_code == 201


def test_a_block_lets_nothing_through(ruled: Any, key: str) -> None:
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    ruled("POST", "sobjects/Account", json={"Name": f"{key} Foods", "Website": f"{key}.org"})
    values = {"Name": f"{key} FOODS, Inc.", "Website": f"https://www.{key}.org/about"}
    error = ruled("POST", "sobjects/Account", json=values, headers=allow).json()[0]
    assert error["duplicateResult"]["allowSave"] is False


def test_later_chunks_of_a_job_repeat_earlier_ones(ruled: Any, key: str) -> None:
    lines = [f"Ann,Ito,{key}@x.org"] + [f"A,B{n},{key}{n}@x.org" for n in range(250)]
    lines += [f"Anne,Ito,{key}@x.org"]
    data = "FirstName,LastName,Email\n" + "\n".join(lines) + "\n"
    job = ruled.ingest(data, object="Contact", operation="insert")
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (252, 1)
    assert "DUPLICATES_DETECTED:Use one of these records?:--" in job["failedResults"]


def test_a_wrong_file_is_named_with_its_lines_and_not_kept(tmp_path: Path, file: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        "validation_rules:\n"
        "  - {name: One, object: Contact, message: x,\n"
        "     when: Nope is null}\n"
        "automations:\n"
        "  - {name: Two, object: Banana, set: {Title: upper(Title)}}\n"
    )
    home = tmp_path / "org"
    with pytest.raises(control.LocalOrgError) as refused:
        control.start(home, rules=wrong)
    assert f"{wrong}:3: One: " in str(refused.value)
    assert f"{wrong}:5: Two: there is no object Banana" in str(refused.value)
    assert not (home / "rules.yaml").exists()
    wrong.write_text("banana: 1\n")
    with pytest.raises(control.LocalOrgError, match=r"wrong\.yaml:1: banana"):
        control.start(home, rules=wrong)


def test_the_example_of_the_readme_is_right(tmp_path: Path) -> None:
    readme = Path(__file__).parents[2] / "README.md"
    file = tmp_path / "my_rules.yaml"
    file.write_text(
        readme.read_text("utf-8").split("```yaml\n# my_rules.yaml\n")[1].split("```")[0]
    )
    rules = read_model(file, RulesSetup)
    setup = read_setup(TEMPLATE)
    check_rules(file, rules, load_catalog(setup))
    merged = with_rules(setup, rules)
    actions = {rule.name: rule.action for rule in merged.duplicate_rules}
    assert actions["Standard_Contact_Duplicate_Rule"] == "alert"
    assert actions["Standard_Lead_Duplicate_Rule"] == "off"
    assert len(actions) == len(merged.duplicate_rules) == 4
