"""The law of renaming: a record of the org never quietly becomes another person's.

An update that would change first *and* last name to something incompatible is held, and so is one
that would change any of the two so and the e-mail address as well. Only the fields that would be
written are asked. What lets it pass is a line ``rename_ok`` in ``decisions.csv``, or a source whose
ids are trusted (``trust_id``) where the name comes from the very record the person's key was made
from.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.sync.decisions import FILE
from pipelines.sync.mapping.decided import references_sql
from pipelines.sync.mapping.fields import OPT_OUTS
from pipelines.sync.mapping.matched import DELETED
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.values import EXCLUDED
from pipelines.warehouse import literal

FIRST, LAST, EMAIL = "FirstName", "LastName", "Email"
RENAMES, RENAMED = "_renames", "_renamed"
"""Columns of the plan's work: why a rename is held, and what is said of one that may pass."""

ALONE = "_opt_out_alone"
"""The column that says that of a row which waits the opt-out is sent."""

ALONE_REASON = "only its opt-out is sent, the rest waits: "
"""How the reason of such a row begins; whoever keeps outcomes knows by it that the row waits."""

EXCLUDED_REASON = "only its opt-out is sent: "
"""How the reason begins of a row of which nothing else is ever sent; it does not wait."""

NAMERS = {"key": "varchar", "reference": "varchar", "trusted": "boolean", "line": "integer"}
"""The columns of ``namers_<object>``, see ``namers_sql``."""


def renamed_sql(mapping: ObjectMapping, compared: Sequence[str]) -> str:
    """Who would be renamed into somebody else: ``key`` and ``description``, from whom to whom.

    It reads ``decided``, whose ``before`` and ``after`` are wire values.
    """
    if not {FIRST, LAST}.intersection(compared):
        return "select null::varchar as key, null::varchar as description where false"
    standby = mapping.fields[LAST].default if LAST in mapping.fields else None
    blank = literal(str(standby)) if isinstance(standby, str) else "null"
    return _RENAMED.format(first=FIRST, last=LAST, email=EMAIL, blank=blank)


_RENAMED = """\
select
    key,
    '"' || concat_ws(' ', first_before, last_before) || '" to "'
        || concat_ws(' ', first_after, last_after) || '"'
        || case when readdressed then ' and from ' || email_before || ' to '
            || coalesce(email_after, 'no address') else '' end as description
from (
    select
        *,
        not names_agree(first_before, null, first_after, null) as other_first,
        not names_agree(null, last_before, null, last_after) as other_last,
        coalesce(email_before <> '', false) as readdressed
    from (
        select
            key,
            any_value(before) filter (where field = '{first}') as first_before,
            any_value(after) filter (where field = '{first}') as first_after,
            nullif(any_value(before) filter (where field = '{last}'), {blank}) as last_before,
            nullif(any_value(after) filter (where field = '{last}'), {blank}) as last_after,
            any_value(before) filter (where field = '{email}') as email_before,
            any_value(after) filter (where field = '{email}') as email_after
        from decided
        where sends and field in ('{first}', '{last}', '{email}')
        group by key
    )
)
where (other_first and other_last) or ((other_first or other_last) and readdressed)"""


def renames_columns() -> list[str]:
    """The columns ``RENAMES`` and ``RENAMED``, where ``renamed`` and ``namers`` are joined."""
    reason = f"'it would be renamed from ' || renamed.description || '; {FILE} can let it pass'"
    by_line = f"' as {FILE}:' || namers.line || ' allows'"
    free = f"case when namers.line is not null then {by_line} else ', by an id that is trusted' end"
    may = "coalesce(namers.trusted, false) or namers.line is not null"
    return [
        f"case when not ({may}) then {reason} end as {RENAMES}",
        f"case when {may} then 'renamed from ' || renamed.description || {free} end as {RENAMED}",
    ]


def rename_ok_sql(reference: str) -> str:
    """The line that lets a person take the new name."""
    return f"'rename_ok,' || csv_cell({reference}) || ','"


def alone_sql(opt_outs: Sequence[str]) -> str:
    """Whether a row that waits sends its opt-out all the same: a refusal waits for nobody.

    Only where the record is known and alive; it reads ``_changed`` and the desired values.
    """
    if not opt_outs:
        return f"false as {ALONE}"
    return (
        f"(reason is not null or _skip is not null or {EXCLUDED} is not null or _refused)"
        f" and sf_id is not null and _rule <> {literal(DELETED)} and not _undone"
        f" and len({out_sql(opt_outs)}) > 0 as {ALONE}"
    )


def out_sql(opt_outs: Sequence[str]) -> str:
    """The fields by which somebody is to be opted out, as a list."""
    cases = ", ".join(
        f"case when list_contains(_changed, '{name}') and {name} = 'true' then '{name}' end"
        for name in opt_outs
    )
    return f"list_filter([{cases}]::varchar[], lambda name: name is not null)"


def opt_outs_of(compared: Sequence[str]) -> list[str]:
    """The fields with an opt-out that a sync may change."""
    return [name for name in compared if name in OPT_OUTS]


def namers_sql(mapping: ObjectMapping) -> str:
    """The relation ``namers_<object>``: who gives a person the name, of those it may matter for.

    ``key``, ``reference`` (how ``decisions.csv`` names them, ``source:source_id``), ``trusted``
    (the ids of that source are, and the key was made from that very record) and ``line``, that of a
    decision ``rename_ok``. It reads the golden relation, ``person_links``, ``config_sources``,
    ``config_decisions``, ``state.person``, ``differences_`` and ``org_match_<object>``.
    """
    if mapping.from_ != "people":
        return (
            "select "
            + ", ".join(f"null::{kind} as {name}" for name, kind in NAMERS.items())
            + (" where false")
        )
    return _NAMERS.format(
        differences=relation("differences", mapping.stem),
        matched=relation("org_match", mapping.stem),
        names=f"{literal(FIRST)}, {literal(LAST)}",
        references=references_sql("rename_ok", mapping.key_column),
    )


_NAMERS = """\
with

concerned as (
    select key from {differences} where field in ({names})
    union
    select entity_key from {matched} where gone_id is not null or len(others) > 0
),

aliases as (
    select person_key as entity_key, unnest(aliases) as alias
    from people
    where len(aliases) > 0
),

givers as (
    select
        links.person_key,
        links.source,
        links.source_id,
        links.record
    from person_links as links
    semi join concerned on concerned.key = links.person_key
    join people on people.person_key = links.person_key
    where links.entity <> 'address'
    qualify row_number() over (
        partition by links.person_key
        order by
            people.values_from.name is distinct from links.source || '/' || links.source_id,
            links.rank
    ) = 1
),

allowed as (
    select entity_key, max(line) as line
    from (
        {references}
        union all
        select matched.entity_key, null, decision.line
        from config_decisions as decision
        join {matched} as matched on matched.sf_id = decision.reference
        where decision.kind = 'rename_ok'
    )
    group by entity_key
)

select
    givers.person_key as key,
    givers.source || ':' || givers.source_id as reference,
    coalesce(sources.trust_id and person.founder is not null, false) as trusted,
    allowed.line
from givers
left join config_sources as sources on sources.source = givers.source
left join state.person as person
    on person.person = key_number(givers.person_key)
    and person.founder = givers.record
left join allowed on allowed.entity_key = givers.person_key
"""
