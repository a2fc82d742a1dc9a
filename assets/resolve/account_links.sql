-- Which account each person of the batch's scope belongs to, and by which rule.
-- owner: team:crm
-- account_key: of the account; null when the person belongs to none
-- rule: forced (one account for all), exact_name, generated_name (First Last, for a customer without company) or none
-- name_key: the name without case, accents, punctuation and legal suffix; equal keys are one account

with

people as (select * from people),

sources as (select * from config_sources),

policies as (select * from config_policies),

wanted as (
    select
        people.person_key,
        people.as_of,
        case
            when people.is_customer and policies.customers_single_account is not null
                then policies.customers_single_account
            when sources.account_mode = 'into' then sources.account_name
            when sources.account_mode = 'none' and not people.is_customer then null
            else people.account_company
        end as company,
        case
            when people.is_customer and policies.customers_single_account is not null
                or sources.account_mode = 'into' then 'forced'
            else 'exact_name'
        end as rule,
        case
            when people.is_customer
                then nullif(concat_ws(' ', people.first_name, people.last_name), '')
        end as own_name
    from people
    cross join policies
    left join sources on sources.source = people.contact_source
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
