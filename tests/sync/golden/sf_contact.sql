with

entities as (
    select
        people."person_key",
        account_links."account_key",
        people."salutation",
        people."first_name",
        people."last_name",
        people."title",
        people."department",
        people."email",
        people."birthdate",
        people."phone",
        people."mailing_phone",
        people."mobile_phone",
        people."home_phone",
        people."fax",
        people."mailing_street",
        people."mailing_city",
        people."mailing_state",
        people."mailing_postal_code",
        people."mailing_country",
        people."other_street",
        people."other_city",
        people."other_state",
        people."other_postal_code",
        people."other_country",
        people."other_phone",
        people."lead_source",
        people."opted_out",
        people."note",
        people."further_addresses",
        routes.sobject as route,
        routes.excluded as _excluded
    from people
    left join account_links on account_links.person_key = people.person_key
    join routes on routes.entity_key = people.person_key
),

routed as (
    select *
    from entities
    where route = 'Contact'
),

account_ids as (
    select name, chosen.id as id, chosen.waits as waits
    from (
        select name, arg_min({'id': id, 'waits': waits}, place) as chosen
        from (
            select
                entity_key as name,
                case when waits is null then sf_id end as id,
                waits,
                1 as place
            from (
                select
                    entity_key,
                    sf_id,
                    case
                when wrong is not null then wrong
                when rule in ('ambiguous', 'unclear', 'person_account') then 'it is not clear which record of the org it is'
            end as waits
                from org_match_account
            )
            where sf_id is not null or waits is not null
            union all
            select lower("Causeway_Key__c"), "Id", null, 2
            from org_account
            where "Causeway_Key__c" is not null and "IsDeleted" = 'false'
            union all
            select entity_key, '@account:' || entity_key, null, 3
            from routes
            where sobject = 'Account'
        )
        group by name
    )
),

valued as (
    select
        routed.person_key as key,
        routed._excluded,
        "AccountId_match".id as "AccountId",
        case when lower(trim(routed."account_key")) is not null and "AccountId_match".id is null then lower(trim(routed."account_key")) end as "AccountId_missed",
        "AccountId_match".waits as "AccountId_waits",
        clean_lines(cast(case "salutation" when 'Mr' then 'Mr.' when 'Mrs' then 'Mrs.' when 'Ms' then 'Ms.' when 'Dr' then 'Dr.' when 'Prof' then 'Prof.' else "salutation" end as varchar)) as "Salutation",
        clean_lines(cast("first_name" as varchar)) as "FirstName",
        clean_lines(cast(coalesce("last_name", '[not provided]') as varchar)) as "LastName",
        clean_lines(cast("title" as varchar)) as "Title",
        clean_lines(cast("department" as varchar)) as "Department",
        clean_lines(cast(lower(trim("email")) as varchar)) as "Email",
        date_text(cast("birthdate" as varchar)) as "Birthdate",
        clean_lines(cast(coalesce(phone, mailing_phone) as varchar)) as "Phone",
        clean_lines(cast("mobile_phone" as varchar)) as "MobilePhone",
        clean_lines(cast("home_phone" as varchar)) as "HomePhone",
        clean_lines(cast("fax" as varchar)) as "Fax",
        clean_lines(cast("mailing_street" as varchar)) as "MailingStreet",
        clean_lines(cast("mailing_city" as varchar)) as "MailingCity",
        clean_lines(cast("mailing_state" as varchar)) as "MailingState",
        clean_lines(cast("mailing_postal_code" as varchar)) as "MailingPostalCode",
        clean_lines(cast("mailing_country" as varchar)) as "MailingCountry",
        clean_lines(cast("other_street" as varchar)) as "OtherStreet",
        clean_lines(cast("other_city" as varchar)) as "OtherCity",
        clean_lines(cast("other_state" as varchar)) as "OtherState",
        clean_lines(cast("other_postal_code" as varchar)) as "OtherPostalCode",
        clean_lines(cast("other_country" as varchar)) as "OtherCountry",
        clean_lines(cast("other_phone" as varchar)) as "OtherPhone",
        clean_lines(cast("lead_source" as varchar)) as "LeadSource",
        "opted_out" as "HasOptedOutOfEmail",
        clean_lines(cast(concat_ws(chr(10), note, further_addresses) as varchar)) as "Description"
    from routed
    left join account_ids as "AccountId_match" on "AccountId_match".name = lower(trim(routed."account_key"))
),

wired as (
    select
        key,
        _excluded,
        "AccountId",
        "AccountId_missed",
        "AccountId_waits",
        "Salutation",
        "FirstName",
        "LastName",
        "Title",
        "Department",
        "Email",
        parse_date("Birthdate", null)::varchar as "Birthdate",
        case when parse_date("Birthdate", null)::varchar is null then "Birthdate" end as "Birthdate_misfit",
        "Phone",
        "MobilePhone",
        "HomePhone",
        "Fax",
        "MailingStreet",
        "MailingCity",
        "MailingState",
        "MailingPostalCode",
        "MailingCountry",
        "OtherStreet",
        "OtherCity",
        "OtherState",
        "OtherPostalCode",
        "OtherCountry",
        "OtherPhone",
        "LeadSource",
        parse_boolean("HasOptedOutOfEmail"::varchar)::varchar as "HasOptedOutOfEmail",
        case when parse_boolean("HasOptedOutOfEmail"::varchar)::varchar is null then clean("HasOptedOutOfEmail"::varchar) end as "HasOptedOutOfEmail_misfit",
        "Description"
    from valued
),

