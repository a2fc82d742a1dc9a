-- Which account each person of the batch's scope belongs to, and by which rule: what the person asks
-- for, held against the accounts that there are. Whoever asks for none is not in it.
-- owner: team:crm
-- account_key: the External Id in Salesforce; minted once, never reused
-- rule: forced (one account for all), exact_name or generated_name (First Last, for a customer or guest without company)
-- name: of the account, as this person's sources write it
-- name_key: the name without case, accents, punctuation and legal suffix; null where it was generated
-- reference: the number of that name, where it means an account whose key was minted from another one

with

people as (select * from people where asked_by <> 'none'),

account_references as (select * from config_account_references),

-- An account that is called after a person is theirs alone, whatever others are called.
asking as (
    select
        person_key,
        case
            when asked_by = 'generated_name' then own_account(person_key)
            else account_spelling(record_key('name', asked_name_key), null)
        end as own_key,
        case when asked_by <> 'generated_name' then record_key('name', asked_name_key) end
            as reference,
        asked_by,
        asked_account,
        asked_name_key,
        as_of,
        batch
    from people
)

select
    asking.person_key,
    coalesce(account_references.account_key, asking.own_key) as account_key,
    asking.asked_by as rule,
    asking.asked_account as name,
    asking.asked_name_key as name_key,
    account_references.reference,
    asking.as_of,
    asking.batch
from asking
left join account_references on account_references.reference = asking.reference
