"""The shipped mappings, compiled: kept as files, so that a change of theirs is seen in review.

To write them anew: ``GOLDEN=write pytest tests/sync/test_golden_sql.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from pipelines.sync.mapping.compile import desired_sql
from pipelines.sync.mapping.fields import Field, OrgSchema
from pipelines.sync.mapping.match import match_sql
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.mapping.values import mapping_columns
from pipelines.sync.plan.build import plan_sql
from pipelines.sync.plan.differences import differences_sql

GOLDEN = Path(__file__).parent / "golden"
STEMS = ("account", "contact", "lead")


@dataclass(frozen=True)
class Made:
    mappings: Mapping[str, ObjectMapping]
    schema: OrgSchema
    policies: Policies

    def fields(self, name: str) -> Mapping[str, Field]:
        return self.schema[self.mappings[name].object]


STAGES: dict[str, Callable[[Made, str], str]] = {
    "org_match": lambda made, name: match_sql(made.mappings[name], made.mappings, made.policies),
    "sf": lambda made, name: desired_sql(
        made.mappings[name], made.fields(name), made.mappings, made.policies
    ),
    "differences": lambda made, name: differences_sql(
        made.mappings[name], made.fields(name), made.policies
    ),
    "plan": lambda made, name: plan_sql(
        made.mappings[name], made.fields(name), made.policies, parent=name == "account"
    ),
}
READS = {
    "org_match_account": {"accounts", "org_account", "config_decisions"},
    "org_match_contact": {
        "people", "person_links", "account_links", "org_contact", "org_lead",
        "org_match_account", "config_decisions",
    },
    "org_match_lead": {"people", "person_links", "org_lead", "config_decisions"},
    "sf_account": {"accounts", "routes"},
    "sf_contact": {
        "people", "account_links", "routes", "org_account", "org_match_account",
        "org_match_contact", "org_match_lead",
    },
    "sf_lead": {"people", "routes"},
    **{
        f"differences_{name}": {f"sf_{name}", f"org_match_{name}", f"org_{name}"}
        for name in ("account", "contact", "lead")
    },
    **{
        f"plan_{name}": {
            f"{read}_{name}"
            for read in (
                "sf", "org_match", "differences", "ledger", "undone", "scope", "refused", "lost",
                "withdrawn", "namers", "open", "skips",
            )
        }
        for name in ("account", "contact", "lead")
    },
}  # fmt: skip
READS["plan_account"] |= {"needed_account", "awaited_account"}


@pytest.fixture(scope="module")
def made(mappings: dict[str, ObjectMapping], schema: OrgSchema, policies: Policies) -> Made:
    return Made(mappings, schema, policies)


@pytest.mark.parametrize("name", STEMS)
@pytest.mark.parametrize("stage", STAGES)
def test_the_sql_is_as_it_was_read_last(made: Made, stage: str, name: str) -> None:
    query = STAGES[stage](made, name)
    path = GOLDEN / f"{stage}_{name}.sql"
    if os.environ.get("GOLDEN") == "write":
        path.write_text(query, encoding="utf-8")
    assert query == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", STEMS)
@pytest.mark.parametrize("stage", STAGES)
def test_what_it_reads_can_be_seen_in_it(made: Made, stage: str, name: str) -> None:
    tree = sqlglot.parse_one(STAGES[stage](made, name), dialect="duckdb")
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    read = {table.name for table in tree.find_all(exp.Table)} - own
    # A work table may be called like the relation it imports.
    assert read | (own & READS[f"{stage}_{name}"]) == READS[f"{stage}_{name}"]


def test_lineage_names_the_golden_columns_of_each_field(made: Made) -> None:
    lineage = mapping_columns(made.mappings["contact"])
    assert lineage["key"] == ["person_key"]
    assert lineage["AccountId"] == ["account_key"]
    assert lineage["Phone"] == ["phone", "mailing_phone"]
    assert lineage["LastName"] == ["last_name"]
    assert mapping_columns(made.mappings["lead"])["LeadSource"] == ["lead_source"]
