-- Which account each person of the batch's scope belongs to, and by which rule.
-- owner: team:crm
-- account_key: of the account; null when the person belongs to none
-- rule: forced (one account for all), exact_name, generated_name (First Last, for a customer without company) or none
-- name_key: the name without case, accents, punctuation and legal suffix; equal keys are one account

with

people as (select * from people),

sources as (select * from config_sources),

lists as (select * from config_lists),

policies as (select * from config_policies),

asked as (
    select
        people.*,
        coalesce(lists.account_mode, sources.account_mode, policies.account_mode) as mode,
        case
            when people.is_customer then policies.customers_single_account
            when lists.account_mode is not null then lists.account_name
            when sources.account_mode is not null then sources.account_name
            else policies.account_name
        end as forced
    from people
    cross join policies
    left join sources on sources.source = people.contact_source
    left join lists
        on lists.source = people.contact_source and lists.list = people.list_of_contact
),

wanted as (
    select
        person_key,
        as_of,
        case
            when forced is not null then forced
            when is_customer or mode <> 'none' then account_company
        end as company,
        case when forced is not null then 'forced' else 'exact_name' end as rule,
        case when is_customer then nullif(concat_ws(' ', first_name, last_name), '') end
            as own_name
    from asked
),

named as (
    select
        person_key,
        as_of,
        coalesce(company, own_name) as name,
        norm_company(company) as name_key,
        case
            when norm_company(company) is not null then rule
            when own_name is not null then 'generated_name'
            else 'none'
        end as rule
    from wanted
)

select
    person_key,
    case rule
        when 'none' then null
        when 'generated_name' then 'a-' || md5('person' || chr(31) || person_key)
        else 'a-' || md5('name' || chr(31) || name_key)
    end as account_key,
    rule,
    case when rule <> 'none' then name end as name,
    name_key,
    as_of,
    batch
from named
cross join config_batch
