with

entities as (
    select
        people.person_key as entity_key,
        norm_email(lower(trim("email"))) as email,
        case when not coalesce(name_derived, false) then "first_name" end as first_name,
        case when not coalesce(name_derived, false) then "last_name" end as last_name,
        norm_text("first_name" || ' ' || "last_name") as full_name,
        org_match_account.sf_id as account_id
    from (
        select
            people."person_key",
            people."name_derived",
            people."email",
            people."first_name",
            people."last_name",
            account_links."account_key"
        from people
        left join account_links on account_links.person_key = people.person_key
    ) as people
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
        union all
        select person_links.person_key, decision.target, decision.line
        from (select * from config_decisions where kind = 'use') as decision
        join person_links
            on person_links.source = split_part(decision.reference, ':', 1)
            and person_links.source_id
                = substr(decision.reference, position(':' in decision.reference) + 1)
        )
        semi join entities using (entity_key)
        qualify row_number() over (partition by entity_key order by line desc) = 1
    )
    where not starts_with(target, '00Q')
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
            when starts_with(decisions.target, '001') then ', which is no Contact but an Id of Account'
            when starts_with(decisions.target, '00Q') then ', which is no Contact but an Id of Lead'
            when named."Id" is null then ', but this org has no such Contact'
            when named."MasterRecordId" is not null then ', which was merged into ' || named."MasterRecordId"
            when named."IsDeleted" = 'true' then ', which was deleted'
            when coalesce(named."IsPersonAccount" = 'true', false) then ', a person account, which is not written yet'
            when named."Causeway_Key__c" is not null and aliases.alias is null then ', which is somebody else''s by its key ' || lower(named."Causeway_Key__c")
            when own.sf_id is not null then ', but its Contact is ' || own.sf_id
        end as wrong
    from decisions
    left join org_contact as named on named."Id" = decisions.target
    left join records as own on own.key = decisions.entity_key
    left join aliases
        on aliases.entity_key = decisions.entity_key and aliases.alias = lower(named."Causeway_Key__c")
),

free as (
    select
        "Id" as sf_id, "CreatedDate" || "Id" as since,
        norm_email("Email") as email,
        "FirstName" as first_name,
        "LastName" as last_name,
        norm_text("FirstName" || ' ' || "LastName") as full_name,
        "AccountId" as account_id
    from org_contact
    where "IsDeleted" = 'false' and "Causeway_Key__c" is null
        and "Id" not in (select sf_id from decided where wrong is null)
),

different as (
    select
        coalesce(aliases.entity_key, decision.reference) as entity_key,
        decision.target,
        decision.line
    from (select * from config_decisions where kind = 'different') as decision
    left join aliases on aliases.alias = decision.reference
    union all
    select person_links.person_key, decision.target, decision.line
    from (select * from config_decisions where kind = 'different') as decision
    join person_links
        on person_links.source = split_part(decision.reference, ':', 1)
        and person_links.source_id
            = substr(decision.reference, position(':' in decision.reference) + 1)
),

alike as (
    select
        entities.entity_key,
        free.sf_id,
        free.since,
        free.first_name,
        free.last_name,
        case
            when is_role_mailbox(entities.email) and (
                entities.first_name is null or entities.last_name is null
                or free.first_name is null or free.last_name is null
            ) then 'differ'
            else name_likeness(
                entities.first_name, entities.last_name, free.first_name, free.last_name
            )
        end as likeness
    from entities
    join free on free.email = entities.email
    anti join different
        on different.entity_key = entities.entity_key and different.target = free.sf_id
),

torn as (
    select distinct earlier.entity_key
    from alike as earlier
    join alike as later on later.entity_key = earlier.entity_key and earlier.sf_id < later.sf_id
    where
        earlier.likeness = 'agree'
        and later.likeness = 'agree'
        and not names_agree(earlier.first_name, earlier.last_name, later.first_name, later.last_name)
),

unclear as (
    select entity_key, arg_min(sf_id, (likeness, since)) as sf_id
    from alike
    where likeness = 'thin' or (likeness = 'agree' and entity_key in (select entity_key from torn))
    group by entity_key
),