waiting as (
    select org_match_lead.entity_key as key, 'an open Lead of this person is in the org; convert or close it (leads.existing: hold)' as reason
    from org_match_lead
    left join org_match_contact on org_match_contact.entity_key = org_match_lead.entity_key
    where org_match_lead.sf_id is not null and org_match_contact.sf_id is null
)

select
    wired.key,
    wired."AccountId",
    wired."Salutation",
    clean_lines(left(wired."FirstName", 40)) as "FirstName",
    wired."LastName",
    clean_lines(left(wired."Title", 128)) as "Title",
    clean_lines(left(wired."Department", 80)) as "Department",
    wired."Email",
    wired."Birthdate",
    wired."Phone",
    wired."MobilePhone",
    wired."HomePhone",
    wired."Fax",
    clean_lines(left(wired."MailingStreet", 255)) as "MailingStreet",
    clean_lines(left(wired."MailingCity", 40)) as "MailingCity",
    wired."MailingState",
    wired."MailingPostalCode",
    wired."MailingCountry",
    clean_lines(left(wired."OtherStreet", 255)) as "OtherStreet",
    clean_lines(left(wired."OtherCity", 40)) as "OtherCity",
    wired."OtherState",
    wired."OtherPostalCode",
    wired."OtherCountry",
    wired."OtherPhone",
    wired."LeadSource",
    wired."HasOptedOutOfEmail",
    clean_lines(left(wired."Description", 32000)) as "Description",
    nullif(
        concat_ws(
            '; ',
            case when length(wired."Salutation") > 40 then 'Salutation has ' || length(wired."Salutation") || ' characters, 40 fit' end,
            case when length(wired."LastName") > 80 then 'LastName has ' || length(wired."LastName") || ' characters, 80 fit' end,
            case when length(wired."Email") > 80 then 'Email has ' || length(wired."Email") || ' characters, 80 fit' end,
            'Birthdate is no date: ' || wired."Birthdate_misfit",
            case when length(wired."Phone") > 40 then 'Phone has ' || length(wired."Phone") || ' characters, 40 fit' end,
            case when length(wired."MobilePhone") > 40 then 'MobilePhone has ' || length(wired."MobilePhone") || ' characters, 40 fit' end,
            case when length(wired."HomePhone") > 40 then 'HomePhone has ' || length(wired."HomePhone") || ' characters, 40 fit' end,
            case when length(wired."Fax") > 40 then 'Fax has ' || length(wired."Fax") || ' characters, 40 fit' end,
            case when length(wired."MailingState") > 80 then 'MailingState has ' || length(wired."MailingState") || ' characters, 80 fit' end,
            case when length(wired."MailingPostalCode") > 20 then 'MailingPostalCode has ' || length(wired."MailingPostalCode") || ' characters, 20 fit' end,
            case when length(wired."MailingCountry") > 80 then 'MailingCountry has ' || length(wired."MailingCountry") || ' characters, 80 fit' end,
            case when length(wired."OtherState") > 80 then 'OtherState has ' || length(wired."OtherState") || ' characters, 80 fit' end,
            case when length(wired."OtherPostalCode") > 20 then 'OtherPostalCode has ' || length(wired."OtherPostalCode") || ' characters, 20 fit' end,
            case when length(wired."OtherCountry") > 80 then 'OtherCountry has ' || length(wired."OtherCountry") || ' characters, 80 fit' end,
            case when length(wired."OtherPhone") > 40 then 'OtherPhone has ' || length(wired."OtherPhone") || ' characters, 40 fit' end,
            'HasOptedOutOfEmail is no yes or no: ' || wired."HasOptedOutOfEmail_misfit",
            waiting.reason
        ),
        ''
    ) as _held,
    nullif(
        concat_ws(
            '; ',
            case when wired."AccountId_missed" is not null then coalesce('its Account waits: ' || wired."AccountId_waits", 'AccountId: there is no Account ' || wired."AccountId_missed") end,
            case when length(wired."LeadSource") > 255 then 'LeadSource has ' || length(wired."LeadSource") || ' characters, 255 fit' end
        ),
        ''
    ) as _held_new,
    null::varchar as _left_out,
    case
        when
            strlen(wired."FirstName") > 40
            or strlen(wired."Title") > 128
            or strlen(wired."Department") > 80
            or strlen(wired."MailingStreet") > 255
            or strlen(wired."MailingCity") > 40
            or strlen(wired."OtherStreet") > 255
            or strlen(wired."OtherCity") > 40
            or strlen(wired."Description") > 32000
        then list_filter([
            cut_text('FirstName', wired."FirstName", 40),
            cut_text('Title', wired."Title", 128),
            cut_text('Department', wired."Department", 80),
            cut_text('MailingStreet', wired."MailingStreet", 255),
            cut_text('MailingCity', wired."MailingCity", 40),
            cut_text('OtherStreet', wired."OtherStreet", 255),
            cut_text('OtherCity', wired."OtherCity", 40),
            cut_text('Description', wired."Description", 32000)
        ], lambda cut: cut is not null)
    end as _cut,
    wired._excluded
from wired
left join waiting on waiting.key = wired.key
