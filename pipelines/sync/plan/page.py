"""SQL of a plan's page: which rows it shows, and each as one JSON array."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pipelines.sync.plan.saved import ObjectPlan
from pipelines.sync.plan.show import payload_sql, rows_sql
from pipelines.warehouse import literal

LINES = 5  # of source files, per record; nobody reads more


def requested_sql(part: ObjectPlan, payload: Path, limit: int) -> str:
    """The rows that a page shows: of each action the first, by key.

    What is unchanged is shown only where there is something to say of it.
    """
    rows = payload_sql(payload)
    # Keys first: a value is only looked at where it is shown.
    first = f"""\
select unnest(min(key, {limit:d})) as key
from {rows}
where action <> 'unchanged' or reason is not null or len(fields) > 0
group by action"""
    return rows_sql(part, f"(from {rows} semi join ({first}) using (key))")


def page_rows_sql(title: str, links: str) -> str:
    """Each row of ``requested`` as a JSON array, in the order of the page.

    The array: object, key, title, action, Id, reason, scope, forecast, its code, its message,
    fields (name, decision, before, after, why), source lines (file, line), and what to decide.

    Args:
        title: what stands for the object.
        links: as ``links_sql`` gives them.
    """
    return f"""\
with links as (
{links}
)
select json_array(
    {literal(title)}, requested.key, title, action, sf_id, reason, scope,
    forecast, forecast_code, forecast_message,
    list_transform(
        said,
        lambda change:
            json_array(change.field, change.decision, change.before, change.after, change.why)
    ),
    coalesce(links.lines, []), decide
)::varchar as row
from requested
left join links on links.key = requested.key
order by rank, requested.key"""


def links_sql(golden: Collection[str]) -> str:
    """The source lines that the shown records come from: ``key``, ``lines`` (file, line).

    Args:
        golden: the relations, of one or both, whose keys the records carry.
    """
    return "\n    union all\n".join(_links_sql(name) for name in sorted(golden))


def _links_sql(golden: str) -> str:
    key = "person_links.person_key" if golden == "people" else "account_links.account_key"
    account = "join account_links on account_links.person_key = person_links.person_key"
    return f"""\
    select key, list(json_array(file, line) order by file, line)[:{LINES}] as lines
    from (
        select distinct {key} as key, records._file as file, records._row as line
        from person_links
        {"" if golden == "people" else account}
        join person_records as records
            on records.record = person_links.record and records.batch = person_links.batch
        semi join requested on requested.key = {key}
    )
    group by key"""