-- What merged records live on as.
masters as (
    with recursive merges as (
        select "Id" as merged, "MasterRecordId" as master
        from org_contact
        where "MasterRecordId" is not null
        union
        select merges.merged, masters."MasterRecordId"
        from merges
        join org_contact as masters on masters."Id" = merges.master
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
        union all
        select lower("Causeway_Key__c"), "ConvertedContactId", 'conversion'
        from org_lead
        where "Causeway_Key__c" is not null and "ConvertedContactId" is not null
    ) as gave_way
    left join aliases on aliases.alias = gave_way.key
),

given as (
    select links.person_key as entity_key, coalesce(masters.master, named."Id") as sf_id
    from person_links as links
    join org_contact as named
        on left(named."Id", 15) = left(links.source_id, 15)
        and starts_with(named."Id", split_part(links.source_id, '~', 1))
    left join masters on masters.merged = named."Id"
    where
        starts_with(links.source_id, '003')
        and links.entity <> 'address'
        and length(split_part(links.source_id, '~', 1)) in (15, 18)
        and named."Id" is not null
    union
    select links.person_key as entity_key, coalesce(masters.master, named."ConvertedContactId") as sf_id
    from person_links as links
    join org_lead as named
        on left(named."Id", 15) = left(links.source_id, 15)
        and starts_with(named."Id", split_part(links.source_id, '~', 1))
    left join masters on masters.merged = named."ConvertedContactId"
    where
        starts_with(links.source_id, '00Q')
        and links.entity <> 'address'
        and length(split_part(links.source_id, '~', 1)) in (15, 18)
        and named."ConvertedContactId" is not null
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
    select entity_key, sf_id, since, 3, 'salesforce_id'
    from (
        select
            entities.*,
            free.sf_id,
            free.since,
            name_likeness(
                entities.first_name, entities.last_name, free.first_name, free.last_name
            ) as likeness,
            entities.email = free.email as same_email
        from given as given_id
        join entities on entities.entity_key = given_id.entity_key
        join free on free.sf_id = given_id.sf_id
    )
    where
        (likeness = 'agree' and last_name is not null) or (likeness <> 'differ' and same_email)
    union all
    select entity_key, sf_id, since, 4, 'email'
    from alike
    where likeness = 'agree' and entity_key not in (select entity_key from torn)
    union all
    select entities.entity_key, free.sf_id, free.since, 5, 'name_at_account'
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
        from org_contact
        left join masters on masters.merged = "Id"
        where "Causeway_Key__c" is not null and not ("IsDeleted" = 'false')
        union all
        select
            lower(leads."Causeway_Key__c"),
            if(contacts."MasterRecordId" is not null, 'merged', 'deleted'),
            coalesce(masters.master, contacts."Id"),
            coalesce(contacts."LastModifiedDate", contacts."CreatedDate", '') || contacts."Id"
        from org_lead as leads
        join org_contact as contacts on contacts."Id" = leads."ConvertedContactId"
        left join masters on masters.merged = contacts."Id"
        where leads."Causeway_Key__c" is not null and not (contacts."IsDeleted" = 'false')
    )
    group by key
),

unmatched as (
    select key as entity_key from dead_keys
    union
    select entity_key from decided where wrong is not null
    union
    select entity_key from unclear
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
left join (select "Id" from org_contact where coalesce("IsPersonAccount" = 'true', false)) as person on person."Id" = best.sf_id
union all
select
    entities.entity_key,
    null,
    coalesce(dead_keys.rule, case when unclear.sf_id is not null then 'unclear' end, 'decision'),
    0,
    false,
    null,
    [],
    coalesce(dead_keys.gone_id, unclear.sf_id),
    null,
    decided.wrong
from unmatched
join entities on entities.entity_key = unmatched.entity_key
left join dead_keys on dead_keys.key = unmatched.entity_key
left join decided on decided.entity_key = unmatched.entity_key
left join unclear on unclear.entity_key = unmatched.entity_key
where unmatched.entity_key not in (select entity_key from best)
