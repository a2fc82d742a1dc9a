-- Contact lists, one row per landed row: text cleaned, dates read, an id for every row that has
-- anything to be known by.
-- owner: team:crm
-- rows_of: raw_contacts
-- source_id: the source's own id, else a hash of the e-mail address, of a personal page at LinkedIn, or of name, company and phone or, without one, address
-- alias_ids: further ids that the row is known by: what it was called by the values that once counted
-- parent_id: the contact of the parent source to whom this row adds an address
-- first_name: as given; without first and last name, all but the last word of the full name
-- last_name: as given; without first and last name, the last word of the full name
-- street: street, second line and building, one a line
-- consent: every cell that says something of consent, as it was read; null where none does
-- as_of: when the row was true: its own update time, else the start of the batch's day
with

raw as (

    select
        *,
        email_cell('email', email) as email_cell,
        phone_cell('phone', phone) as phone_cell,
        phone_cell('main_phone', main_phone) as main_phone_cell,
        phone_cell('mobile_phone', mobile_phone) as mobile_phone_cell,
        phone_cell('home_phone', home_phone) as home_phone_cell,
        phone_cell('other_phone', other_phone) as other_phone_cell,
        phone_cell('fax', fax) as fax_cell
    from raw_contacts

),

formats as (

    select * from config_formats

),

cleaned as (

    select
        _source as source,
        clean(contact_id) as contact_id,
        clean(parent_id) as parent_id,
        clean(list_id) as list_id,
        value(list_name) as list_name,
        name_value(prefix) as prefix,
        name_value(first_name) as first_name,
        name_value(middle_name) as middle_name,
        name_value(last_name) as last_name,
        name_value(suffix) as suffix,
        name_value(nickname) as nickname,
        name_value(name) as name,
        value(title) as title,
        value(department) as department,
        company_value(company) as company,
        value(company_type) as company_type,
        value(brand) as brand,
        value(category) as category,
        cell_value(email_cell, lower(email)) as email,
        cell_value(phone_cell, phone) as phone,
        cell_value(main_phone_cell, main_phone) as main_phone,
        cell_value(mobile_phone_cell, mobile_phone) as mobile_phone,
        cell_value(home_phone_cell, home_phone) as home_phone,
        cell_value(other_phone_cell, other_phone) as other_phone,
        cell_value(fax_cell, fax) as fax,
        value_lines(street) as street,
        value_lines(street2) as street2,
        value(building) as building,
        value(city) as city,
        place_value(state) as state,
        place_value(postal_code) as postal_code,
        place_value(country) as country,
        value_lines(other_street) as other_street,
        value_lines(other_street2) as other_street2,
        value(other_city) as other_city,
        place_value(other_state) as other_state,
        place_value(other_postal_code) as other_postal_code,
        place_value(other_country) as other_country,
        value(lead_source) as lead_source,
        place_value(website) as website,
        place_value(linkedin) as linkedin,
        date_text(birthdate) as birthdate_text,
        value(assignee) as assignee,
        clean(tags) as tags,
        value_lines(note) as note,
        date_text(updated_at) as updated_at_text,
        formats.day_first,
        formats.timezone,
        email_cell,
        phone_cell,
        main_phone_cell,
        mobile_phone_cell,
        home_phone_cell,
        other_phone_cell,
        fax_cell,
        raw as landed,
        consent_cells(_consent, formats.day_first, formats.timezone, _loaded_at) as consent,
        _loaded_at,
        _source,
        _file,
        _row,
        _batch,
        _defect
    from raw
    left join formats on formats.source = raw._source

),

