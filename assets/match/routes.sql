-- Which sObject each person and account of the scope becomes, and why. One live record per person:
-- a Contact that the org already holds wins over what a list asks for, and of two lists the one that
-- asks for contacts.
-- owner: team:salesforce
-- entity_key: of the person or account
-- sobject: Account, Contact or Lead; null when it goes nowhere
-- reason: in words
-- excluded: why nothing of it is written but an opt-out (a list, select, subscribers or groups that do not sync); a record that is there must still get that

with

people as (select * from people),

golden_accounts as (select account_key, selected from accounts),

links as (select * from account_links),

-- Who is a person account there has a Contact, though none that is written.
contacts as (
    select entity_key, case when rule = 'person_account' then gone_id else sf_id end as sf_id
    from org_match_contact
),

leads as (select entity_key, sf_id from org_match_lead),

org_accounts as (select entity_key, sf_id from org_match_account),

lists as (select * from config_lists),

sources as (select * from config_sources),

policies as (select * from config_policies),

-- Who stands on several lists: what these ask for, where they do not agree.
listed as (
    select person_key, one.source as source, one.list as list
    from (
        select person_key, unnest(contact_lists) as one
        from people
        where len(contact_lists) > 1
    )
),

on_several as (
    select
        listed.person_key,
        coalesce(lists.list_as, sources.list_as, policies.contacts_as) as list_as,
        concat_ws('/', listed.source, lists.list) as name
    from listed
    cross join policies
    left join sources on sources.source = listed.source
    left join lists on lists.source = listed.source and lists.list = listed.list
),

disagreeing as (
    select
        person_key,
        case
            when bool_or(list_as = 'contact') then 'contact'
            when bool_or(list_as = 'lead') then 'lead'
            else 'none'
        end as list_as,
        string_agg(distinct name, ', ' order by name) filter (where list_as = 'contact')
            || ' asks for contacts, '
            || string_agg(distinct name, ', ' order by name) filter (where list_as = 'lead')
            || ' for leads; a Contact wins' as reason
    from on_several
    group by person_key
    having count(distinct list_as) > 1
),

asking as (
    select
        people.person_key,
        coalesce(
            disagreeing.list_as, lists.list_as, sources.list_as, policies.contacts_as
        ) as list_as,
        disagreeing.reason,
        'the list ' || coalesce(people.list_of_contact, people.contact_source)
            || ' does not sync (as: none)' as unwanted
    from people
    cross join policies
    left join disagreeing on disagreeing.person_key = people.person_key
    left join sources on sources.source = people.contact_source
    left join lists
        on lists.source = people.contact_source and lists.list = people.list_of_contact
    where people.is_contact
),

wishes as (
    select
        people.person_key,
        case
            when not people.selected and asking.list_as = 'none' then 'nothing: ' || asking.unwanted
            when not people.selected
                then 'nothing: no source selects them (select, in sources.yaml)'
            when contacts.sf_id is not null then 'Contact: the org has one for this person'
            when
                people.is_customer
                and not (
                    policies.customers_groups is null
                    or coalesce(list_contains(policies.customers_groups, people.customer_group), false)
                )
                then 'nothing: customer group ' || coalesce(people.customer_group, '(none)')
                    || ' does not sync'
            when people.is_customer then 'Contact: a customer'
            when asking.reason is not null then 'Contact: ' || asking.reason
            when asking.list_as = 'contact' then 'Contact: the list asks for contacts'
            when asking.list_as = 'lead' then 'Lead: the list asks for leads'
            when people.has_ordered then 'Contact: ordered as a guest'
            when people.is_subscriber and policies.subscribers_as = 'lead'
                then 'Lead: a subscriber who is nobody else'
            when people.is_subscriber then 'nothing: subscribers do not sync (subscribers.as: none)'
            when asking.list_as = 'none' then 'nothing: ' || asking.unwanted
            else 'nothing: none of their orders counts (guests.ignore_states)'
        end as wish,
        contacts.sf_id is not null as has_contact,
        leads.sf_id is not null as is_lead
    from people
    cross join policies
    left join contacts on contacts.entity_key = people.person_key
    left join leads on leads.entity_key = people.person_key
    left join asking on asking.person_key = people.person_key
),

persons as (
    select
        person_key as entity_key,
        case
            when not starts_with(wish, 'nothing') then split_part(wish, ': ', 1)
            when has_contact then 'Contact'
            when is_lead then 'Lead'
        end as sobject,
        substr(wish, position(': ' in wish) + 2) as reason,
        case when starts_with(wish, 'nothing') then substr(wish, position(': ' in wish) + 2) end
            as excluded
    from wishes
),

-- An account that everybody of the batch just left is still one, if the org has it.
companies as (
    select
        golden_accounts.account_key as entity_key,
        case
            when count(*) filter (where persons.sobject = 'Contact' and persons.excluded is null) > 0
                or count(org_accounts.sf_id) > 0
                then 'Account'
        end as sobject,
        case
            when not golden_accounts.selected
                then 'no source selects anybody of it (select, in sources.yaml)'
            when count(*) filter (where persons.sobject = 'Contact' and persons.excluded is null) > 0
                then 'has contacts'
            when count(org_accounts.sf_id) > 0 then 'the org has it'
            else 'nobody of it becomes a Contact'
        end as reason,
        not golden_accounts.selected as is_unselected
    from golden_accounts
    left join links on links.account_key = golden_accounts.account_key
    left join persons on persons.entity_key = links.person_key
    left join org_accounts on org_accounts.entity_key = golden_accounts.account_key
    group by golden_accounts.account_key, golden_accounts.selected
)

select entity_key, sobject, reason, case when sobject is not null then excluded end as excluded
from persons
union all
select
    entity_key,
    sobject,
    reason,
    case when sobject is not null and is_unselected then reason end as excluded
from companies
