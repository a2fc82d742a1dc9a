-- The golden record of every person in the batch's scope: per field the best value that any of the
-- person's source records gives. Names, and each address, survive as one block, so that no street
-- of one source stands beside the city of another.
-- owner: team:crm
-- batches: person_records
--   select distinct batch from person_links
-- person_key: the External Id in Salesforce; minted once, never reused
-- opted_out: whether the newest statement of any source refuses e-mail to the person's addresses; null when nobody ever said anything, or not clearly
-- consent_open: somebody was asked and has not answered, or what they said cannot be read: a record that is made of them is opted out, one that is there left alone
-- do_not_call: true where a source says so, never false
-- further_addresses: the addresses beyond the two that Salesforce has room for, one a line
-- name_derived: the name was read from the e-mail address, for want of a better one
-- customer_group: by the name that its source gives the number (groups), else as the shop exports it
-- contact_lists: every contact list that the person stands on, as source and name
-- asked_account: the account the person asks for, as the sources write it; which one that is, account_links decides
-- asked_by: forced (one account for all), exact_name, generated_name (First Last, for a customer or guest without company) or none
-- asked_name_key: the name without case, accents, punctuation and legal suffix; equal keys ask for one account
-- asks_contact: the person is a customer, has ordered, or stands on a list that asks for contacts; only such people say what an account's address is
-- selected: a source record of theirs is chosen to be written (select and as: none of sources.yaml)
-- aliases: keys of people who turned out to be this one; records in Salesforce may still carry them
-- values_from: which source record each block of values came from, where there are several

with

links as not materialized (select * from person_links),

records as not materialized (select * from person_records),

aliases as (select * from config_aliases),

sources as (select * from config_sources),

lists as (select * from config_lists),

groups as (select * from config_groups),

policies as (select * from config_policies),

selections as (select * from config_selections),

-- What one record says, as if nobody else said anything. Wide, so it is read twice and never held.
said as not materialized (
    select
        links.person_key,
        links.records,
        links.rank,
        records.entity,
        -- As sources.yaml calls it, by its name or its id; else by its name.
        coalesce(by_name.list, by_id.list, records.list, records.list_id) as list_called,
        case when records.last_name is not null then {
            'salutation': records.salutation, 'first': records.first_name,
            'middle': records.middle_name, 'last': records.last_name, 'suffix': records.suffix
        } end as name,
        records.nickname,
        records.title,
        records.department,
        records.company,
        records.email,
        records.phone,
        records.mobile_phone,
        records.home_phone,
        records.other_phone,
        records.fax,
        records.website,
        records.birthdate,
        records.lead_source,
        records.mailing,
        records.other,
        records.further,
        records.newsletter,
        records.entity = 'customer' as is_customer,
        records.entity = 'subscriber' as is_subscriber,
        records.entity = 'contact' as is_contact,
        records.entity = 'order' and not coalesce(records.is_void, false) as has_ordered,
        -- Rows that are only an address choose nobody.
        case when records.entity <> 'address' then
            if(by_name.list is null, by_id.list_as, by_name.list_as) is distinct from 'none'
            and (
                sources.selects is not true
                or coalesce(chosen_list.source, chosen_list_id.source, chosen_id.source)
                    is not null
            )
        end as selected,
        case when records.entity = 'contact' then records.source end as contact_source,
        case when records.entity = 'contact' then list_called end as list_of_contact,
        case when records.entity = 'contact' then [{
            'source': records.source, 'list': list_called
        }] end as contact_lists,
        coalesce(records.list, records.list_id) as lists,
        coalesce(groups.name, records.customer_group) as customer_group,
        records.gender,
        records.tags,
        records.note,
        records.source,
        records.as_of,
        records.source || '/' || records.source_id as origin
    from links
    join records on records.record = links.record and records.batch = links.batch
    left join lists as by_name
        on by_name.source = records.source and by_name.list = records.list
    left join lists as by_id
        on by_id.source = records.source and by_id.list = records.list_id
    left join groups
        on groups.source = records.source and groups.number = records.customer_group
    left join sources on sources.source = records.source
    left join selections as chosen_list
        on chosen_list.source = records.source and chosen_list.list = records.list
    left join selections as chosen_list_id
        on chosen_list_id.source = records.source and chosen_list_id.list = records.list_id
    left join selections as chosen_id
        on chosen_id.source = records.source and chosen_id.id = records.source_id
),