compared as (

    select
        *,
        concat_ws(
            chr(10),
            left_out('contact_id', landed.contact_id, contact_id),
            left_out('parent_id', landed.parent_id, parent_id),
            left_out('list_id', landed.list_id, list_id),
            left_out('list_name', landed.list_name, list_name),
            left_out('prefix', landed.prefix, prefix),
            altered('first_name', landed.first_name, first_name),
            altered('middle_name', landed.middle_name, middle_name),
            altered('last_name', landed.last_name, last_name),
            left_out('suffix', landed.suffix, suffix),
            left_out('nickname', landed.nickname, nickname),
            altered('name', landed.name, name),
            altered('title', landed.title, title),
            altered('department', landed.department, department),
            altered('company', landed.company, company),
            left_out('company_type', landed.company_type, company_type),
            left_out('brand', landed.brand, brand),
            left_out('category', landed.category, category),
            partly('email', landed.email, email, email_cell),
            partly('phone', landed.phone, phone, phone_cell),
            partly('main_phone', landed.main_phone, main_phone, main_phone_cell),
            partly('mobile_phone', landed.mobile_phone, mobile_phone, mobile_phone_cell),
            partly('home_phone', landed.home_phone, home_phone, home_phone_cell),
            partly('other_phone', landed.other_phone, other_phone, other_phone_cell),
            partly('fax', landed.fax, fax, fax_cell),
            altered('street', landed.street, street),
            altered('street2', landed.street2, street2),
            left_out('building', landed.building, building),
            altered('city', landed.city, city),
            left_out('state', landed.state, state),
            left_out('postal_code', landed.postal_code, postal_code),
            left_out('country', landed.country, country),
            altered('other_street', landed.other_street, other_street),
            altered('other_street2', landed.other_street2, other_street2),
            altered('other_city', landed.other_city, other_city),
            left_out('other_state', landed.other_state, other_state),
            left_out('other_postal_code', landed.other_postal_code, other_postal_code),
            left_out('other_country', landed.other_country, other_country),
            left_out('lead_source', landed.lead_source, lead_source),
            case
                when is_linkedin(website) and website <> linkedin then 'website second_profile'
                else left_out('website', landed.website, website)
            end,
            left_out('linkedin', landed.linkedin, linkedin),
            left_out('birthdate', landed.birthdate, birthdate_text),
            left_out('assignee', landed.assignee, assignee),
            left_out('tags', landed.tags, tags),
            altered('note', landed.note, note),
            left_out('updated_at', landed.updated_at, updated_at_text)
        ) as reasons,
        coalesce(
            nullif(concat_ws(' ', clean(landed.first_name), clean(landed.last_name)), ''),
            clean(landed.name)
        ) as written_name,
        clean(landed.company) as written_company
    from cleaned

),

named as (

    select
        * replace (
            nullif(concat_ws(chr(10), street, street2, building), '') as street,
            nullif(concat_ws(chr(10), other_street, other_street2), '') as other_street,
            -- A page of LinkedIn is a person's own and nobody's web site, whatever its column is called.
            case when not coalesce(is_linkedin(website), false) then website end as website,
            coalesce(linkedin, case when is_linkedin(website) then website end) as linkedin,
            case
                when first_name is null and last_name is null
                    then nullif(regexp_replace(name, ' ?[^ ]+$', ''), '')
                else first_name
            end as first_name,
            case
                when first_name is null and last_name is null
                    then regexp_extract(name, '[^ ]+$')
                else last_name
            end as last_name
        ),
        -- By what a row without id and address is known: what the file says, whatever is made of it.
        case
            when contact_id is null and email is null
                then row_hash(
                    [
                        -- A name of nothing but signs has no normal form, and is a name all the same.
                        coalesce(norm_text(written_name), written_name),
                        norm_company(written_company),
                        digits(clean(landed.phone))
                    ]
                )
        end as named_id,
        parse_date(birthdate_text, day_first) as birthdate,
        parse_timestamp(updated_at_text, day_first, timezone) as updated_at
    from compared

),

known as (

    select
        *,
        regexp_extract(lower(linkedin), 'linkedin[.]com/in/([^/?#]+)', 1) as profile,
        norm_text(concat_ws(' ', street, city, state, postal_code, country)) as whole_address,
        case
            when contact_id is not null then contact_id
            -- An address that is added to a person is known by that person and itself.
            when parent_id is not null
                then row_hash([parent_id, street, city, postal_code, country, phone])
            when email is not null then row_hash([email])
            when named_id is null then null
            when profile <> '' then row_hash(['linkedin', profile])
            -- Namesakes live at different addresses; somebody with a phone number may move.
            when digits(phone) is null and whole_address is not null
                then row_hash([named_id, whole_address])
            else named_id
        end as source_id
    from named

)

select
    source,
    source_id,
    case when email is null and parent_id is null and named_id <> source_id then [named_id] end
        as alias_ids,
    parent_id,
    list_id,
    list_name,
    prefix,
    first_name,
    middle_name,
    last_name,
    suffix,
    nickname,
    title,
    department,
    company,
    company_type,
    brand,
    category,
    email,
    phone,
    main_phone,
    mobile_phone,
    home_phone,
    other_phone,
    fax,
    street,
    city,
    state,
    postal_code,
    country,
    other_street,
    other_city,
    other_state,
    other_postal_code,
    other_country,
    lead_source,
    website,
    linkedin,
    birthdate,
    birthdate_text,
    assignee,
    tags,
    note,
    updated_at,
    updated_at_text,
    recency(updated_at, _loaded_at, _batch) as as_of,
    case
        when coalesce(
            email_cell, phone_cell, main_phone_cell, mobile_phone_cell, home_phone_cell,
            other_phone_cell, fax_cell
        ) is null
            then landed._extra
        else with_further(
            landed._extra,
            to_json(
                [
                    email_cell, phone_cell, main_phone_cell, mobile_phone_cell, home_phone_cell,
                    other_phone_cell, fax_cell
                ]
            )::varchar
        )::json
    end as _extra,
    blanked(reasons, landed) as _blanked,
    consent,
    _source,
    _file,
    _row,
    _batch,
    _defect
from known
