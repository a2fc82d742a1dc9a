with

entities as (
    select
        accounts.account_key as entity_key,
        case when not coalesce(name_generated, false) then norm_company("name") end as name
    from accounts
),

-- The keys of those who turned out to be the same, which their records may carry still.
aliases as (
    select account_key as entity_key, unnest(aliases) as alias
    from accounts
    where len(aliases) > 0
),

-- Records that are alive and ours; then those that nobody has a key on.
records as (
    select "Id" as sf_id, "CreatedDate" || "Id" as since, lower("Causeway_Key__c") as key
    from org_account
    where "IsDeleted" = 'false' and "Causeway_Key__c" is not null
),

-- Whose record is whose because somebody said so, before every rule.
decisions as (
    select *
    from (
        select *
        from (
        select
            coalesce(aliases.entity_key, decision.reference) as entity_key,
            decision.target,
            decision.line
        from (select * from config_decisions where kind = 'use') as decision
        left join aliases on aliases.alias = decision.reference
        )
        semi join entities using (entity_key)
        qualify row_number() over (partition by entity_key order by line desc) = 1
    )
),

decided as (
    select
        decisions.entity_key,
        decisions.target as sf_id,
        decisions.line,
        named."CreatedDate" || named."Id" as since,
        lower(named."Causeway_Key__c") is not distinct from decisions.entity_key as done,
        'decisions.csv:' || decisions.line || ' says it is ' || decisions.target || case
            when lower(named."Causeway_Key__c") = decisions.entity_key then null
            when starts_with(decisions.target, '003') then ', which is no Account but an Id of Contact'
            when starts_with(decisions.target, '00Q') then ', which is no Account but an Id of Lead'
            when named."Id" is null then ', but this org has no such Account'
            when named."MasterRecordId" is not null then ', which was merged into ' || named."MasterRecordId"
            when named."IsDeleted" = 'true' then ', which was deleted'
            when coalesce(named."IsPersonAccount" = 'true', false) then ', a person account, which is not written yet'
            when named."Causeway_Key__c" is not null and aliases.alias is null then ', which is somebody else''s by its key ' || lower(named."Causeway_Key__c")
            when own.sf_id is not null then ', but its Account is ' || own.sf_id
        end as wrong
    from decisions
    left join org_account as named on named."Id" = decisions.target
    left join records as own on own.key = decisions.entity_key
    left join aliases
        on aliases.entity_key = decisions.entity_key and aliases.alias = lower(named."Causeway_Key__c")
),

free as (
    select
        "Id" as sf_id, "CreatedDate" || "Id" as since,
        norm_company("Name") as name
    from org_account
    where "IsDeleted" = 'false' and "Causeway_Key__c" is null and not coalesce("IsPersonAccount" = 'true', false)
        and "Id" not in (select sf_id from decided where wrong is null)
),

-- What merged records live on as.
masters as (
    with recursive merges as (
        select "Id" as merged, "MasterRecordId" as master
        from org_account
        where "MasterRecordId" is not null
        union
        select merges.merged, masters."MasterRecordId"
        from merges
        join org_account as masters on masters."Id" = merges.master
        where masters."MasterRecordId" is not null
    )

    select merged, master
    from merges
    where master not in (select merged from merges)
),

-- What took the place of a record of ours: the Contact of a converted Lead, a merged one's master.
successors as (
    select coalesce(aliases.entity_key, gave_way.key) as entity_key, gave_way.sf_id, gave_way.rule
    from (
        select null::varchar as key, null::varchar as sf_id, null as rule where false
    ) as gave_way
    left join aliases on aliases.alias = gave_way.key
),

matches as (
    select decided.entity_key, decided.sf_id, decided.since, -1 as place, 'decision' as rule
    from decided
    where decided.wrong is null and not decided.done
    union all
    select entities.entity_key, records.sf_id, records.since, 0, 'key'
    from entities
    join records on records.key = entities.entity_key
    union all
    select aliases.entity_key, records.sf_id, records.since, 1, 'alias'
    from aliases
    join records on records.key = aliases.alias
    union all
    select successors.entity_key, free.sf_id, free.since, 2, successors.rule
    from successors
    join entities on entities.entity_key = successors.entity_key
    join free on free.sf_id = successors.sf_id
    union all
    select entities.entity_key, free.sf_id, free.since, 4, 'name'
    from entities
    join free on free.name = entities.name
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
    select key, arg_max(rule, died) as rule, arg_max(gone_id, died) as gone_id
    from (
        select
            lower("Causeway_Key__c") as key,
            if("MasterRecordId" is not null, 'merged', 'deleted') as rule,
            coalesce(masters.master, "Id") as gone_id,
            coalesce("LastModifiedDate", "CreatedDate", '') || "Id" as died
        from org_account
        left join masters on masters.merged = "Id"
        where "Causeway_Key__c" is not null and not ("IsDeleted" = 'false')
    )
    group by key
),

unmatched as (
    select key as entity_key from dead_keys
    union
    select entity_key from decided where wrong is not null
)

select
    best.entity_key,
    case when claims.entities = 1 and not (person."Id" is not null) then best.sf_id end as sf_id,
    case
        when (person."Id" is not null) then 'person_account'
        when claims.entities = 1 then best.rule
        else 'ambiguous'
    end as rule,
    best.candidates,
    claims.entities = 1 and best.place <> 0 as adopt,
    taken_over.alias,
    coalesce(further.sf_ids, []) as others,
    case when claims.entities > 1 or (person."Id" is not null) then best.sf_id end as gone_id,
    case when decided.sf_id = best.sf_id then decided.line end as decision,
    decided.wrong
from best
join claims on claims.sf_id = best.sf_id
left join further on further.entity_key = best.entity_key
left join taken_over on taken_over.sf_id = best.sf_id
left join decided on decided.entity_key = best.entity_key
left join (select "Id" from org_account where coalesce("IsPersonAccount" = 'true', false)) as person on person."Id" = best.sf_id
union all
select
    entities.entity_key,
    null,
    coalesce(dead_keys.rule, 'decision'),
    0,
    false,
    null,
    [],
    dead_keys.gone_id,
    null,
    decided.wrong
from unmatched
join entities on entities.entity_key = unmatched.entity_key
left join dead_keys on dead_keys.key = unmatched.entity_key
left join decided on decided.entity_key = unmatched.entity_key
where unmatched.entity_key not in (select entity_key from best)
