-- What each source record of the batch says of a person, in one shape for all sources: one row per
-- valid contact, customer, subscriber and guest order, and one per further address of a contact. A
-- customer or an order stands here with all its addresses, whichever day brought them.
-- owner: team:crm
-- record: 64 bits of md5 over source and source id; how the state knows a record
-- parent: the record whose person this address belongs to, if the row is only an address
-- keys: what may make it one person with others, by rule and as a number: the customer id of a shop, the e-mail address (an address's own is nobody's), another id that the row is known by, the name at a company
-- priority: of the source; the smaller one wins where two sources disagree
-- mailing: the address mail goes to; for a customer the default shipping address
-- further: more addresses of a customer than these two, as they come
-- is_void: an order in a state that does not count (guests.ignore_states); null for all else
-- consent: every cell that says something of consent
-- said_by: when the row was true, where it has a time of its own
-- other: a second address; for a customer the default billing address

with

contacts as (select * from valid_contacts),

subscribers as (select * from valid_subscribers),

sources as (select * from config_sources),

policies as (select * from config_policies),

-- A day may bring a customer without the addresses, or an address without the customer.
touched_customers as (
    select source, source_id from valid_customers
    union
    select source, customer_source_id as source_id from valid_customer_addresses
),

customers as (
    select known.*
    from valid_customers_by_batch as known
    semi join touched_customers as touched
        on touched.source = known.source and touched.source_id = known.source_id
    anti join valid_customers_by_batch as other
        on other.source = known.source
        and other.source_id = known.source_id
        and newer(other.as_of, other._batch, known.as_of, known._batch)
),

addresses as (
    select known.*
    from valid_customer_addresses_by_batch as known
    semi join touched_customers as touched
        on touched.source = known.source and touched.source_id = known.customer_source_id
    anti join valid_customer_addresses_by_batch as other
        on other.source = known.source
        and other.source_id = known.source_id
        and newer(other.as_of, other._batch, known.as_of, known._batch)
),

touched_orders as (
    select source, source_id from valid_orders
    union
    select source, order_source_id as source_id from valid_order_addresses
),

orders as (
    select known.*
    from valid_orders_by_batch as known
    semi join touched_orders as touched
        on touched.source = known.source and touched.source_id = known.source_id
    anti join valid_orders_by_batch as other
        on other.source = known.source
        and other.source_id = known.source_id
        and newer(other.as_of, other._batch, known.as_of, known._batch)
),

order_addresses as (
    select known.*
    from valid_order_addresses_by_batch as known
    semi join touched_orders as touched
        on touched.source = known.source and touched.source_id = known.order_source_id
    anti join valid_order_addresses_by_batch as other
        on other.source = known.source
        and other.source_id = known.source_id
        and newer(other.as_of, other._batch, known.as_of, known._batch)
),

-- Which address is for what, by their ids: to aggregate whole addresses takes twice as long.
chosen_by_customer as (
    select
        source,
        customer_source_id,
        max(as_of) as as_of,
        arg_max(source_id, coalesce(is_default_shipping, false)::int || worth) as shipping_id,
        arg_max(source_id, coalesce(is_default_billing, false)::int || worth) as billing_id
    from (select *, concat_ws(' ', as_of, source_id) as worth from addresses)
    group by source, customer_source_id
),

-- What neither is chosen for, such as a third address; most customers have none.
further_by_customer as (
    select
        addresses.source,
        addresses.customer_source_id,
        list(
            place(
                addresses.street, addresses.city, addresses.region, addresses.postal_code,
                addresses.country, addresses.phone
            )
            order by addresses.source_id
        ) as places
    from addresses
    join chosen_by_customer as chosen
        on chosen.source = addresses.source
        and chosen.customer_source_id = addresses.customer_source_id
    where addresses.source_id <> chosen.shipping_id and addresses.source_id <> chosen.billing_id
    group by addresses.source, addresses.customer_source_id
),

