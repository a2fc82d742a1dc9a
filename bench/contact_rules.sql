-- The rules of schemas/contacts.py that cost rows or cells, written as SQL: what validation costs is
-- told as a multiple of this.
create or replace temp table reasons as
with

rows as (select * from stg_contacts where _defect is null),

judged as (
    select
        _source,
        _file,
        _row,
        list_filter(
            [
                case when coalesce(last_name, email, parent_id) is null
                    and (company is null or not coalesce(
                        regexp_matches(phone, getvariable('four_digits')) and length(phone) <= 40
                        or regexp_matches(mobile_phone, getvariable('four_digits')) and length(mobile_phone) <= 40
                        or regexp_matches(main_phone, getvariable('four_digits')) and length(main_phone) <= 40,
                        false
                    ))
                    then {'rule': 'last_name_present', 'field': 'last_name', 'value': null} end,
                case when name_required and coalesce(last_name, parent_id) is null
                    then {'rule': 'last_name_demanded', 'field': 'last_name', 'value': null} end,
                case when parent_id is not null
                    and coalesce(street, city, state, postal_code, country) is null
                    then {'rule': 'address_present', 'field': 'street', 'value': street} end,
                case when not regexp_matches(email, getvariable('email'))
                    then {'rule': 'email_format', 'field': 'email', 'value': email} end,
                case when length(email) > 80
                    then {'rule': 'at_most_80', 'field': 'email', 'value': email} end,
                case when not regexp_matches(phone, getvariable('four_digits'))
                    then {'rule': 'phone_format', 'field': 'phone', 'value': phone} end,
                case when length(phone) > 40
                    then {'rule': 'at_most_40', 'field': 'phone', 'value': phone} end,
                case when not regexp_matches(main_phone, getvariable('four_digits'))
                    then {'rule': 'phone_format', 'field': 'main_phone', 'value': main_phone} end,
                case when length(main_phone) > 40
                    then {'rule': 'at_most_40', 'field': 'main_phone', 'value': main_phone} end,
                case when not regexp_matches(mobile_phone, getvariable('four_digits'))
                    then {'rule': 'phone_format', 'field': 'mobile_phone', 'value': mobile_phone} end,
                case when length(mobile_phone) > 40
                    then {'rule': 'at_most_40', 'field': 'mobile_phone', 'value': mobile_phone} end,
                case when not regexp_matches(fax, getvariable('four_digits'))
                    then {'rule': 'phone_format', 'field': 'fax', 'value': fax} end,
                case when length(fax) > 40
                    then {'rule': 'at_most_40', 'field': 'fax', 'value': fax} end,
                case when length(postal_code) > 20
                    then {'rule': 'at_most_20', 'field': 'postal_code', 'value': postal_code} end,
                case when not regexp_matches(country, getvariable('country'))
                    then {'rule': 'country_format', 'field': 'country', 'value': country} end,
                case when length(country) > 80
                    then {'rule': 'at_most_80', 'field': 'country', 'value': country} end,
                case when length(website) > 255
                    then {'rule': 'at_most_255', 'field': 'website', 'value': website} end,
                case when birthdate is null and birthdate_text is not null
                    then {'rule': 'date', 'field': 'birthdate', 'value': birthdate_text} end,
                case when birthdate > _batch
                    then {'rule': 'date', 'field': 'birthdate', 'value': birthdate_text} end,
                case when updated_at is null and updated_at_text is not null
                    then {'rule': 'date', 'field': 'updated_at', 'value': updated_at_text} end
            ],
            lambda reason: reason is not null
        ) as reasons
    from rows
)

select _source, _file, _row, unnest(reasons, recursive := true) from judged;

insert into failures
select _source, _file, _row, 'Data Format' as kind, rule, field, value, 'refused' as message
from reasons
where field in ('last_name', 'email') or rule = 'address_present';

insert into blanks
select _source, _file, _row, field, rule, value
from reasons
where not (field in ('last_name', 'email') or rule = 'address_present');
