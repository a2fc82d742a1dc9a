"""Which record of the org is whose: the ``match:`` of a mapping becomes one ``select``.

The rules are tried in the order of the mapping, the first that finds anything decides. A record
that carries a key belongs to that key alone; one that carries none may be adopted, by one entity:
where two reach it, neither does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.errors import InternalError
from pipelines.sync.mapping.compile import value_sql
from pipelines.sync.mapping.folder import matches_sql
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import converts
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal

NEEDS = {
    "key": (),
    "email": ("Email",),
    "name": ("Name",),
    "name_at_account": ("FirstName", "LastName", "AccountId"),
}
"""The fields a rule compares; the mapping has to fill them."""

AMBIGUOUS, DELETED, MERGED, CONVERTED = "ambiguous", "deleted", "merged", "converted"
"""What stands in ``rule`` where no record is matched, though there is one."""

ALIAS = "alias"
"""The rule that finds a record by a key which another one took over."""


def match_sql(mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping]) -> str:
    """The relation ``org_match_<mapping>``: one row per entity that the org knows.

    Columns: ``entity_key``; ``sf_id``, null where ``rule`` is ``ambiguous`` (two entities reach
    the record), ``deleted``, ``merged`` or ``converted`` (only such a record carries the key);
    ``rule``; ``candidates``, of which the oldest was taken; ``adopt``, true where the record has no
    key yet or that of somebody who turned out to be the same; ``alias``, the key of the latter;
    ``others``, further records that are the same entity by its keys or by the rule that decided;
    ``gone_id``, the Id of a record that is no match, of a merged one that of its master.

    Args:
        mapping: whose ``match:`` it is.
        mappings: all there are, by stem: a contact may be found by the match of its account.
    """
    rules = [rule for rule in mapping.match if rule != "key"]
    found = [
        "select entities.entity_key, records.sf_id, records.since, 0 as place, 'key' as rule\n"
        "    from entities\n    join records on records.key = entities.entity_key",
        f"select aliases.entity_key, records.sf_id, records.since, 1, {literal(ALIAS)}\n"
        "    from aliases\n    join records on records.key = aliases.alias",
        *(_found_sql(place, rule) for place, rule in enumerate(rules, start=2)),
    ]
    return _MATCH.format(
        entities=_entities_sql(mapping, mappings, rules),
        aliases=_ALIASES.format(key=mapping.key_column, golden=mapping.from_),
        records=_records_sql(mapping),
        free=_free_sql(mapping, rules),
        found="\n    union all\n    ".join(found),
        gone=_gone_sql(mapping),
    )


_MATCH = """\
with

entities as (
{entities}
),

-- The keys of those who turned out to be the same, which their records may carry still.
aliases as (
{aliases}
),

-- Records that are alive and ours; then those that nobody has a key on.
records as (
{records}
),

free as (
{free}
),

found as (
    {found}
),

-- Per entity and rule the oldest record, then per entity the first rule.
oldest as (
    select
        entity_key,
        place,
        rule,
        arg_min(sf_id, since) as sf_id,
        count(distinct sf_id) as candidates
    from found
    group by entity_key, place, rule
),

best as (
    select entity_key, unnest(arg_min(oldest, place))
    from oldest
    group by entity_key
),

-- Of the few that have several records, all but the one that was taken.
several as (
    select entity_key from oldest where candidates > 1 or rule = 'alias'
),

others as (
    select found.entity_key, list(distinct found.sf_id order by found.sf_id) as sf_ids
    from found
    semi join several on several.entity_key = found.entity_key
    join best on best.entity_key = found.entity_key
    where found.sf_id <> best.sf_id and (found.rule in ('key', 'alias') or found.rule = best.rule)
    group by found.entity_key
),

taken_over as (
    select sf_id, key as alias
    from records
    semi join (select sf_id from best where rule = 'alias') using (sf_id)
),

claims as (
    select sf_id, count(*) as entities
    from best
    group by sf_id
),

gone as (
{gone}
)

select
    best.entity_key,
    case when claims.entities = 1 then best.sf_id end as sf_id,
    case when claims.entities = 1 then best.rule else 'ambiguous' end as rule,
    best.candidates,
    claims.entities = 1 and best.place > 0 as adopt,
    taken_over.alias,
    coalesce(others.sf_ids, []) as others,
    null::varchar as gone_id
