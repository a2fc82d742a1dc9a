"""The SQL of validation: what gathers failures, and what splits a relation by them.

All of it works on one temporary table, ``failures``: a row per staged row and reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.sources.relations import RAW
from pipelines.warehouse import literal, parquet_sql

ORIGIN = ("_source", "_file", "_row")
"""What tells one landed row from every other."""

KINDS = ("Unreadable", "Mandatory Values", "Data Format", "Duplicates", "Reference")
"""Every kind of reason, in the order in which a row's reasons are told."""

VERSIONED = ("contacts", "customers", "subscribers")
"""Entities of which several rows with one id are versions of it; any other's id is one row's."""

_ORIGIN = ", ".join(ORIGIN)
_KINDS = ", ".join(map(literal, KINDS))


@dataclass(frozen=True)
class Rule:
    """One rule as people are told it; ``warns`` means that it counts rows and rejects none."""

    kind: str
    name: str
    field: str
    message: str
    warns: bool = False


@dataclass(frozen=True)
class Reference:
    """A column that names a record of another relation, or of an earlier batch."""

    field: str
    parent: str
    message: str

    @property
    def rule(self) -> Rule:
        """The reference as a rule among the others."""
        return Rule("Reference", "reference", self.field, self.message)


def failures_sql() -> str:
    """The table of failures, empty."""
    return """
        create or replace temp table failures (
            _source varchar,
            _file varchar,
            _row bigint,
            kind varchar,
            rule varchar,
            field varchar,
            value varchar,
            message varchar
        )
    """


def blanks_sql() -> str:
    """The table of cells that are left out because their value is none, empty."""
    return """
        create or replace temp table blanks (
            _source varchar,
            _file varchar,
            _row bigint,
            field varchar,
            rule varchar,
            value varchar
        )
    """


def blank_sql(rule: Rule) -> str:
    """Keep the rows of the relation ``violation`` (origin and value) as blanks of the rule."""
    return f"""
        insert into blanks
        select {_ORIGIN}, {literal(rule.field)}, {literal(rule.name)}, value
        from violation
    """


def blanked_sql(entity: str) -> str:
    """Rows of ``stg_<entity>`` with their blanks in ``_blanked`` and nothing in their columns."""
    return f"""
        create or replace temp table blanked as
        with reasons as (
            select {_ORIGIN}, field, any_value(value) as value, min(rule) as why
            from blanks
            group by {_ORIGIN}, field
        )
        select
            {_ORIGIN},
            list(reasons.field) as fields,
            map_from_entries(
                list(
                    {{
                        'k': reasons.field,
                        'v': {{
                            'value': coalesce(
                                stg._blanked ->> ('$.' || reasons.field || '.value'), reasons.value
                            ),
                            'why': reasons.why
                        }}
                    }}
                    order by reasons.field
                )
            )::json as cells
        from reasons
        inner join stg_{entity} as stg using ({_ORIGIN})
        group by {_ORIGIN}
    """


def count_sql(relation: str, column: str) -> str:
    """Rows of a relation in which the column has a value; ``*`` counts them all."""
    return f"select count({column}) from {relation}"


def judged_sql(entity: str, columns: Sequence[str]) -> str:
    """What the schema sees of each row; of an unreadable line there is nothing to see."""
    return f"select {', '.join(columns)}, {_ORIGIN} from stg_{entity} where _defect is null"


def violation_sql(rule: Rule) -> str:
    """Keep the rows of the relation ``violation`` (origin and value) as failures of the rule."""
    return f"""
        insert into failures
        select {_ORIGIN}, {_rule_sql(rule)}, value, {literal(rule.message)}
        from violation
    """


def unreadable_sql(entity: str, rule: Rule) -> str:
    """Lines that landed as a defect."""
    return f"""
        insert into failures
        select {_ORIGIN}, {_rule_sql(rule)}, null, {literal(rule.message)} || ': ' || _defect
        from stg_{entity}
        where _defect is not null
    """


