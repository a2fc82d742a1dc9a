with

entities as (
    select
        accounts.account_key as entity_key,
        case when not coalesce(name_generated, false) then norm_company("name") end as name
    from accounts
),

-- Records that are alive and ours; then those that nobody has a key on.
records as (
    select "Id" as sf_id, "CreatedDate" || "Id" as since, lower("Causeway_Key__c") as key
    from org_account
    where "IsDeleted" = 'false' and "Causeway_Key__c" is not null
),

free as (
    select
        "Id" as sf_id, "CreatedDate" || "Id" as since,
        norm_company("Name") as name
    from org_account
    where "IsDeleted" = 'false' and "Causeway_Key__c" is null
),

found as (
    select entities.entity_key, records.sf_id, records.since, 0 as place, 'key' as rule
    from entities
    join records on records.key = entities.entity_key
    union all
    select entities.entity_key, free.sf_id, free.since, 1, 'name'
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
    from found
    group by entity_key, place, rule
),

best as (
    select entity_key, unnest(arg_min(oldest, place))
    from oldest
    group by entity_key
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
    from org_account
    where "Causeway_Key__c" is not null and not ("IsDeleted" = 'false')
    group by lower("Causeway_Key__c")
)

select
    best.entity_key,
    case when claims.entities = 1 then best.sf_id end as sf_id,
    case when claims.entities = 1 then best.rule else 'ambiguous' end as rule,
    best.candidates,
    claims.entities = 1 and best.place > 0 as adopt,
    null::varchar as gone_id
from best
join claims on claims.sf_id = best.sf_id
union all
select entities.entity_key, null, gone.rule, 0, false, gone.gone_id
from entities
join gone on gone.key = entities.entity_key
where entities.entity_key not in (select entity_key from best)
