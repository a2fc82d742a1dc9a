-- The golden record of every person in the batch's scope: per field the best value that any of the
-- person's source records gives. Names, and each address, survive as one block, so that no street
-- of one source stands beside the city of another.
-- owner: team:crm
-- batches: person_records
--   select distinct batch from person_links
-- person_key: the External Id in Salesforce; minted once, never reused
-- opted_out: what the newest newsletter statement says; null when nobody ever said anything
-- further_addresses: the addresses beyond the two that Salesforce has room for, one a line
-- name_derived: the name was read from the e-mail address, for want of a better one
-- account_company: what decides the account; never derived
-- values_from: which source record each block of values came from

with

links as (select * from person_links),

records as (select * from person_records),

policies as (select * from config_policies),

ranked as (
    select
        links.person_key,
        records.* exclude (batch),
        row_number() over (
            partition by links.person_key
            order by records.priority, records.as_of desc, records.source, records.source_id
        ) as best,
        records.source || '/' || records.source_id as origin
    from links
    join records on records.record = links.record and records.batch = links.batch
),

addresses as (
    select
        person_key,
        list(address order by rank, best) as addresses
    from (
        select
            person_key,
            best,
            case when entity = 'address' then 3 else 1 end as rank,
            mailing as address
        from ranked
        where mailing is not null
        union all
        select person_key, best, 2 as rank, other as address
        from ranked
        where other is not null
    )
    group by person_key
    having count(*) > 1
),

golden as (
    select
        person_key,
        arg_min(
            {
                'salutation': salutation, 'first': first_name, 'middle': middle_name,
                'last': last_name, 'suffix': suffix, 'from': origin
            },
            best
        ) filter (where last_name is not null) as name,
        arg_min(nickname, best) as nickname,
        arg_min(title, best) as title,
        arg_min(company, best) as company,
        arg_min({'value': email, 'from': origin}, best) filter (where email is not null) as email,
        arg_min({'value': phone, 'from': origin}, best)
            filter (where phone is not null and entity <> 'address') as phone,
        arg_min(mobile_phone, best) as mobile_phone,
        arg_min(fax, best) filter (where entity <> 'address') as fax,
        arg_min(website, best) as website,
        arg_min(birthdate, best) as birthdate,
        arg_min({'value': mailing, 'from': origin}, best)
            filter (where mailing is not null and entity <> 'address') as mailing,
        arg_min({'value': other, 'from': origin}, best) filter (where other is not null) as other,
        arg_max(newsletter, (as_of, source, source_id)) as newsletter,
        bool_or(entity = 'customer') as is_customer,
        bool_or(entity = 'subscriber') as is_subscriber,
        bool_or(entity = 'contact') as is_contact,
        bool_or(entity = 'order') as has_ordered,
        arg_min(source, best) filter (where entity = 'contact') as contact_source,
        arg_min(list, best) as list_of_contact,
        string_agg(distinct list, '; ' order by list) as lists,
        arg_min(customer_group, best) as customer_group,
        arg_min(gender, best) as gender,
        arg_min(tags, best) as tags,
        arg_min(note, best) as note,
        list(distinct source order by source) as sources,
        count(*) filter (where entity <> 'address') as source_records,
        max(as_of) as as_of
    from ranked
    group by person_key
),

placed as (
    select
        golden.*,
        coalesce(mailing.value, addresses.addresses[1]) as mailing_block,
        coalesce(
            other.value,
            list_filter(
                addresses.addresses,
                lambda a: a is distinct from coalesce(mailing.value, addresses.addresses[1])
            )[1]
        ) as other_block,
        addresses.addresses as addresses,
        case
            when name is null and (
                policies.subscribers_parse_email = 'every_subscriber'
                or (policies.subscribers_parse_email = 'customers_only' and is_customer)
            ) then name_of_email(email.value)
        end as derived
    from golden
    cross join policies
    left join addresses using (person_key)
)

select
    person_key,
    name.salutation as salutation,
    coalesce(name.first, derived.first) as first_name,
    name.middle as middle_name,
    coalesce(name.last, derived.last) as last_name,
    name.suffix as suffix,
    nickname,
    title,
    coalesce(company, case when derived is not null then company_of_email(email.value) end)
        as company,
    email.value as email,
    phone.value as phone,
    mobile_phone,
    fax,
    website,
    birthdate,
    mailing_block.street as mailing_street,
    mailing_block.city as mailing_city,
    mailing_block.state as mailing_state,
    mailing_block.postal_code as mailing_postal_code,
    mailing_block.country as mailing_country,
    mailing_block.phone as mailing_phone,
    other_block.street as other_street,
    other_block.city as other_city,
    other_block.state as other_state,
    other_block.postal_code as other_postal_code,
    other_block.country as other_country,
    other_block.phone as other_phone,
    nullif(array_to_string(list_transform(
        list_filter(
            addresses,
            lambda a: a is distinct from mailing_block and a is distinct from other_block
        ),
        lambda a: concat_ws(
            ', ', replace(a.street, chr(10), ', '), a.city, a.state, a.postal_code, a.country,
            a.phone
        )
    ), chr(10)), '') as further_addresses,
    newsletter,
    case when newsletter is not null then newsletter <> 'subscribed' end as opted_out,
    is_customer,
    is_subscriber,
    is_contact,
    has_ordered,
    contact_source,
    list_of_contact,
    lists,
    customer_group,
    gender,
    tags,
    note,
    derived is not null as name_derived,
    company as account_company,
    sources,
    source_records,
    as_of,
    batch,
    {
        'name': name.from, 'email': email.from, 'phone': phone.from,
        'mailing': mailing.from, 'other': other.from
    } as values_from
from placed
cross join config_batch
