-- Magento's "Customer Addresses": one for bill and parcel, two for one customer in three; some with
-- a line break in the street. Dirt: addresses of nobody, a mark that is neither yes nor no.
with

uses as (
    select *, 1 as place from appearance where source = 'shop'
    union all
    select *, 2 as place from appearance where source = 'shop' and one_in(3, person, 'group')
)

select
    'base' as _website,
    case when dirt is distinct from 'no mail' then email else 'nobody' || id || '@mail.example' end
        as _email,
    2 * id + place as _entity_id,
    city,
    case when place = 2 then company_name end as company,
    'US' as country_id,
    null as fax,
    first_name as firstname,
    last_name as lastname,
    null as middlename,
    postal_code as postcode,
    null as prefix,
    state as region,
    null as region_id,
    case when one_in(20, person, 'flat') then street || chr(10) || 'Apt. ' || id % 100 else street end
        as street,
    null as suffix,
    phone as telephone,
    null as vat_id,
    null as vat_is_valid,
    null as vat_request_date,
    null as vat_request_id,
    null as vat_request_success,
    case
        when dirt = 'no flag' then 'maybe'
        when place = 2 or not one_in(3, person, 'group') then '1'
    end as _address_default_billing_,
    case when place = 1 then '1' end as _address_default_shipping_
from uses
order by id, place
