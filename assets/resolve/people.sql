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
-- account_key: of the account the person belongs to; null when there is none
-- account_rule: forced (one account for all), exact_name, generated_name (First Last, for a customer without company) or none
-- account_name_key: the name without case, accents, punctuation and legal suffix; equal keys are one account
-- values_from: which source record each block of values came from

with

links as (select * from person_links),

records as (select * from person_records),

sources as (select * from config_sources),

lists as (select * from config_lists),

policies as (select * from config_policies),

counted as (
    select person_key, count(*) as members
    from links
    group by person_key
),

said as (
    select
        links.person_key,
        counted.members,
        records.* exclude (batch),
        records.source || '/' || records.source_id as origin
    from links
    join counted on counted.person_key = links.person_key
    join records on records.record = links.record and records.batch = links.batch
),

-- Most people are known from one record, which needs no ranking.
ranked as (
    select
        *,
        row_number() over (
            partition by person_key
            order by entity = 'address', priority, as_of desc, source, source_id
        ) as best
    from said
    where members > 1
),

addresses as (
    select
        person_key,
        -- Sorting each list afterwards costs a third of an aggregate with an order.
        list_transform(
            list_sort(list({'rank': rank, 'best': best, 'address': address})),
            lambda one: one.address
        ) as addresses
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
),

known_by_several as (
    select
        person_key,
        arg_min(
            {
                'salutation': salutation, 'first': first_name, 'middle': middle_name,
                'last': last_name, 'suffix': suffix
            },
            best
        ) filter (where last_name is not null) as name,
        arg_min(origin, best) filter (where last_name is not null) as name_from,
        arg_min(nickname, best) as nickname,
        arg_min(title, best) as title,
        arg_min(department, best) as department,
        arg_min(company, best) as company,
        arg_min(email, best) as email,
        arg_min(origin, best) filter (where email is not null) as email_from,
        arg_min(phone, best) filter (where entity <> 'address') as phone,
        arg_min(origin, best)
            filter (where phone is not null and entity <> 'address') as phone_from,
        arg_min(mobile_phone, best) as mobile_phone,
        arg_min(fax, best) filter (where entity <> 'address') as fax,
        arg_min(website, best) as website,
        arg_min(birthdate, best) as birthdate,
        arg_min(mailing, best) filter (where entity <> 'address') as mailing,
        arg_min(origin, best)
            filter (where mailing is not null and entity <> 'address') as mailing_from,
        arg_min(mailing, best) filter (where entity = 'address') as first_added,
        arg_min(other, best) as other,
        arg_min(origin, best) filter (where other is not null) as other_from,
        -- Of two statements of one moment the refusal counts.
        arg_max(newsletter, (as_of, newsletter <> 'subscribed', source, source_id)) as newsletter,
        bool_or(entity = 'customer') as is_customer,
        bool_or(entity = 'subscriber') as is_subscriber,
        bool_or(entity = 'contact') as is_contact,
        bool_or(entity = 'order') as has_ordered,
        arg_min({'source': source, 'list': list}, best)
            filter (where entity = 'contact') as contact_of,
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

known_by_one as (
    select
        person_key,
        case when last_name is not null then {
            'salutation': salutation, 'first': first_name, 'middle': middle_name,
            'last': last_name, 'suffix': suffix
        } end as name,
        case when last_name is not null then origin end as name_from,
        nickname,
        title,
        department,
        company,
        email,
        case when email is not null then origin end as email_from,
        phone,
        case when phone is not null then origin end as phone_from,
        mobile_phone,
        fax,
        website,
        birthdate,
        mailing,
        case when mailing is not null then origin end as mailing_from,
        null::struct(
            street varchar, city varchar, state varchar,
            postal_code varchar, country varchar, phone varchar
        ) as first_added,
        other,
        case when other is not null then origin end as other_from,
        newsletter,
        entity = 'customer' as is_customer,
        entity = 'subscriber' as is_subscriber,
        entity = 'contact' as is_contact,
        entity = 'order' as has_ordered,
        case when entity = 'contact' then {'source': source, 'list': list} end as contact_of,
        list as lists,
        customer_group,
        gender,
        tags,
        note,
        [source] as sources,
        1::bigint as source_records,
        as_of
    from said
    where members = 1
),

golden as (
    select * from known_by_one
    union all
    select * from known_by_several
),

placed as (
    select
        golden.*,
        coalesce(mailing, first_added) as mailing_block,
        coalesce(
            other,
            list_filter(
                addresses.addresses,
                lambda a: a is distinct from coalesce(mailing, first_added)
            )[1]
        ) as other_block,
        addresses.addresses as addresses,
        case
            when name is null and (
                policies.subscribers_parse_email = 'every_subscriber'
                or (policies.subscribers_parse_email = 'customers_only' and is_customer)
            ) then name_of_email(email)
        end as derived
    from golden
    cross join policies
    left join addresses using (person_key)
),

named as (
    select
        *,
        coalesce(name.first, derived.first) as first_name,
        coalesce(name.last, derived.last) as last_name
    from placed
),

asked as (
    select
        named.*,
        coalesce(lists.account_mode, sources.account_mode, policies.account_mode) as mode,
        case
            when named.is_customer then policies.customers_single_account
            when lists.account_mode is not null then lists.account_name
            when sources.account_mode is not null then sources.account_name
            else policies.account_name
        end as forced
    from named
    cross join policies
    left join sources on sources.source = named.contact_of.source
    left join lists
        on lists.source = named.contact_of.source and lists.list = named.contact_of.list
),

wanted as (
    select
        *,
        case
            when forced is not null then forced
            when is_customer or mode <> 'none' then company
        end as wanted_account,
        case when is_customer then nullif(concat_ws(' ', first_name, last_name), '') end
            as own_name
    from asked
),

employed as (
    select
        *,
        norm_company(wanted_account) as account_name_key,
        case
            when norm_company(wanted_account) is not null
                then case when forced is not null then 'forced' else 'exact_name' end
            when own_name is not null then 'generated_name'
            else 'none'
        end as account_rule
    from wanted
)

select
    person_key,
    name.salutation as salutation,
    first_name,
    name.middle as middle_name,
    last_name,
    name.suffix as suffix,
    nickname,
    title,
    department,
    coalesce(company, case when derived is not null then company_of_email(email) end)
        as company,
    email,
    phone,
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
    contact_of.source as contact_source,
    contact_of.list as list_of_contact,
    lists,
    customer_group,
    gender,
    tags,
    note,
    derived is not null as name_derived,
    case account_rule
        when 'generated_name' then 'a-' || md5('person' || chr(31) || person_key)
        when 'none' then null
        else 'a-' || md5('name' || chr(31) || account_name_key)
    end as account_key,
    account_rule,
    case account_rule
        when 'generated_name' then own_name
        when 'none' then null
        else wanted_account
    end as account_name,
    account_name_key,
    sources,
    source_records,
    as_of,
    batch,
    {
        'name': name_from, 'email': email_from, 'phone': phone_from,
        'mailing': mailing_from, 'other': other_from
    } as values_from
from employed
cross join config_batch
