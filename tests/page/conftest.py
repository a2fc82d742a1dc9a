"""Plans as values on disk, without an org: so many creates, hostile updates, one row that waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.config import PROJECT
from pipelines.plan.page import write_page
from pipelines.project import Project
from pipelines.relations import prepare
from pipelines.sync.mapping.fields import Field
from pipelines.sync.plan.save import Origin, save_plan
from pipelines.sync.plan.saved import Plan
from pipelines.warehouse import Warehouse

EVIL = [
    "</script><script>document.title = 'owned'</script>",
    "<img src=x onerror=\"document.title = 'owned'\">",
    '=HYPERLINK("http://evil.example","click")',
    "{{data}} ${document.title = 'owned'} javascript:alert(1)",
    "\u2028 'quotes' \"double\" \\ back",
]
ORIGIN = Origin(
    "2026-11-05",
    "00D000000000001AAA",
    "ada@x.org",
    {},
    instance_url="https://acme.my.salesforce.com",
    limits={"DailyApiRequests": {"Max": 100_000, "Remaining": 99_000}},
)
MakePlan = Callable[[int], Plan]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    new_project = Project(tmp_path, tmp_path / "inbox", PROJECT / "mappings")
    prepare(new_project)
    return new_project


@pytest.fixture
def make_plan(project: Project) -> MakePlan:
    """A plan of so many creates, hostile updates, a row that waits, one cut, one with a note."""
    mapping = project.object_mappings["contact"]
    schema = {
        name: Field("Contact", name, name, "string", length=255) for name in mapping.enabled()
    }
    filled = ("FirstName", "LastName", "Email", "Title")
    blanks = ", ".join(f'null::varchar as "{name}"' for name in schema if name not in filled)

    def make(creates: int) -> Plan:
        file = project.home / "plan_contact.parquet"
        with Warehouse(project.home).connect() as connection:
            connection.execute("create table evil (place integer, value varchar)")
            connection.executemany("insert into evil values (?, ?)", list(enumerate(EVIL)))
            connection.execute(f"copy ({_planned(creates, blanks)}) to '{file}' (format parquet)")
        plan = save_plan(
            project.home, ORIGIN, {"contact": file}, {"contact": mapping}, {"Contact": schema}
        )
        write_page(project, plan)
        return plan

    return make


def _planned(creates: int, others: str) -> str:
    nothing = "null::varchar as forecast, null::varchar as forecast_code"
    return f"""
        select *, {nothing}, null::varchar as forecast_message, {others}
        from (
            select 'p-' || n as key, 'create' as action, null::varchar as sf_id,
                null::varchar as reason, 'touched by the batch' as scope,
                ['FirstName', 'LastName', 'Email'] as changed,
                map([]::varchar[], []::varchar[]) as before, []::struct(
                    field varchar, decision varchar, before varchar, after varchar,
                    sent varchar, why varchar
                )[] as fields,
                'First' || n as "FirstName", 'Last' || n as "LastName",
                'p' || n || '@x.org' as "Email", null::varchar as "Title"
            from range({creates}) as made (n)
            union all
            select 'evil-' || place, 'update', '003000000000001AAA', null, 'record <b>changed</b>',
                ['Title'], map(['Title'], [value]), [{{
                    'field': 'Title', 'decision': 'conflict_source', 'before': value,
                    'after': value || '!', 'sent': null, 'why': value
                }}], value, 'Evil', value, value || '!'
            from evil
            union all
            select 'p-hold', 'hold', null, 'its Account waits', 'touched by the batch', [],
                map([]::varchar[], []::varchar[]), [], 'Holly', 'Hold', null, null
            union all
            select 'p-cut', 'update', '003000000000001AAA', null, 'touched by the batch', ['Title'],
                map(['Title'], ['CEO']), [{{
                    'field': 'Title', 'decision': 'truncated', 'before': 'CEO', 'after': 'Head of',
                    'sent': null, 'why': 'our value changed; cut from 300 to 255 characters'
                    || ' (too_long: truncate), without: Europe'
                }}], 'Cut', 'Short', null, 'Head of'
            union all
            select 'p-two', 'unchanged', '003000000000001AAA', 'the org has more than one Contact'
                || ' for it, also 003000000000009AAA (duplicates.contact: leave)',
                'touched by the batch', [], map([]::varchar[], []::varchar[]), [],
                'Gus', 'Twice', null, null
        )
    """


@pytest.fixture
def evil() -> list[str]:
    """Values that somebody would like to be more than text."""
    return EVIL
