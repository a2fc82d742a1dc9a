with

entities as (
    select
        people.person_key as entity_key,
        norm_email(lower(trim("email"))) as email,
        norm_text("first_name" || ' ' || "last_name") as full_name,
        org_match_account.sf_id as account_id
    from people
    left join org_match_account on org_match_account.entity_key = "account_key"
),

-- The keys of those who turned out to be the same, which their records may carry still.
aliases as (
    select person_key as entity_key, unnest(aliases) as alias
    from people
    where len(aliases) > 0
),

-- Records that are alive and ours; then those that nobody has a key on.
records as (
    select "Id" as sf_id, "CreatedDate" || "Id" as since, lower("Causeway_Key__c") as key
    from org_contact
    where "IsDeleted" = 'false' and "Causeway_Key__c" is not null
),

free as (
    select
        "Id" as sf_id, "CreatedDate" || "Id" as since,
        norm_email("Email") as email,
        norm_text("FirstName" || ' ' || "LastName") as full_name,
        "AccountId" as account_id
    from org_contact
    where "IsDeleted" = 'false' and "Causeway_Key__c" is null
),

found as (
    select entities.entity_key, records.sf_id, records.since, 0 as place, 'key' as rule
    from entities
    join records on records.key = entities.entity_key
    union all
    select aliases.entity_key, records.sf_id, records.since, 1, 'alias'
    from aliases
    join records on records.key = aliases.alias
    union all
    select entities.entity_key, free.sf_id, free.since, 2, 'email'
    from entities
    join free on free.email = entities.email
    union all
    select entities.entity_key, free.sf_id, free.since, 3, 'name_at_account'
    from entities
    join free on free.full_name = entities.full_name and free.account_id = entities.account_id
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
    select
        lower("Causeway_Key__c") as key,
        arg_max(case when "MasterRecordId" is not null then 'merged' else 'deleted' end, coalesce("LastModifiedDate", "CreatedDate", '') || "Id") as rule,
        arg_max(coalesce("MasterRecordId", "Id"), coalesce("LastModifiedDate", "CreatedDate", '') || "Id") as gone_id
    from org_contact
    where "Causeway_Key__c" is not null and not ("IsDeleted" = 'false')
    group by lower("Causeway_Key__c")
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
