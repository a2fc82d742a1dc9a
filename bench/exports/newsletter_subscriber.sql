-- The table newsletter_subscriber; dirt: no address, one without a domain, a status that does not
-- exist, a row that stands there twice.
with

rows as (
    select * from appearance where source = 'newsletter'
    union all
    select * from appearance where source = 'newsletter' and dirt = 'twice'
)

select
    id as subscriber_id,
    '1' as store_id,
    updated_at as change_status_at,
    '0' as customer_id,
    case
        when dirt = 'no mail' then null
        when dirt = 'no domain' then split_part(email, '@', 1)
        else email
    end as subscriber_email,
    case
        when dirt = 'no such status' then '9'
        else one_of(['1', '1', '1', '1', '1', '1', '2', '3', '4'], person, 'status' || updated_at[1:4])
    end as subscriber_status,
    md5('code' || person) as subscriber_confirm_code
from rows
order by id