chosen_by_order as (
    select
        source,
        order_source_id,
        max(as_of) as as_of,
        max(source_id) filter (where address_type = 'shipping') as shipping_id,
        max(source_id) filter (where address_type = 'billing') as billing_id
    from order_addresses
    group by source, order_source_id
),

said as (
    select
        contacts.source,
        contacts.source_id,
        contacts.alias_ids,
        case when contacts.parent_id is null then 'contact' else 'address' end as entity,
        contacts.as_of,
        sources.parent_source,
        contacts.parent_id,
        contacts.prefix as salutation,
        contacts.first_name,
        contacts.middle_name,
        contacts.last_name,
        contacts.suffix,
        contacts.nickname,
        contacts.title,
        contacts.department,
        contacts.company,
        contacts.email,
        coalesce(contacts.phone, contacts.main_phone) as phone,
        contacts.mobile_phone,
        contacts.home_phone,
        contacts.other_phone,
        contacts.fax,
        contacts.website,
        contacts.birthdate,
        place(
            contacts.street, contacts.city, contacts.state, contacts.postal_code,
            contacts.country, contacts.phone
        ) as mailing,
        place(
            contacts.other_street, contacts.other_city, contacts.other_state,
            contacts.other_postal_code, contacts.other_country, contacts.other_phone
        ) as other,
        contacts.lead_source,
        contacts.list_name as list,
        contacts.list_id,
        contacts.tags,
        contacts.note,
        contacts.consent,
        contacts.updated_at,
        contacts._file,
        contacts._row
    from contacts
    left join sources on sources.source = contacts.source

    union all by name

    select
        customers.source,
        customers.source_id,
        customers.alias_ids,
        'customer' as entity,
        greatest(customers.as_of, chosen.as_of) as as_of,
        customers.source as customer_source,
        customers.customer_id,
        customers.prefix as salutation,
        customers.first_name,
        customers.middle_name,
        customers.last_name,
        customers.suffix,
        coalesce(billing.company, customers.company) as company,
        customers.email,
        coalesce(customers.phone, shipping.phone, billing.phone) as phone,
        customers.mobile_phone,
        coalesce(customers.fax, shipping.fax, billing.fax) as fax,
        customers.birthdate,
        place(
            shipping.street, shipping.city, shipping.region, shipping.postal_code,
            shipping.country, shipping.phone
        ) as mailing,
        -- A row's own second address, where the file has two of them.
        coalesce(
            place(
                customers.other_street, customers.other_city, customers.other_region,
                customers.other_postal_code, customers.other_country, null::varchar
            ),
            place(
                billing.street, billing.city, billing.region, billing.postal_code,
                billing.country, billing.phone
            )
        ) as other,
        -- Where a row's own took the place of the billing address, that is one more.
        case
            when place(
                customers.other_street, customers.other_city, customers.other_region,
                customers.other_postal_code, customers.other_country, null::varchar
            ) is null or billing.source_id is null then further.places
            else list_prepend(
                place(
                    billing.street, billing.city, billing.region, billing.postal_code,
                    billing.country, billing.phone
                ),
                coalesce(further.places, [])
            )
        end as further,
        customers.group_id as customer_group,
        customers.gender,
        customers.consent,
        customers.updated_at,
        customers._file,
        customers._row
    from customers
    left join chosen_by_customer as chosen
        on chosen.source = customers.source and chosen.customer_source_id = customers.source_id
    left join addresses as shipping
        on shipping.source = chosen.source and shipping.source_id = chosen.shipping_id
    left join addresses as billing
        on billing.source = chosen.source and billing.source_id = chosen.billing_id
    left join further_by_customer as further
        on further.source = customers.source and further.customer_source_id = customers.source_id

    union all by name

    select
        subscribers.source,
        subscribers.source_id,
        subscribers.alias_ids,
        'subscriber' as entity,
        subscribers.as_of,
        sources.customer_source,
        subscribers.customer_id,
        subscribers.prefix as salutation,
        subscribers.first_name,
        subscribers.middle_name,
        subscribers.last_name,
        subscribers.suffix,
        subscribers.company,
        subscribers.email,
        subscribers.phone,
        subscribers.mobile_phone,
        place(
            subscribers.street, subscribers.city, subscribers.state, subscribers.postal_code,
            subscribers.country, subscribers.phone
        ) as mailing,
        subscribers.status as newsletter,
        subscribers.consent,
        subscribers.updated_at,
        subscribers._file,
        subscribers._row
    from subscribers
    left join sources on sources.source = subscribers.source

    union all by name

    select
        orders.source,
        orders.source_id,
        'order' as entity,
        greatest(orders.as_of, chosen.as_of) as as_of,
        sources.customer_source,
        orders.customer_id,
        orders.first_name,
        orders.last_name,
        billing.company,
        orders.email,
        coalesce(shipping.phone, billing.phone) as phone,
        case when policies.guests_addresses = 'capture' then place(
            shipping.street, shipping.city, shipping.region, shipping.postal_code,
            shipping.country, shipping.phone
        ) end as mailing,
        case when policies.guests_addresses = 'capture' then place(
            billing.street, billing.city, billing.region, billing.postal_code,
            billing.country, billing.phone
        ) end as other,
        orders.group_id as customer_group,
        coalesce(list_contains(policies.guests_ignore_states, orders.state), false) as is_void,
        orders.consent,
        orders.updated_at,
        orders._file,
        orders._row
    from orders
    cross join policies
    left join sources on sources.source = orders.source
    left join chosen_by_order as chosen
        on chosen.source = orders.source and chosen.order_source_id = orders.source_id
    left join order_addresses as shipping
        on shipping.source = chosen.source and shipping.source_id = chosen.shipping_id
    left join order_addresses as billing
        on billing.source = chosen.source and billing.source_id = chosen.billing_id
),

