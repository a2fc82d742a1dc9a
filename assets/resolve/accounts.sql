-- The golden record of every account that a person in the batch's scope belongs to, or did until
-- now: named as its newest member writes it, addressed by the first of those who are to be its contacts.
-- owner: team:crm
-- batches: people
--   select distinct batch from config_account_members
-- name_generated: the name is a person's; such an account never matches another by name
-- website: when its members name one and the same
-- aliases: keys it may still carry in the org, of accounts that became one with it
-- members: people who belong to it, over all batches
-- selected: one of them is; of somebody of an older program's day that counts as said

with

members as (select * from config_account_members),

-- Who becomes a Lead belongs to no account of the org, so says nothing of it. A day that was made
-- by an older program does not tell.
people as (select *, coalesce(asks_contact, true) as speaks from people),

taken_over as (select * from config_account_aliases),

belonging as (
    select
        members.account_key,
        members.rule,
        members.name,
        people.as_of,
        coalesce(people.selected, true) as selected,
        case when people.is_customer or people.has_ordered then people.phone end as phone,
        case when people.is_customer or people.has_ordered then people.fax end as fax,
        case when speaks then people.website end as website,
        -- As text that sorts: ranking the wide rows by a window costs half as much again.
        concat_ws(' ', people.is_customer::int, people.as_of, people.person_key) as worth,
        case
            when speaks
                and coalesce(people.other_street, people.other_city, people.other_postal_code)
                    is not null
                then {
                    'street': people.other_street, 'city': people.other_city,
                    'state': people.other_state, 'postal_code': people.other_postal_code,
                    'country': people.other_country
                }
        end as billing,
        case
            when speaks
                and coalesce(people.mailing_street, people.mailing_city, people.mailing_postal_code)
                    is not null
                then {
                    'street': people.mailing_street, 'city': people.mailing_city,
                    'state': people.mailing_state, 'postal_code': people.mailing_postal_code,
                    'country': people.mailing_country
                }
        end as shipping
    from members
    join people on people.person_key = members.person_key and people.batch = members.batch
),

golden as (
    select
        account_key,
        arg_max(name, concat_ws(' ', as_of, name)) as name,
        bool_and(rule = 'generated_name') as name_generated,
        arg_max(rule, worth) as rule,
        arg_max(phone, worth) as phone,
        arg_max(fax, worth) as fax,
        case when min(website) = max(website) then min(website) end as website,
        arg_max(coalesce(billing, shipping), worth) as billing,
        arg_max(shipping, worth) as shipping,
        count(*) as members,
        bool_or(selected) as selected,
        max(as_of) as as_of
    from belonging
    group by account_key
)

select
    golden.account_key,
    name,
    name_generated,
    phone,
    fax,
    website,
    billing.street as billing_street,
    billing.city as billing_city,
    billing.state as billing_state,
    billing.postal_code as billing_postal_code,
    billing.country as billing_country,
    shipping.street as shipping_street,
    shipping.city as shipping_city,
    shipping.state as shipping_state,
    shipping.postal_code as shipping_postal_code,
    shipping.country as shipping_country,
    coalesce(taken_over.aliases, []) as aliases,
    members,
    selected,
    as_of,
    rule,
    batch
from golden
cross join config_batch
left join taken_over on taken_over.account_key = golden.account_key