-- Most people are known from one record, which needs no weighing.
known_by_one as (
    select
        * exclude (records, rank, entity, source, origin, list_called, further),
        [source] as sources,
        1::bigint as source_records,
        null::struct(
            name varchar, email varchar, phone varchar, mailing varchar, other varchar
        ) as values_from,
        list_filter(
            further,
            lambda one: one is not null
                and one is distinct from mailing and one is distinct from other
        ) as further
    from said
    where records = 1
),

said_together as not materialized (select * from said where records > 1),

weighed as (
    select
        person_key,
        arg_min(name, rank) as name,
        arg_min(nickname, rank) as nickname,
        arg_min(title, rank) as title,
        arg_min(department, rank) as department,
        arg_min(company, rank) as company,
        arg_min(email, rank) as email,
        arg_min(phone, rank) filter (where entity <> 'address') as phone,
        arg_min(mobile_phone, rank) as mobile_phone,
        arg_min(home_phone, rank) as home_phone,
        arg_min(other_phone, rank) as other_phone,
        arg_min(fax, rank) filter (where entity <> 'address') as fax,
        arg_min(website, rank) as website,
        arg_min(birthdate, rank) as birthdate,
        arg_min(lead_source, rank) as lead_source,
        arg_min(mailing, rank) as mailing,
        arg_min(other, rank) as other,
        -- Of two statements of one moment the refusal counts.
        arg_max(newsletter, (as_of, newsletter <> 'subscribed', -rank)) as newsletter,
        bool_or(is_customer) as is_customer,
        bool_or(is_subscriber) as is_subscriber,
        bool_or(is_contact) as is_contact,
        bool_or(has_ordered) as has_ordered,
        bool_or(selected) as selected,
        arg_min(contact_source, rank) as contact_source,
        arg_min_null(list_of_contact, rank) filter (where is_contact) as list_of_contact,
        list_sort(list_distinct(list(contact_lists[1]) filter (where is_contact)))
            as contact_lists,
        array_to_string(list_sort(list_distinct(list(lists) filter (where lists is not null))), '; ') as lists,
        arg_min(customer_group, rank) as customer_group,
        arg_min(gender, rank) as gender,
        arg_min(tags, rank) as tags,
        arg_min(note, rank) as note,
        max(as_of) as as_of,
        list_sort(list_distinct(list(source))) as sources,
        count(*) filter (where entity <> 'address') as source_records,
        {
            'name': arg_min(origin, rank) filter (where name is not null),
            'email': arg_min(origin, rank) filter (where email is not null),
            'phone': arg_min(origin, rank)
                filter (where phone is not null and entity <> 'address'),
            'mailing': arg_min(origin, rank) filter (where mailing is not null),
            'other': arg_min(origin, rank) filter (where other is not null)
        } as values_from
    from said_together
    group by person_key
),

-- Addresses that are neither: first those of the person's own records, then what was added.
spare as (
    select
        person_key,
        -- Sorting each list afterwards costs a third of an aggregate with an order.
        list_sort(list({'turn': turn, 'rank': rank, 'block': block, 'origin': origin})) as known
    from (
        select
            person_key,
            case when entity = 'address' then 3 else 1 end as turn,
            rank,
            mailing as block,
            origin
        from said_together
        where mailing is not null
        union all
        select person_key, 2 as turn, rank, other as block, origin
        from said_together
        where other is not null
        union all
        select person_key, 2 as turn, rank, unnest(further) as block, origin
        from said_together
        where further is not null
    )
    join (select person_key, mailing, other from weighed) using (person_key)
    where block is distinct from mailing and block is distinct from other
    group by person_key
),

known_by_several as (
    select
        weighed.* replace (
            coalesce(other, known[1].block) as other,
            struct_update(
                values_from, other := coalesce(values_from.other, known[1].origin)
            ) as values_from
        ),
        list_transform(
            if(other is null, known[2:], known), lambda one: one.block
        ) as further
    from weighed
    left join spare using (person_key)
),

golden as (
    select * from known_by_one
    union all
    select * from known_by_several
),

-- Of a person counts what is in force of each record and of each address that they have now.
statements as (
    select
        abouts.person_key,
        bool_or(says = 'out') filter (where channel = 'email') as is_out,
        bool_or(says = 'open') filter (where channel = 'email') as is_open,
        bool_or(says = 'out') filter (where channel = 'call') as no_calls
    from (
        select person_key, record_key(source, source_id) as about from links
        union
        select person_key, unnest(list_filter(keys, lambda one: ends_with(one.rule, 'email'))).key
        from links
        join records on records.record = links.record and records.batch = links.batch
    ) as abouts
    join config_statements using (about)
    group by abouts.person_key
),

