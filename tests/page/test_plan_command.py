"""``causeway plan``, as people and scripts read it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli import app
from pipelines.plan.page import page_of
from pipelines.project import Project
from pipelines.sync.plan.saved import Plan

MakePlan = Callable[[int], Plan]
Causeway = Callable[..., Result]


@pytest.fixture
def causeway(project: Project) -> Causeway:
    def run(*arguments: str) -> Result:
        command = ["--home", str(project.home), "plan", *arguments]
        return CliRunner().invoke(app, command, env={"NO_COLOR": "1"})

    return run


def test_the_summary_comes_first_then_each_field(causeway: Causeway, make_plan: MakePlan) -> None:
    plan = make_plan(3)
    output = causeway().output
    assert output.startswith(f"Plan {plan.plan_id}\nBatch 2026-11-05 · org 00D000000000001AAA")
    for text in (
        "its Account waits",
        "record <b>changed</b>",
        "API calls, 6 KB of storage (99,000 of 100,000 calls are left today)",
        "both changed it since we wrote it; conflict: source",
        "create    First0 Last0",
        "LastName   Last0",
        f"As a page: {page_of(plan)}",
    ):
        assert text in output
    assert output.index("API calls") < output.index("First0")
    assert "First2" not in causeway("--only", "conflicts").output
    assert "LastName" not in causeway("--object", "contact", "--field", "Email").output
    assert "and 8 more" in causeway("--limit", "2").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "reviews"], "Nothing is to be decided."),
        (["--only", "adopts"], "No row is among the adopts."),
        (["--only", "conflicts", "--field", "Email"], "No row is among the conflicts of Email."),
        (["--field", "Phone"], "No row says anything of Phone."),
    ],
)
def test_where_no_row_is_left_it_says_so(
    causeway: Causeway, make_plan: MakePlan, arguments: list[str], message: str
) -> None:
    make_plan(1)
    assert f"\n{message}\n" in causeway(*arguments).output
    for others in (["--only", "holds"], ["--limit", "0", *arguments], []):
        assert message not in causeway(*others).output


def test_scripts_get_the_same_as_json(causeway: Causeway, make_plan: MakePlan) -> None:
    plan = make_plan(3)
    document = json.loads(causeway(plan.plan_id, "--only", "holds", "--json").output)
    assert (document["plan_id"], document["blocked"]) == (plan.plan_id, [])
    assert document["cost"] == {"calls": 8, "batches": 0, "storage_kb": 6}
    [contact] = document["objects"]
    assert contact["actions"]["create"] == 3
    assert [row["reason"] for row in contact["rows"]] == ["its Account waits"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "everything"], "everything: write one of creates"),
        (["--object", "Lead"], "no Lead in this plan; it has Contact"),
        (["--field", "Shoe__c"], "no field Shoe__c in this plan"),
        (["2026-11-05-000000000000"], "there is no plan 2026-11-05-000000000000"),
    ],
)
def test_what_is_not_there_is_said(
    causeway: Causeway, make_plan: MakePlan, arguments: list[str], message: str
) -> None:
    make_plan(1)
    result = causeway(*arguments)
    assert result.exit_code != 0
    assert message in f"{result.output}{result.exception}"


def test_a_plan_that_was_edited_is_not_even_shown(causeway: Causeway, make_plan: MakePlan) -> None:
    plan = make_plan(1)
    header = plan.folder / "header.json"
    header.write_text(header.read_text().replace("ada@x.org", "eve@x.org"))
    result = causeway()
    assert "this plan was changed after it was saved" in str(result.exception)
