with

entities as (
    select
        people."person_key",
        people."salutation",
        people."first_name",
        people."last_name",
        people."company",
        people."title",
        people."email",
        people."phone",
        people."other_phone",
        people."mailing_phone",
        people."mobile_phone",
        people."fax",
        people."website",
        people."other_street",
        people."is_customer",
        people."has_ordered",
        people."mailing_street",
        people."mailing_city",
        people."other_city",
        people."mailing_state",
        people."other_state",
        people."mailing_postal_code",
        people."other_postal_code",
        people."mailing_country",
        people."other_country",
        people."opted_out",
        people."lead_source",
        people."note",
        people."further_addresses",
        routes.sobject as route,
        routes.excluded as _excluded
    from people
    join routes on routes.entity_key = people.person_key
),

routed as (
    select *
    from entities
    where route = 'Lead'
),

valued as (
    select
        routed.person_key as key,
        routed._excluded,
        clean_lines(cast(case "salutation" when 'Mr' then 'Mr.' when 'Mrs' then 'Mrs.' when 'Ms' then 'Ms.' when 'Dr' then 'Dr.' when 'Prof' then 'Prof.' else "salutation" end as varchar)) as "Salutation",
        clean_lines(cast("first_name" as varchar)) as "FirstName",
        clean_lines(cast(coalesce("last_name", '[not provided]') as varchar)) as "LastName",
        clean_lines(cast(coalesce("company", '[not provided]') as varchar)) as "Company",
        clean_lines(cast("title" as varchar)) as "Title",
        clean_lines(cast(lower(trim("email")) as varchar)) as "Email",
        clean_lines(cast(coalesce(phone, other_phone, mailing_phone) as varchar)) as "Phone",
        clean_lines(cast("mobile_phone" as varchar)) as "MobilePhone",
        clean_lines(cast("fax" as varchar)) as "Fax",
        clean_lines(cast("website" as varchar)) as "Website",
        clean_lines(cast(CASE WHEN other_street IS NULL OR NOT (is_customer OR has_ordered) THEN mailing_street ELSE other_street END as varchar)) as "Street",
        clean_lines(cast(CASE WHEN other_street IS NULL OR NOT (is_customer OR has_ordered) THEN mailing_city ELSE other_city END as varchar)) as "City",
        clean_lines(cast(CASE WHEN other_street IS NULL OR NOT (is_customer OR has_ordered) THEN mailing_state ELSE other_state END as varchar)) as "State",
        clean_lines(cast(CASE WHEN other_street IS NULL OR NOT (is_customer OR has_ordered) THEN mailing_postal_code ELSE other_postal_code END as varchar)) as "PostalCode",
        clean_lines(cast(CASE WHEN other_street IS NULL OR NOT (is_customer OR has_ordered) THEN mailing_country ELSE other_country END as varchar)) as "Country",
        "opted_out" as "HasOptedOutOfEmail",
        clean_lines(cast(coalesce("lead_source", 'Web') as varchar)) as "LeadSource",
        clean_lines(cast(concat_ws(chr(10), note, further_addresses) as varchar)) as "Description"
    from routed
),

wired as (
    select
        key,
        _excluded,
        "Salutation",
        "FirstName",
        "LastName",
        "Company",
        "Title",
        "Email",
        "Phone",
        "MobilePhone",
        "Fax",
        "Website",
        "Street",
        "City",
        "State",
        "PostalCode",
        "Country",
        parse_boolean("HasOptedOutOfEmail"::varchar)::varchar as "HasOptedOutOfEmail",
        case when parse_boolean("HasOptedOutOfEmail"::varchar)::varchar is null then clean("HasOptedOutOfEmail"::varchar) end as "HasOptedOutOfEmail_misfit",
        "LeadSource",
        "Description"
    from valued
)

select
    wired.key,
    wired."Salutation",
    clean_lines(left(wired."FirstName", 40)) as "FirstName",
    wired."LastName",
    clean_lines(left(wired."Company", 255)) as "Company",
    clean_lines(left(wired."Title", 128)) as "Title",
    wired."Email",
    wired."Phone",
    wired."MobilePhone",
    wired."Fax",
    wired."Website",
    clean_lines(left(wired."Street", 255)) as "Street",
    clean_lines(left(wired."City", 40)) as "City",
    wired."State",
    wired."PostalCode",
    wired."Country",
    wired."HasOptedOutOfEmail",
    wired."LeadSource",
    clean_lines(left(wired."Description", 32000)) as "Description",
    nullif(
        concat_ws(
            '; ',
            case when length(wired."Salutation") > 40 then 'Salutation has ' || length(wired."Salutation") || ' characters, 40 fit' end,
            case when length(wired."LastName") > 80 then 'LastName has ' || length(wired."LastName") || ' characters, 80 fit' end,
            case when length(wired."Email") > 80 then 'Email has ' || length(wired."Email") || ' characters, 80 fit' end,
            case when length(wired."Phone") > 40 then 'Phone has ' || length(wired."Phone") || ' characters, 40 fit' end,
            case when length(wired."MobilePhone") > 40 then 'MobilePhone has ' || length(wired."MobilePhone") || ' characters, 40 fit' end,
            case when length(wired."Fax") > 40 then 'Fax has ' || length(wired."Fax") || ' characters, 40 fit' end,
            case when length(wired."Website") > 255 then 'Website has ' || length(wired."Website") || ' characters, 255 fit' end,
            case when length(wired."State") > 80 then 'State has ' || length(wired."State") || ' characters, 80 fit' end,
            case when length(wired."PostalCode") > 20 then 'PostalCode has ' || length(wired."PostalCode") || ' characters, 20 fit' end,
            case when length(wired."Country") > 80 then 'Country has ' || length(wired."Country") || ' characters, 80 fit' end,
            'HasOptedOutOfEmail is no yes or no: ' || wired."HasOptedOutOfEmail_misfit"
        ),
        ''
    ) as _held,
    nullif(
        concat_ws(
            '; ',
            case when length(wired."LeadSource") > 255 then 'LeadSource has ' || length(wired."LeadSource") || ' characters, 255 fit' end
        ),
        ''
    ) as _held_new,
    null::varchar as _left_out,
    case
        when
            strlen(wired."FirstName") > 40
            or strlen(wired."Company") > 255
            or strlen(wired."Title") > 128
            or strlen(wired."Street") > 255
            or strlen(wired."City") > 40
            or strlen(wired."Description") > 32000
        then list_filter([
            cut_text('FirstName', wired."FirstName", 40),
            cut_text('Company', wired."Company", 255),
            cut_text('Title', wired."Title", 128),
            cut_text('Street', wired."Street", 255),
            cut_text('City', wired."City", 40),
            cut_text('Description', wired."Description", 32000)
        ], lambda cut: cut is not null)
    end as _cut,
    wired._excluded
from wired
