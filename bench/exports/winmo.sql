-- A contact-list export; dirt: no last name, an address without a domain, a phone without digits,
-- columns shifted so that the country is a number.
select
    'W' || id as "Contact ID",
    one_of(['Agency New Business', 'Brand Marketers'], person, 'list') as "List",
    first_name as "First Name",
    case when dirt is distinct from 'no name' then last_name end as "Last Name",
    one_of(['Buyer', 'Media Director', 'Office Manager', 'VP, Brand'], person, 'title') as "Title",
    company_name as "Company",
    'company' as "Company Type",
    null as "Brand",
    case when dirt = 'no domain' then split_part(email, '@', 1) else email end as "Email",
    case when dirt = 'no number' then 'ask the desk' else phone end as "Direct Phone",
    null as "Main Phone",
    street as "Address 1",
    null as "Address 2",
    city as "City",
    state as "State",
    postal_code as "Zip Code",
    case when dirt = 'shifted' then postal_code else 'United States' end as "Country",
    null as "LinkedIn",
    updated_at as "Last Updated"
from appearance
where source = 'winmo'
order by id