def repeated_sql(entity: str) -> str:
    """The table ``repeated``: ids that several rows have."""
    return f"""
        create or replace temp table repeated as
        select source, source_id
        from stg_{entity}
        where source_id is not null
        group by source, source_id
        having count(*) > 1
    """


def duplicates_sql(entity: str, rule: Rule) -> str:
    """Of the good rows with one id all but the newest, of equally new ones all but the last.

    Where rows become records of people (``VERSIONED``), only rows that say the very same: of those
    that say more, each is a version.
    """
    versioned = entity in VERSIONED
    raw = "".join(f", raw.{name}" for name in (*RAW[f"raw_{entity}"], "_extra"))
    landed = f"inner join raw_{entity} as raw using ({_ORIGIN})" if versioned else ""
    return f"""
        insert into failures
        with failed as (
            select distinct {_ORIGIN} from failures
        ),
        ranked as (
            select
                {", ".join(f"stg.{name}" for name in ORIGIN)},
                stg.source_id,
                row_number() over newest_first as place,
                first_value(failed._row is null) over newest_first as one_is_good,
                first_value(stg._file || ':' || stg._row) over newest_first as newest
            from stg_{entity} as stg
            inner join repeated using (source, source_id)
            left join failed using ({_ORIGIN})
            {landed}
            window newest_first as (
                partition by stg.source, stg.source_id{raw if versioned else ""}
                order by failed._row is not null, stg.as_of desc, stg._file desc, stg._row desc
            )
        )
        select
            {_ORIGIN},
            {_rule_sql(rule)},
            source_id,
            {literal(rule.message)} || '; kept is ' || newest
        from ranked
        where place > 1 and one_is_good
    """


def references_sql(entity: str, reference: Reference) -> str:
    """Rows whose parent is nowhere in ``valid_parents``, or among the good rows beside them."""
    beside = f"""
            union all
            select source, source_id, {reference.field} as grandparent
            from stg_{entity} anti join failures using ({_ORIGIN})
    """
    itself = reference.parent == entity
    return f"""
        insert into failures
        with parents as (
            select source, source_id, {reference.field if itself else "null"} as grandparent
            from valid_parents
            {beside if itself else ""}
        ),
        children as (
            select
                {_ORIGIN},
                stg.{reference.field} as source_id,
                coalesce(config.parent_source, stg.source) as source
            from stg_{entity} as stg
            left join (select distinct source, parent_source from config_sources) as config
                using (source)
            where stg.{reference.field} is not null
        )
        select {_ORIGIN}, {_rule_sql(reference.rule)}, source_id, {literal(reference.message)}
        from children
        anti join (select source, source_id from parents where grandparent is null) as parents
            using (source, source_id)
    """


def renamed_sql(entity: str) -> str:
    """How many good rows may have an id that another one has as well, or are known by other ids."""
    return f"""
        select
            (
                select count(*)
                from ({valid_sql(entity)})
                semi join repeated using (source, source_id)
            )
            + (select count(alias_ids) from stg_{entity})
    """


def valid_sql(entity: str, fields: Sequence[str] = ()) -> str:
    """The staged rows that did not fail, without the cells of these fields that are ``blanked``."""
    if not fields:
        return f"select * from stg_{entity} anti join failures using ({_ORIGIN})"
    columns = ", ".join(
        f"case when not coalesce(list_contains(blanked.fields, {literal(field)}), false)"
        f" then stg.{field} end as {field}"
        for field in fields
    )
    return f"""
        select stg.* replace (
            {columns},
            case
                when blanked.cells is null then stg._blanked
                else json_merge_patch(coalesce(stg._blanked, '{{}}'), blanked.cells)
            end as _blanked
        )
        from (select * from stg_{entity} anti join failures using ({_ORIGIN})) as stg
        left join blanked using ({_ORIGIN})
    """