from best
join claims on claims.sf_id = best.sf_id
left join others on others.entity_key = best.entity_key
left join taken_over on taken_over.sf_id = best.sf_id
union all
select entities.entity_key, null, gone.rule, 0, false, null, [], gone.gone_id
from entities
join gone on gone.key = entities.entity_key
where entities.entity_key not in (select entity_key from best)
"""


_ALIASES = """\
    select {key} as entity_key, unnest(aliases) as alias
    from {golden}
    where len(aliases) > 0"""


def _entities_sql(
    mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping], rules: Sequence[str]
) -> str:
    columns = [f"{mapping.from_}.{mapping.key_column} as entity_key"]
    joins = ""
    if "email" in rules:
        columns.append(f"norm_email({_value(mapping, 'Email')}) as email")
    if "name" in rules:
        # A name that we made from a person's says nothing about a company.
        name = f"norm_company({_value(mapping, 'Name')})"
        columns.append(f"case when not coalesce(name_generated, false) then {name} end as name")
    if "name_at_account" in rules:
        first, last = _value(mapping, "FirstName"), quoted(mapping.fields["LastName"].from_ or "")
        columns.append(f"norm_text({first} || ' ' || {last}) as full_name")
        account = mapping.fields["AccountId"]
        matched, by = relation("org_match", account.lookup or ""), quoted(account.by or "")
        columns.append(f"{matched}.sf_id as account_id")
        source = matches_sql(mappings, account.lookup or "")
        joins = f"\n    left join {source} on {matched}.entity_key = {by}"
    listed = ",\n        ".join(columns)
    return f"    select\n        {listed}\n    from {mapping.from_}{joins}"


def _records_sql(mapping: ObjectMapping) -> str:
    key = quoted(mapping.key)
    return (
        f"    select {_RECORD}, lower({key}) as key\n    from {relation('org', mapping.object)}\n"
        f"    where {_alive(mapping)} and {key} is not null"
    )


_RECORD = '"Id" as sf_id, "CreatedDate" || "Id" as since'


def _free_sql(mapping: ObjectMapping, rules: Sequence[str]) -> str:
    columns = [_RECORD]
    if "email" in rules:
        columns.append('norm_email("Email") as email')
    if "name" in rules:
        columns.append('norm_company("Name") as name')
    if "name_at_account" in rules:
        columns.append("""norm_text("FirstName" || ' ' || "LastName") as full_name""")
        columns.append('"AccountId" as account_id')
    listed = ",\n        ".join(columns)
    return (
        f"    select\n        {listed}\n    from {relation('org', mapping.object)}\n"
        f"    where {_alive(mapping)} and {quoted(mapping.key)} is null"
    )


def _found_sql(place: int, rule: str) -> str:
    on = {
        "email": "free.email = entities.email",
        "name": "free.name = entities.name",
        "name_at_account": (
            "free.full_name = entities.full_name and free.account_id = entities.account_id"
        ),
    }[rule]
    return (
        f"select entities.entity_key, free.sf_id, free.since, {place}, '{rule}'\n"
        f"    from entities\n    join free on {on}"
    )


def _gone_sql(mapping: ObjectMapping) -> str:
    """Keys that dead records carry; of several the one that died last counts."""
    rule = f'when "MasterRecordId" is not null then {literal(MERGED)} else {literal(DELETED)}'
    if converts(mapping.object):
        rule = f"when \"IsConverted\" = 'true' then {literal(CONVERTED)} {rule}"
    key = f"lower({quoted(mapping.key)})"
    last = """coalesce("LastModifiedDate", "CreatedDate", '') || "Id\""""
    return (
        f"    select\n        {key} as key,\n"
        f"        arg_max(case {rule} end, {last}) as rule,\n"
        f'        arg_max(coalesce("MasterRecordId", "Id"), {last}) as gone_id\n'
        f"    from {relation('org', mapping.object)}\n"
        f"    where {quoted(mapping.key)} is not null and not ({_alive(mapping)})\n"
        f"    group by {key}"
    )


def _alive(mapping: ObjectMapping) -> str:
    alive = "\"IsDeleted\" = 'false'"
    return f"{alive} and \"IsConverted\" = 'false'" if converts(mapping.object) else alive


def _value(mapping: ObjectMapping, field: str) -> str:
    rule = mapping.fields[field]
    if rule.lookup is not None:
        raise InternalError(f"{mapping.file}: {field} is a look-up and cannot be matched by")
    return value_sql(rule)
