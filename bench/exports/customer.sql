-- Magento's "Customers Main File", secrets included; dirt: no e-mail address, a birthday that does
-- not exist, a time that cannot be read.
select
    case when dirt is distinct from 'no mail' then email end as email,
    'base' as _website,
    'default' as _store,
    null as confirmation,
    '2023-05-04 09:30:00' as created_at,
    'Default Store View' as created_in,
    '0' as disable_auto_group_change,
    case when dirt = 'no such day' then '1985-02-31 00:00:00' else birthdate || ' 00:00:00' end as dob,
    first_name as firstname,
    null as gender,
    case when one_in(3, person, 'group') then '2' else '1' end as group_id,
    last_name as lastname,
    null as middlename,
    md5('password' || person) as password_hash,
    null as prefix,
    '0' as reward_update_notification,
    '0' as reward_warning_notification,
    md5('token' || person) as rp_token,
    updated_at as rp_token_created_at,
    '1' as store_id,
    null as suffix,
    null as taxvat,
    case when dirt = 'no time' then 'yesterday' else updated_at end as updated_at,
    '1' as website_id,
    null as password
from appearance
where source = 'shop'
order by id
