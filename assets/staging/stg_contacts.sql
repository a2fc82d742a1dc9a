-- Contact lists, one row per landed row: text cleaned, dates read, an id for every row that has
-- anything to be known by.
-- owner: team:crm
-- rows_of: raw_contacts
-- source_id: the source's own id, else a hash of the e-mail address, of a personal page at LinkedIn, or of name, company and phone or, without one, address
-- alias_ids: further ids that the row is known by: what it was called by the values that once counted
-- parent_id: the contact of the parent source to whom this row adds an address
-- first_name: as given, else what the full name says
-- last_name: as given, else what the full name says; the whole name, where nobody knows its parts
-- name_left_out: what stood in a name's cells and is no part of the name
-- name_doubt: why that was left out, or why the name was not split
-- name_required: a row without a last name is rejected (on_missing_name)
-- street: street, second line and building, one a line
-- consent: every cell that says something of consent, as it was read; null where none does
-- as_of: when the row was true: its own update time, else the start of the batch's day
with

raw as not materialized (

    select * from raw_contacts

),

-- Names that do not stand there part by part, each read once.
read_names as materialized (

    select
        first_name,
        last_name,
        name,
        name_read(first_name, last_name, name) as parts
    from (
        select distinct
            clean(first_name) as first_name,
            clean(last_name) as last_name,
            clean(name) as name
        from raw
        where is_name_to_read(clean(first_name), clean(last_name), clean(name))
    )

),

formats as (

    select * from config_formats

),

cleaned as (

    select
        _source as source,
        coalesce(
            nullif(concat_ws(' ', clean(first_name), clean(last_name)), ''), clean(name)
        ) as written_name,
        clean(contact_id) as contact_id,
        -- By what a row without id and address is known, read as ever whatever else is made of it.
        case
            when clean(contact_id) is null and clean(email) is null
                then row_hash(
                    [
                        -- A name of nothing but signs has no normal form, and is a name all the same.
                        coalesce(norm_text(written_name), written_name),
                        norm_company(clean(company)),
                        digits(clean(phone))
                    ]
                )
        end as named_id,
        clean(parent_id) as parent_id,
        clean(list_id) as list_id,
        clean(list_name) as list_name,
        clean(prefix) as prefix,
        clean(first_name) as first_name,
        clean(middle_name) as middle_name,
        clean(last_name) as last_name,
        clean(suffix) as suffix,
        clean(nickname) as nickname,
        clean(name) as name,
        clean(title) as title,
        clean(department) as department,
        clean(company) as company,
        clean(company_type) as company_type,
        clean(brand) as brand,
        clean(category) as category,
        norm_email(email) as email,
        clean(phone) as phone,
        clean(main_phone) as main_phone,
        clean(mobile_phone) as mobile_phone,
        clean(home_phone) as home_phone,
        clean(other_phone) as other_phone,
        clean(fax) as fax,
        nullif(
            concat_ws(chr(10), clean_lines(street), clean_lines(street2), clean(building)), ''
        ) as street,
        clean(city) as city,
        clean(state) as state,
        clean(postal_code) as postal_code,
        clean(country) as country,
        nullif(concat_ws(chr(10), clean_lines(other_street), clean_lines(other_street2)), '')
            as other_street,
        clean(other_city) as other_city,
        clean(other_state) as other_state,
        clean(other_postal_code) as other_postal_code,
        clean(other_country) as other_country,
        clean(lead_source) as lead_source,
        -- A page of LinkedIn is a person's own and nobody's web site, whatever its column is called.
        case when not coalesce(is_linkedin(website), false) then clean(website) end as website,
        coalesce(clean(linkedin), case when is_linkedin(website) then clean(website) end)
            as linkedin,
        date_text(birthdate) as birthdate_text,
        clean(assignee) as assignee,
        clean(tags) as tags,
        clean_lines(note) as note,
        date_text(updated_at) as updated_at_text,
        formats.day_first,
        formats.timezone,
        coalesce(formats.name_required, false) as name_required,
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

named as (

    select
        cleaned.* replace (
            coalesce(cleaned.prefix, read_names.parts.prefix) as prefix,
            if(read_names.parts is null, cleaned.first_name, read_names.parts.first) as first_name,
            if(read_names.parts is null, cleaned.last_name, read_names.parts.last) as last_name,
            coalesce(cleaned.suffix, read_names.parts.suffix) as suffix
        ),
        read_names.parts.left_out as name_left_out,
        read_names.parts.why as name_doubt,
        -- As the cells say it, whatever is read in them: the id of a row that has none rests on it.
        coalesce(
            nullif(concat_ws(' ', cleaned.first_name, cleaned.last_name), ''), cleaned.name
        ) as full_name,
        parse_date(birthdate_text, day_first) as birthdate,
        parse_timestamp(updated_at_text, day_first, timezone) as updated_at
    from cleaned
    left join read_names
        on read_names.first_name is not distinct from cleaned.first_name
        and read_names.last_name is not distinct from cleaned.last_name
        and read_names.name is not distinct from cleaned.name

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
    name_left_out,
    name_doubt,
    name_required,
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
    consent,
    _source,
    _file,
    _row,
    _batch,
    _defect
from known
