-- Which account each person of the batch's scope belongs to, and by which rule.
-- owner: team:crm
-- rule: forced (one account for all), exact_name or generated_name (First Last, for a customer without company)
-- name: of the account, as this person's sources write it

with

people as (select * from people)

select
    person_key,
    account_key,
    account_rule as rule,
    account_name as name,
    account_name_key as name_key,
    as_of,
    batch
from people
where account_key is not null
