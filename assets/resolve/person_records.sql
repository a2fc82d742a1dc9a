-- What each source record of the batch says of a person, in one shape for all sources: one row per
-- valid contact, customer, subscriber and guest order, and one per further address of a contact. A
-- customer or an order stands here with all its addresses, whichever day brought them.
-- owner: team:crm
-- record: 64 bits of md5 over source and source id; how the state knows a record
-- parent: the record whose person this address belongs to, if the row is only an address
-- email_key: equal for records that share a personal e-mail address; role mailboxes such as info@ count only together with the last name; an address's own is nobody's
-- customer_key: equal for records that carry the same customer id of the same shop
-- priority: of the source; the smaller one wins where two sources disagree
-- mailing: the address mail goes to; for a customer the default shipping address
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
    qualify row_number() over (
        partition by known.source, known.source_id order by known.as_of desc, known._batch desc
    ) = 1
),

addresses as (
    select known.*
    from valid_customer_addresses_by_batch as known
    semi join touched_customers as touched
        on touched.source = known.source and touched.source_id = known.customer_source_id
    qualify row_number() over (
        partition by known.source, known.source_id order by known.as_of desc, known._batch desc
    ) = 1
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
    qualify row_number() over (
        partition by known.source, known.source_id order by known.as_of desc, known._batch desc
    ) = 1
),

order_addresses as (
    select known.*
    from valid_order_addresses_by_batch as known
    semi join touched_orders as touched
        on touched.source = known.source and touched.source_id = known.order_source_id
    qualify row_number() over (
        partition by known.source, known.source_id order by known.as_of desc, known._batch desc
    ) = 1
),

address_of_customer as (
    select
        source,
        customer_source_id,
        max(as_of) as as_of,
        arg_max(a, (is_default_shipping, as_of, source_id)) as shipping,
        arg_max(a, (is_default_billing, as_of, source_id)) as billing
    from (
        select
            source,
            customer_source_id,
            source_id,
            as_of,
            coalesce(is_default_shipping, false) as is_default_shipping,
            coalesce(is_default_billing, false) as is_default_billing,
            {
                'company': company, 'street': street, 'city': city, 'state': region,
                'postal_code': postal_code, 'country': country, 'phone': phone, 'fax': fax
            } as a
        from addresses
    )
    group by source, customer_source_id
),

address_of_order as (
    select
        source,
        order_source_id,
        max(as_of) as as_of,
        arg_max(a, source_id) filter (where address_type = 'shipping') as shipping,
        arg_max(a, source_id) filter (where address_type = 'billing') as billing
    from (
        select
            source,
            order_source_id,
            source_id,
            as_of,
            address_type,
            {
                'company': company, 'street': street, 'city': city, 'state': region,
                'postal_code': postal_code, 'country': country, 'phone': phone,
                'fax': null::varchar
            } as a
        from order_addresses
    )
    group by source, order_source_id
),

said as (
    select
        contacts.source,
        contacts.source_id,
        case when contacts.parent_id is null then 'contact' else 'address' end as entity,
        contacts.as_of,
        sources.parent_source as parent_source,
        contacts.parent_id,
        null::varchar as customer_source,
        null::varchar as customer_id,
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
        contacts.fax,
        contacts.website,
        contacts.birthdate,
        {
            'street': contacts.street, 'city': contacts.city, 'state': contacts.state,
            'postal_code': contacts.postal_code, 'country': contacts.country,
            'phone': contacts.phone
        } as mailing,
        null::struct(
            street varchar, city varchar, state varchar,
            postal_code varchar, country varchar, phone varchar
        ) as other,
        null::varchar as newsletter,
        null::varchar as customer_group,
        null::varchar as gender,
        contacts.list_name as list,
        contacts.tags,
        contacts.note,
        contacts._file,
        contacts._row
    from contacts
    left join sources on sources.source = contacts.source

    union all by name

    select
        customers.source,
        customers.source_id,
        'customer' as entity,
        greatest(customers.as_of, a.as_of) as as_of,
        customers.source as customer_source,
        customers.customer_id,
        customers.prefix as salutation,
        customers.first_name,
        customers.middle_name,
        customers.last_name,
        customers.suffix,
        a.billing.company as company,
        customers.email,
        coalesce(a.shipping.phone, a.billing.phone) as phone,
        coalesce(a.shipping.fax, a.billing.fax) as fax,
        customers.birthdate,
        {
            'street': a.shipping.street, 'city': a.shipping.city, 'state': a.shipping.state,
            'postal_code': a.shipping.postal_code, 'country': a.shipping.country,
            'phone': a.shipping.phone
        } as mailing,
        {
            'street': a.billing.street, 'city': a.billing.city, 'state': a.billing.state,
            'postal_code': a.billing.postal_code, 'country': a.billing.country,
            'phone': a.billing.phone
        } as other,
        customers.group_id as customer_group,
        customers.gender,
        customers._file,
        customers._row
    from customers
    left join address_of_customer as a
        on a.source = customers.source and a.customer_source_id = customers.source_id

    union all by name

    select
        subscribers.source,
        subscribers.source_id,
        'subscriber' as entity,
        subscribers.as_of,
        sources.customer_source,
        subscribers.customer_id,
        subscribers.first_name,
        subscribers.last_name,
        subscribers.email,
        subscribers.status as newsletter,
        subscribers._file,
        subscribers._row
    from subscribers
    left join sources on sources.source = subscribers.source

    union all by name

    select
        orders.source,
        orders.source_id,
        'order' as entity,
        greatest(orders.as_of, a.as_of) as as_of,
        sources.customer_source,
        orders.customer_id,
        orders.first_name,
        orders.last_name,
        a.billing.company as company,
        orders.email,
        coalesce(a.shipping.phone, a.billing.phone) as phone,
        case when policies.guests_addresses = 'capture' then {
            'street': a.shipping.street, 'city': a.shipping.city, 'state': a.shipping.state,
            'postal_code': a.shipping.postal_code, 'country': a.shipping.country,
            'phone': a.shipping.phone
        } end as mailing,
        case when policies.guests_addresses = 'capture' then {
            'street': a.billing.street, 'city': a.billing.city, 'state': a.billing.state,
            'postal_code': a.billing.postal_code, 'country': a.billing.country,
            'phone': a.billing.phone
        } end as other,
        orders.group_id as customer_group,
        orders._file,
        orders._row
    from orders
    cross join policies
    left join sources on sources.source = orders.source
    left join address_of_order as a
        on a.source = orders.source and a.order_source_id = orders.source_id
),

prioritised as (
    select said.*, coalesce(sources.priority, 100) as priority
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
    case
        when entity = 'address' then null
        when split_part(email, '@', 1) in (
            'info', 'sales', 'office', 'contact', 'admin', 'support', 'hello', 'mail', 'service',
            'team', 'enquiries', 'inquiries', 'billing', 'accounts', 'webmaster', 'marketing'
        ) then record_key(email, lower(coalesce(last_name, '')))
        when email is not null then record_key('email', email)
    end as email_key,
    case
        when customer_id is not null then record_key(coalesce(customer_source, source), customer_id)
    end as customer_key,
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
    fax,
    website,
    birthdate,
    case when coalesce(mailing.street, mailing.city, mailing.postal_code, mailing.country)
        is not null then mailing end as mailing,
    case when coalesce(other.street, other.city, other.postal_code, other.country)
        is not null then other end as other,
    newsletter,
    customer_group,
    gender,
    list,
    tags,
    note,
    _file,
    _row
from prioritised
cross join config_batch
