"""The folder of mappings: which files count, in which order they are written, what is refused."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from pipelines.config import PROJECT
from pipelines.errors import ConfigError
from pipelines.sync.mapping.folder import called, in_order, matches_sql, named, read_mappings
from pipelines.sync.mapping.model import ObjectMapping

SHIPPED = {
    stem: (PROJECT / "mappings" / f"{stem}.yaml").read_text(encoding="utf-8")
    for stem in ("account", "contact", "lead")
}


def text(object_name: str, fields: str = "Name: name", key: str = "Causeway_Key__c") -> str:
    return f"object: {object_name}\nfrom: accounts\nkey: {key}\nfields:\n  {fields}\n"


def read(folder: Path, files: dict[str, str]) -> dict[str, ObjectMapping]:
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return read_mappings(folder, {})


def shipped(folder: Path, **files: str) -> dict[str, ObjectMapping]:
    """The shipped mappings and further files, by stem."""
    every = SHIPPED | files
    return read(folder, {f"{stem}.yaml": content for stem, content in every.items()})


def problems(folder: Path, **files: str) -> list[tuple[str, int | None, str]]:
    with pytest.raises(ConfigError) as error:
        shipped(folder, **files)
    return [
        (Path(problem.file).name, problem.line, problem.message) for problem in error.value.problems
    ]


def test_a_mapping_is_known_by_its_stem_and_written_in_the_order_of_look_ups(
    tmp_path: Path,
) -> None:
    assert list(shipped(tmp_path)) == ["account", "contact", "lead"]
    case = text("Case", "ContactId: {lookup: Contact, by: account_key}")
    mappings = shipped(tmp_path, a_case=case, campaign=text("Campaign"), webinar=SHIPPED["lead"])
    assert list(mappings) == ["account", "campaign", "contact", "a_case", "lead", "webinar"]
    assert mappings["a_case"].object == "Case"


def test_the_order_does_not_depend_on_the_order_of_the_files(tmp_path: Path) -> None:
    mappings = shipped(tmp_path, webinar=SHIPPED["lead"])
    for order in permutations(mappings):
        assert [*in_order({stem: mappings[stem] for stem in order})] == [*mappings]


def test_other_files_of_the_folder_are_no_mappings(tmp_path: Path) -> None:
    for name in ("sources", "policies", "identity", "attributes"):
        (tmp_path / f"{name}.yaml").write_text("anything: 1\n")
    (tmp_path / ".contact.yaml").write_text("left by an editor")
    (tmp_path / "decisions.csv").write_text("kind,reference\n")
    assert list(shipped(tmp_path)) == ["account", "contact", "lead"]


def test_a_file_that_is_neither_is_refused(tmp_path: Path) -> None:
    [(file, line, message)] = problems(tmp_path, notes="who: knows\n")
    assert (file, line) == ("notes.yaml", 1)
    assert "is no mapping (it says no object:)" in message
    [(file, _, message)] = problems(tmp_path, notes=SHIPPED["lead"], **{"My-Leads": text("Lead")})
    assert file == "My-Leads.yaml"
    assert "name it in small letters, digits and _" in message


def test_a_file_with_another_ending_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "webinar.yml").write_text(SHIPPED["lead"])
    [(file, _, message)] = problems(tmp_path)
    assert file == "webinar.yml"
    assert ".yaml" in message


def test_every_problem_of_every_file_comes_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        read(
            tmp_path,
            {
                "account.yaml": "object: Account\nfrom: accounts\nfields: {Name: name}\n",
                "contact.yaml": "object: Contact\nfrom: peple\nkey: K__c\nfields: {A: a}\n",
            },
        )
    assert [(Path(p.file).name, p.line) for p in error.value.problems] == [
        ("account.yaml", 1), ("contact.yaml", 2), ("lead.yaml", None),
    ]  # fmt: skip


def test_whom_the_routes_make_something_of_there_must_be_a_mapping_for(tmp_path: Path) -> None:
    files = {f"{stem}.yaml": SHIPPED[stem] for stem in ("account", "lead")}
    with pytest.raises(ConfigError, match="no file maps Contact"):
        read(tmp_path, files)
    assert "people" in read(tmp_path, {"people.yaml": SHIPPED["contact"]})


def test_a_look_up_of_its_own_object_is_refused_with_its_line(tmp_path: Path) -> None:
    fields = "Name: name\n  ParentId: {lookup: Account, by: account_key}"
    [(file, line, message)] = problems(tmp_path, account=text("Account", fields))
    assert (file, line) == ("account.yaml", 6)
    assert "a look-up of Account from Account needs a second pass" in message


def test_a_circle_of_look_ups_is_refused_with_every_line(tmp_path: Path) -> None:
    fields = "Name: name\n  Boss__c: {lookup: Contact, by: account_key}"
    messages = problems(tmp_path, account=text("Account", fields), campaign=text("Campaign"))
    assert [(file, line) for file, line, _ in messages] == [
        ("account.yaml", 6),
        ("contact.yaml", 19),
    ]
    assert all("none of them can be written first" in message for *_, message in messages)


def test_what_is_switched_off_makes_no_circle(tmp_path: Path) -> None:
    fields = "Name: name\n  Boss__c: {lookup: Contact, by: account_key, enabled: false}"
    assert shipped(tmp_path, account=text("Account", fields))


def test_mappings_of_one_object_know_its_records_by_one_key(tmp_path: Path) -> None:
    [(file, line, message)] = problems(tmp_path, partner=text("Account", key="Other__c"))
    assert (file, line) == ("partner.yaml", 3)
    assert "account.yaml:11 knows records of Account by Causeway_Key__c" in message


def test_users_are_not_written(tmp_path: Path) -> None:
    [(file, line, message)] = problems(tmp_path, user=text("User"))
    assert (file, line) == ("user.yaml", 1)
    assert "users are looked up as owners, never written" in message


@pytest.mark.parametrize(
    ("name", "stems"),
    [
        ("Contact", ["contact"]),
        ("CONTACT", ["contact"]),
        ("Lead", ["lead", "webinar"]),
        ("lead", ["lead"]),
        ("Webinar", ["webinar"]),
    ],
)
def test_people_name_an_object_or_a_file(tmp_path: Path, name: str, stems: list[str]) -> None:
    mappings = shipped(tmp_path, webinar=SHIPPED["lead"])
    assert [mapping.stem for mapping in named(mappings, name)] == stems
    assert called(mappings)["contact"] == "Contact"
    assert called(mappings)["webinar"] == "Lead (webinar)"
    with pytest.raises(ConfigError, match=r"known are Account, Contact, Lead \(lead\)"):
        named(mappings, "Opportunity")


def test_all_matches_of_an_object_have_one_name(tmp_path: Path) -> None:
    assert matches_sql(shipped(tmp_path), "Contact") == "org_match_contact"
    mappings = shipped(tmp_path, webinar=SHIPPED["lead"])
    read = matches_sql(mappings, "Lead")
    assert "from org_match_lead union all by name from org_match_webinar" in read
    assert read.endswith(" as org_match_lead")