def blank_fields_sql() -> str:
    """The fields with blanks."""
    return "select distinct field from blanks order by field"


def versions_sql(query: str) -> str:
    """The rows of ``query``, each with an id of its own: of several with one the newest keeps it.

    It is what the others are also known by. Each stays a record of its own, so that nothing that
    one of them says is lost (a "no" least of all), and whether they are one person is for their
    names to say. What staging says that several are also known by is the newest one's, too.
    """
    newest = "order by as_of desc, _file desc, _row desc"
    return f"""
        with placed as (
            select
                *,
                row_number() over (partition by source, source_id {newest}) as place,
                row_number() over (partition by source, alias_ids {newest}) as heir
            from ({query})
        )
        select * exclude (place, heir) replace (
            source_id || case when place > 1 then '~' || place else '' end as source_id,
            case
                when place > 1 then [source_id]
                when heir = 1 then alias_ids
            end as alias_ids
        )
        from placed
    """


def former_sql(query: str) -> str:
    """The rows of ``query``, also known by the ids that they had when the day was validated last.

    A row is the one of then where it stands in the same line of the same file and shares its
    address or a word of its name: what is read of it may have changed with this program. It reads
    ``former``, the valid rows of then.
    """
    words = "string_split(norm_text(concat_ws(' ', {0}.first_name, {0}.last_name)), ' ')"
    return f"""
        select valid.* replace (
            nullif(
                list_sort(list_filter(
                    list_distinct(
                        coalesce(valid.alias_ids, [])
                        || coalesce(former.alias_ids, [])
                        || if(former.source_id is null, [], [former.source_id])
                    ),
                    lambda id: id <> valid.source_id
                )),
                []
            ) as alias_ids
        )
        from ({query}) as valid
        left join former
            on former._source = valid._source
            and former._file = valid._file
            and former._row = valid._row
            and (
                former.email = valid.email
                or list_has_any({words.format("former")}, {words.format("valid")})
            )
    """


def rejected_sql(entity: str) -> str:
    """The rows that failed, each with all its reasons and as it landed."""
    landed = ", ".join(f"{name} := raw.{name}" for name in (*RAW[f"raw_{entity}"], "_extra"))
    return f"""
        with failed as (
            select
                {_ORIGIN},
                list(
                    struct_pack(
                        kind := kind,
                        rule := rule,
                        field := field,
                        value := value,
                        message := message
                    )
                    order by list_position([{_KINDS}], kind), field, rule
                ) as reasons
            from failures
            group by {_ORIGIN}
        )
        select
            stg.source,
            stg.source_id,
            {_ORIGIN},
            stg._batch,
            failed.reasons,
            to_json(struct_pack({landed})) as raw
        from failed
        inner join stg_{entity} as stg using ({_ORIGIN})
        inner join raw_{entity} as raw using ({_ORIGIN})
    """


def kinds_sql() -> str:
    """How many rows each kind of validation rejected."""
    return f"""
        select kind, count(distinct ({_ORIGIN}))
        from failures
        group by kind
        order by list_position([{_KINDS}], kind)
    """


def counts_sql() -> str:
    """How many rows broke each rule."""
    return f"""
        select kind, rule, field, count(*)
        from failures
        group by kind, rule, field
        order by list_position([{_KINDS}], kind), field, rule
    """


def sample_sql(rejected: Path, rows: int) -> str:
    """The first rejected rows by file and line, their reasons as one text each."""
    return f"""
        select
            _file,
            _row,
            list_transform(
                reasons,
                lambda reason: concat_ws(
                    ': ', nullif(concat_ws(' ', reason.field, reason.value), ''), reason.message
                )
            )
        from {parquet_sql(rejected)}
        order by _file, _row
        limit {rows}
    """


def _rule_sql(rule: Rule) -> str:
    return f"{literal(rule.kind)}, {literal(rule.name)}, {literal(rule.field)}"