prioritised as (
    select
        said.*,
        coalesce(sources.priority, 100) as priority,
        if(sources.trust_id, 'same_trusted_record', 'same_record') as id_rule
    from said
    left join sources on sources.source = said.source
)

select
    record_key(source, source_id) as record,
    source,
    source_id,
    entity,
    batch,
    as_of,
    priority,
    case when parent_id is not null then record_key(coalesce(parent_source, source), parent_id) end
        as parent,
    list_filter(
        [
            {
                'rule': 'same_customer',
                'key': case
                    when customer_id is not null
                        then record_key(coalesce(customer_source, source), customer_id)
                end
            },
            {
                'rule': if(is_role_mailbox(email), 'same_role_email', 'same_email'),
                'key': case
                    when entity <> 'address' and email is not null then record_key('email', email)
                end
            },
            -- Of a list without ids: one line has the address, another one the phone.
            {
                'rule': 'same_name_at_company',
                'key': case
                    when
                        entity = 'contact'
                        and starts_with(source_id, 'h-')
                        and company is not null
                        and first_name is not null
                        and last_name is not null
                        and (email is not null or mailing is null)
                        then record_key(
                            'name at company ' || source,
                            called(first_name, concat_ws(' ', last_name, suffix))
                            || chr(31) || coalesce(norm_company(company), company)
                        )
                end
            }
        ],
        lambda one: one.key is not null
    ) || case
        when alias_ids is null or entity = 'address' then []
        else list_transform(
            alias_ids, lambda id: {'rule': id_rule, 'key': record_key(source, id)}
        )
    end as keys,
    salutation,
    first_name,
    middle_name,
    last_name,
    suffix,
    nickname,
    title,
    department,
    company,
    email,
    phone,
    mobile_phone,
    home_phone,
    other_phone,
    fax,
    website,
    birthdate,
    lead_source,
    mailing,
    other,
    further,
    newsletter,
    consent,
    -- By when an opt-out without a moment of its own was said: its row's own time, never the batch's.
    case when updated_at <= as_of then updated_at end as said_by,
    is_void,
    customer_group,
    gender,
    list,
    list_id,
    tags,
    note,
    _file,
    _row
from prioritised
cross join config_batch
