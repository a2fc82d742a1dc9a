"""Which record of the org is whose: the ``match:`` of a mapping becomes one ``select``.

The rules are tried in the order of the mapping, the first that finds anything decides. A record
that carries a key belongs to that key alone; one that carries none may be adopted, by one entity:
where two reach it, neither does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.errors import InternalError
from pipelines.sync.layout import indented
from pipelines.sync.mapping.alike import NAMES, alike_ctes, name_columns
from pipelines.sync.mapping.decided import decided_ctes
from pipelines.sync.mapping.folder import matches_sql
from pipelines.sync.mapping.given_ids import GIVEN, given_sql, matched_sql
from pipelines.sync.mapping.golden import column_sql, joined_sql
from pipelines.sync.mapping.matched import PERSON, UNCLEAR
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import ACCOUNT, PREFIXES
from pipelines.sync.mapping.persons import WITH_PERSONS, is_person_sql
from pipelines.sync.mapping.policies import Policies
from pipelines.sync.mapping.successors import alive_sql, dead_keys_sql, masters_sql, successors_sql
from pipelines.sync.mapping.values import columns_read, value_sql
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal

NEEDS = {
    "key": (),
    "email": ("Email",),
    "name": ("Name",),
    "name_at_account": ("FirstName", "LastName", "AccountId"),
}
"""The fields a rule compares; the mapping has to fill them."""

ALIAS = "alias"
"""The rule that finds a record by a key which another one took over."""


def match_sql(
    mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping], policies: Policies
) -> str:
    """The relation ``org_match_<mapping>``: one row per entity that the org knows.

    Columns: ``entity_key``; ``sf_id``, null where ``rule`` is ``ambiguous`` (two entities reach
    the record), ``unclear`` (it may be the entity's, see ``alike``), ``deleted``, ``merged`` or
    ``converted`` (only such a record carries the key);
    ``person_account`` (it is one, which is not written);
    ``rule``; ``candidates``, of which the oldest was taken; ``adopt``, true where the record has no
    key yet or that of somebody who turned out to be the same; ``alias``, the key of the latter;
    ``others``, further records that are the same entity by its keys or by the rule that decided;
    ``gone_id``, the Id of a record that is no match, of a merged one that of its master;
    ``decision``, the line of ``decisions.csv`` that says so; ``wrong``, why what it says cannot be.

    Args:
        mapping: whose ``match:`` it is.
        mappings: all there are, by stem: a contact may be found by the match of its account, and a
            Lead of ours may have become a Contact.
        policies: whether the master of a merged record takes its place.
    """
    rules = [rule for rule in mapping.match if rule != "key"]
    match_queries = [
        "select decided.entity_key, decided.sf_id, decided.since, -1 as place, 'decision' as rule\n"
        "    from decided\n    where decided.wrong is null and not decided.done",
        "select entities.entity_key, records.sf_id, records.since, 0, 'key'\n"
        "    from entities\n    join records on records.key = entities.entity_key",
        f"select aliases.entity_key, records.sf_id, records.since, 1, {literal(ALIAS)}\n"
        "    from aliases\n    join records on records.key = aliases.alias",
        "select successors.entity_key, free.sf_id, free.since, 2, successors.rule\n"
        "    from successors\n    join entities on entities.entity_key = successors.entity_key\n"
        "    join free on free.sf_id = successors.sf_id",
        *([matched_sql(3)] if _heeds_ids(mapping, rules) else []),
        *(_matches_sql(place, rule) for place, rule in enumerate(rules, start=4)),
    ]
    return _MATCH.format(
        entities=_entities_sql(mapping, mappings, rules),
        aliases=_ALIASES.format(key=mapping.key_column, golden=mapping.from_),
        records=_records_sql(mapping),
        decided="\n\n".join(
            f"{name} as (\n{indented(body)}\n)," for name, body in decided_ctes(mapping).items()
        ),
        successors=indented(successors_sql(mapping, mappings, policies)),
        given=f"\n\n{GIVEN} as (\n{indented(given_sql(mapping, mappings))}\n),"
        if _heeds_ids(mapping, rules)
        else "",
        free=_free_sql(mapping, rules),
        alike="".join(
            f"\n\n{name} as (\n{indented(body)}\n),"
            for name, body in (alike_ctes(mapping) if "email" in rules else {}).items()
        ),
        **(_OPEN if "email" in rules else _CLOSED),
        match_queries="\n    union all\n    ".join(match_queries),
        dead_keys=indented(dead_keys_sql(mapping, mappings)),
        masters=indented(masters_sql(mapping)),
        **_persons(mapping),
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

-- Whose record is whose because somebody said so, before every rule.
{decided}

free as (
{free}
),{alike}

-- What merged records live on as.
masters as (
{masters}
),

-- What took the place of a record of ours: the Contact of a converted Lead, a merged one's master.
successors as (
{successors}
),{given}

matches as (
    {match_queries}
),

-- Per entity and rule the oldest record, then per entity the first rule.
oldest as (
    select
        entity_key,
        place,
        rule,
        arg_min(sf_id, since) as sf_id,
        count(distinct sf_id) as candidates
    from matches
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

further as (
    select matches.entity_key, list(distinct matches.sf_id order by matches.sf_id) as sf_ids
    from matches
    semi join several on several.entity_key = matches.entity_key
    join best on best.entity_key = matches.entity_key
    where
        matches.sf_id <> best.sf_id
        and (matches.rule in ('key', 'alias') or matches.rule = best.rule)
    group by matches.entity_key
),

taken_over as (
    select sf_id, key as alias
    from records
    semi join (select sf_id from best where rule in ('alias', 'decision')) using (sf_id)
),

claims as (
    select sf_id, count(*) as entities
    from best
    group by sf_id
),

dead_keys as (
{dead_keys}
),

unmatched as (
    select key as entity_key from dead_keys
    union
    select entity_key from decided where wrong is not null{also_unmatched}
)

select
    best.entity_key,
    case when claims.entities = 1 and not {is_person} then best.sf_id end as sf_id,
    case
        when {is_person} then {person_rule}
        when claims.entities = 1 then best.rule
        else 'ambiguous'
    end as rule,
    best.candidates,
    claims.entities = 1 and best.place <> 0 as adopt,
    taken_over.alias,
    coalesce(further.sf_ids, []) as others,
    case when claims.entities > 1 or {is_person} then best.sf_id end as gone_id,
    case when decided.sf_id = best.sf_id then decided.line end as decision,
    decided.wrong
from best
join claims on claims.sf_id = best.sf_id
left join further on further.entity_key = best.entity_key
left join taken_over on taken_over.sf_id = best.sf_id
left join decided on decided.entity_key = best.entity_key{persons_join}
union all
select
    entities.entity_key,
    null,
    coalesce(dead_keys.rule{unclear_rule}, 'decision'),
    0,
    false,
    null,
    [],
    {unclear_id},
    null,
    decided.wrong
from unmatched
join entities on entities.entity_key = unmatched.entity_key
left join dead_keys on dead_keys.key = unmatched.entity_key
left join decided on decided.entity_key = unmatched.entity_key{unclear_join}
where unmatched.entity_key not in (select entity_key from best)
"""


def _heeds_ids(mapping: ObjectMapping, rules: Sequence[str]) -> bool:
    """Whether Ids of the org in a file count: alone, without name and address, they do not."""
    return mapping.from_ == "people" and mapping.object in PREFIXES and "email" in rules


def _persons(mapping: ObjectMapping) -> dict[str, str]:
    """What the select says of person accounts, and of the Contacts behind them."""
    if mapping.object not in WITH_PERSONS:
        return {"is_person": "false", "person_rule": "null", "persons_join": ""}
    persons = f'(select "Id" from {relation("org", mapping.object)} where {is_person_sql()})'
    return {
        "is_person": '(person."Id" is not null)',
        "person_rule": literal(PERSON),
        "persons_join": f'\nleft join {persons} as person on person."Id" = best.sf_id',
    }


_OPEN = {
    "also_unmatched": "\n    union\n    select entity_key from unclear",
    "unclear_rule": f", case when unclear.sf_id is not null then {literal(UNCLEAR)} end",
    "unclear_join": "\nleft join unclear on unclear.entity_key = unmatched.entity_key",
    "unclear_id": "coalesce(dead_keys.gone_id, unclear.sf_id)",
}
"""What a match by e-mail adds to the select: whoever may be somebody of the org."""

_CLOSED = dict.fromkeys(_OPEN, "") | {"unclear_id": "dead_keys.gone_id"}

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
        columns += [f"norm_email({_value(mapping, 'Email')}) as email", *name_columns(mapping)]
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
    return f"    select\n        {listed}\n    from {_golden_sql(mapping, rules)}{joins}"


def _golden_sql(mapping: ObjectMapping, rules: Sequence[str]) -> str:
    """The golden relation, and where a rule reads of the account, what it reads of both."""
    golden = mapping.from_
    compared = dict.fromkeys(field for rule in rules for field in (*NEEDS[rule], *NAMES))
    fields = [mapping.fields[field] for field in compared if field in mapping.fields]
    read = [column for field in fields for column in columns_read(field)]
    source = joined_sql(golden, read)
    if source == golden:
        return golden
    columns = dict.fromkeys((mapping.key_column, "name_derived", *read))
    listed = ",\n".join(column_sql(golden, column) for column in columns)
    query = f"select\n{indented(listed)}\nfrom {source}"
    return f"(\n{indented(query, 2)}\n    ) as {golden}"


def _records_sql(mapping: ObjectMapping) -> str:
    key = quoted(mapping.key)
    return (
        f"    select {_RECORD}, lower({key}) as key\n    from {relation('org', mapping.object)}\n"
        f"    where {alive_sql(mapping)} and {key} is not null"
    )


_RECORD = '"Id" as sf_id, "CreatedDate" || "Id" as since'


def _free_sql(mapping: ObjectMapping, rules: Sequence[str]) -> str:
    columns, enabled = [_RECORD], mapping.enabled()
    if "email" in rules:
        columns.append('norm_email("Email") as email')
        columns += [
            f"{quoted(field) if field in enabled else 'null'} as {name}"
            for field, name in (("FirstName", "first_name"), ("LastName", "last_name"))
        ]
    if "name" in rules:
        columns.append('norm_company("Name") as name')
    if "name_at_account" in rules:
        columns.append("""norm_text("FirstName" || ' ' || "LastName") as full_name""")
        columns.append('"AccountId" as account_id')
    listed = ",\n        ".join(columns)
    # A person account is nobody's company, whatever it is called.
    companies = f" and not {is_person_sql()}" if mapping.object == ACCOUNT else ""
    return (
        f"    select\n        {listed}\n    from {relation('org', mapping.object)}\n"
        f"    where {alive_sql(mapping)} and {quoted(mapping.key)} is null{companies}\n"
        '        and "Id" not in (select sf_id from decided where wrong is null)'
    )


def _matches_sql(place: int, rule: str) -> str:
    if rule == "email":
        return _BY_EMAIL.format(place=place)
    on = {
        "name": "free.name = entities.name",
        "name_at_account": (
            "free.full_name = entities.full_name and free.account_id = entities.account_id"
        ),
    }[rule]
    return (
        f"select entities.entity_key, free.sf_id, free.since, {place}, '{rule}'\n"
        f"    from entities\n    join free on {on}"
    )


_BY_EMAIL = """\
select entity_key, sf_id, since, {place}, 'email'
    from alike
    where likeness = 'agree' and entity_key not in (select entity_key from torn)"""


def _value(mapping: ObjectMapping, field: str) -> str:
    rule = mapping.fields[field]
    if rule.lookup is not None:
        raise InternalError(f"{mapping.file}: {field} is a look-up and cannot be matched by")
    return value_sql(rule)