nameless as (
    select
        golden.*,
        case
            when name is null and (
                policies.subscribers_parse_email = 'every_subscriber'
                or (policies.subscribers_parse_email = 'customers_only' and is_customer)
            ) then name_parts(email)
        end as parts
    from golden
    cross join policies
),

named as (
    select
        * exclude (name),
        name.salutation as salutation,
        case when len(parts) = 2 then capitalised(parts[1]) else name.first end as first_name,
        name.middle as middle_name,
        case when len(parts) in (1, 2) then capitalised(parts[-1]) else name.last end as last_name,
        name.suffix as suffix,
        coalesce(len(parts) in (1, 2), false) as name_derived
    from nameless
),

-- Who stands on several lists is a contact if one of them asks for contacts.
on_several as (
    select
        person_key,
        bool_or(coalesce(lists.list_as, sources.list_as, policies.contacts_as) = 'contact')
            as any_asks
    from (
        select person_key, unnest(contact_lists) as one
        from golden
        where len(contact_lists) > 1
    )
    cross join policies
    left join sources on sources.source = one.source
    left join lists on lists.source = one.source and lists.list = one.list
    group by person_key
),

-- Which rule says what account a person asks for.
ruled as (
    select
        named.*,
        case
            when named.is_contact
                then coalesce(lists.account_mode, sources.account_mode, policies.account_mode)
        end as mode,
        named.is_contact
            and coalesce(lists.list_as, sources.list_as, policies.contacts_as) = 'contact'
            as list_asks,
        case
            when named.is_customer then policies.customers_single_account
            when not named.is_contact then null
            when lists.account_mode is not null then lists.account_name
            when sources.account_mode is not null then sources.account_name
            else policies.account_name
        end as forced
    from named
    cross join policies
    left join sources on sources.source = named.contact_source
    left join lists
        on lists.source = named.contact_source and lists.list = named.list_of_contact
),

wanted as (
    select
        *,
        case
            when forced is not null then forced
            when is_customer or mode is distinct from 'none' then company
        end as wanted_account,
        case when is_customer or has_ordered then nullif(concat_ws(' ', first_name, last_name), '') end
            as own_name
    from ruled
),

keyed as (
    select *, norm_company(wanted_account) as asked_name_key
    from wanted
),

asked as (
    select
        *,
        case
            when asked_name_key is not null
                then case when forced is not null then 'forced' else 'exact_name' end
            when own_name is not null then 'generated_name'
            else 'none'
        end as asked_by
    from keyed
)

select
    asked.person_key,
    salutation,
    first_name,
    middle_name,
    last_name,
    suffix,
    nickname,
    title,
    department,
    coalesce(company, case when name_derived then company_of_email(asked.email) end)
        as company,
    asked.email,
    phone,
    mobile_phone,
    home_phone,
    fax,
    website,
    birthdate,
    lead_source,
    mailing.street as mailing_street,
    mailing.city as mailing_city,
    mailing.state as mailing_state,
    mailing.postal_code as mailing_postal_code,
    mailing.country as mailing_country,
    mailing.phone as mailing_phone,
    other.street as other_street,
    other.city as other_city,
    other.state as other_state,
    other.postal_code as other_postal_code,
    other.country as other_country,
    coalesce(asked.other_phone, other.phone) as other_phone,
    nullif(
        array_to_string(
            list_transform(
                list_filter(further, lambda one, spot: list_position(further, one) = spot),
                lambda one: place_line(one)
            ),
            chr(10)
        ),
        ''
    ) as further_addresses,
    newsletter,
    case when statements.is_out then true when not statements.is_open then false end as opted_out,
    coalesce(statements.is_open and not statements.is_out, false) as consent_open,
    case when statements.no_calls then true end as do_not_call,
    is_customer,
    is_subscriber,
    is_contact,
    has_ordered,
    contact_source,
    list_of_contact,
    contact_lists,
    lists,
    coalesce(selected, true) as selected,
    customer_group,
    gender,
    tags,
    note,
    name_derived,
    case asked_by
        when 'generated_name' then own_name
        when 'none' then null
        else wanted_account
    end as asked_account,
    asked_by,
    asked_name_key,
    is_customer or has_ordered or list_asks or coalesce(on_several.any_asks, false)
        as asks_contact,
    coalesce(aliases.aliases, []) as aliases,
    sources,
    source_records,
    as_of,
    batch,
    values_from
from asked
cross join config_batch
left join aliases on aliases.person_key = asked.person_key
left join statements on statements.person_key = asked.person_key
left join on_several on on_several.person_key = asked.person_key
