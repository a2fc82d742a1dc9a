with

desired as (select * from sf_contact),

matched as (select * from org_match_contact),

lost as (select * from lost_contact),

scope as (select * from scope_contact),

namers as (select * from namers_contact),

skips as (select * from skips_contact),

open as (select * from open_contact),

-- Records that were undone as a whole, with what we wanted of them then; released, of nothing.
undone as (
    select key, list(value) as digests
    from undone_contact
    where field is null
    group by key
),

rules as (
    select *
    from (
        values
        (null::varchar, 0, null::varchar, null::varchar, null::varchar, null::varchar, null::varchar, null::varchar, false, false, false),
        ('AccountId', 0, 'reference', null, 'keep', 'source', 'fill_empty', null, false, false, true),
        ('Salutation', 1, 'picklist', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('FirstName', 2, 'string', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('LastName', 3, 'string', null, 'keep', 'source', 'fill_empty', clean_lines(cast('[not provided]' as varchar)), false, false, false),
        ('Title', 4, 'string', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('Department', 5, 'string', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('Email', 6, 'email', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('Birthdate', 7, 'date', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('Phone', 8, 'phone', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('MobilePhone', 9, 'phone', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('HomePhone', 10, 'phone', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('Fax', 11, 'phone', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('MailingStreet', 12, 'textarea', 'mailing', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('MailingCity', 13, 'string', 'mailing', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('MailingState', 14, 'string', 'mailing', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('MailingPostalCode', 15, 'string', 'mailing', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('MailingCountry', 16, 'string', 'mailing', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('OtherStreet', 17, 'textarea', 'other', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('OtherCity', 18, 'string', 'other', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('OtherState', 19, 'string', 'other', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('OtherPostalCode', 20, 'string', 'other', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('OtherCountry', 21, 'string', 'other', 'keep', 'source', 'fill_empty', null, false, false, false),
        ('OtherPhone', 22, 'phone', null, 'keep', 'source', 'fill_empty', null, false, false, false),
        ('HasOptedOutOfEmail', 23, 'boolean', null, 'keep', 'source', 'fill_empty', null, false, true, false),
        ('Description', 24, 'textarea', null, 'keep', 'source', 'fill_empty', null, false, false, false)
    ) as rule (
        field, place, type, unit, drift, conflict, on_adopt, standby, fills, consent, company
    )
),

undone_fields as (
    select distinct differences.key, differences.field
    from differences_contact as differences
    join rules on rules.field = differences.field
    join undone_contact as undone
        on undone.key = differences.key
        and undone.field = differences.field
        and normal_value(rules.type, undone.value)
            is not distinct from normal_value(rules.type, differences.after)
),

moved as (
    select
        differences.key,
        differences.field,
        differences.before,
        differences.after,
        differences.equal,
        rules.* exclude (field),
        ledger.sent,
        ledger.key is not null as written,
        normal_value(rules.type, differences.after)
            is distinct from normal_value(rules.type, ledger.sent) as source_changed,
        normal_value(rules.type, differences.before)
            is distinct from normal_value(rules.type, ledger.stored) as org_changed,
        differences.before is null or (rules.type = 'boolean' and differences.before = 'false')
            as blank,
        undone_fields.key is not null as undone
    from differences_contact as differences
    join rules on rules.field = differences.field
    left join ledger_contact as ledger
        on ledger.key = differences.key and ledger.field = differences.field
    left join undone_fields
        on undone_fields.key = differences.key and undone_fields.field = differences.field
),

units as (
    select moved.* replace (fills or coalesce(after = standby, false) as fills)
    from moved
    where unit is null
    union all by name
    -- A group moved when any of its fields did, and is blank when all of them are.
    select
        moved.* replace (
            bool_or(written) over whole as written,
            bool_or(source_changed) over whole as source_changed,
            bool_or(org_changed) over whole as org_changed,
            bool_and(blank) over whole as blank,
            bool_or(undone) over whole as undone,
            bool_or(fills) over whole or bool_and(coalesce(after = standby, false)) over whole as fills
        )
    from moved
    where unit is not null
    window whole as (partition by key, unit)
),

decided as (
    select
        key,
        place,
        field,
        before,
        after,
        sent,
        case
            when company then 'company_differs'
            when undone then 'undone_kept'
            when consent and before = 'true' and sent is distinct from 'true' then 'consent_kept'
            when fills and not blank then 'filled_kept'
            when not written and blank then 'fill'
            when consent and after = 'true' and org_changed
                and (not source_changed or conflict <> 'source')
                then 'opt_out'
            when not written and on_adopt = 'overwrite' then 'write'
            when not written and on_adopt = 'review' then 'review'
            when not written then 'adopt_kept'
            when source_changed and org_changed and conflict = 'review' then 'review'
            when source_changed and org_changed then 'conflict_' || conflict
            when source_changed then 'write'
            when not org_changed then 'automation_kept'
            when drift = 'keep' then 'drift_kept'
            else drift
        end as decision,
        decision in ('write', 'fill', 'restore', 'opt_out', 'conflict_source', 'truncated') as sends
    from units
    where not equal
),

cuts as (
    select key, unnest(_cut, recursive := true)
    from desired
    where _cut is not null
),

row_fields as (
    select
        decided.key,
        list({
            'field': decided.field,
            'decision': case
                when decision in ('write', 'fill') and cuts.key is not null then 'truncated'
                else decision
            end,
            'before': before,
            'after': decided.after,
            'sent': sent,
            'why': concat_ws('; ', case decision
                when 'write' then 'our value changed'
                when 'fill' then 'blank in the org'
                when 'restore' then 'only the org changed it since we wrote it; drift: restore'
                when 'opt_out' then 'whoever said no is opted out, whatever the org has made of it since'
                when 'conflict_source' then 'both changed it since we wrote it; conflict: source'
                when 'drift_kept' then 'only the org changed it since we wrote it; drift: keep'
                when 'conflict_salesforce' then 'both changed it since we wrote it; conflict: salesforce'
                when 'automation_kept' then 'we sent this before; an automation of the org makes something else of it'
                when 'adopt_kept' then 'it was in the org before us; on_adopt: fill_empty'
                when 'filled_kept' then 'ours only fills blanks (when: if_empty, or a default); the org has a value'
                when 'consent_kept' then 'an opt-out in the org that we did not write is never turned back'
                when 'undone_kept' then 'it was undone, and our value has not changed since'
                when 'company_differs' then 'its company is another one; it stays at its account (when: insert)'
                when 'waits' then 'it waits with the rest of its row, whose opt-out alone is sent'
                when 'review' then 'somebody has to look: drift, conflict or on_adopt says review'
            end, case when sends then cuts.why end)
        } order by place) as fields,
        list(decided.field order by place) filter (where sends) as changed,
        list(before order by place) filter (where sends) as befores
    from decided
    left join cuts on cuts.key = decided.key and cuts.field = decided.field
    group by decided.key
),

renamed as (
    select
        key,
        '"' || concat_ws(' ', first_before, last_before) || '" to "'
            || concat_ws(' ', first_after, last_after) || '"'
            || case when readdressed then ' and from ' || email_before || ' to '
                || coalesce(email_after, 'no address') else '' end as description
    from (
        select
            *,
            not names_agree(first_before, null, first_after, null) as other_first,
            not names_agree(null, last_before, null, last_after) as other_last,
            coalesce(email_before <> '', false) as readdressed
        from (
            select
                key,
                any_value(before) filter (where field = 'FirstName') as first_before,
                any_value(after) filter (where field = 'FirstName') as first_after,
                nullif(any_value(before) filter (where field = 'LastName'), '[not provided]') as last_before,
                nullif(any_value(after) filter (where field = 'LastName'), '[not provided]') as last_after,
                any_value(before) filter (where field = 'Email') as email_before,
                any_value(after) filter (where field = 'Email') as email_after
            from decided
            where sends and field in ('FirstName', 'LastName', 'Email')
            group by key
        )
    )
    where (other_first and other_last) or ((other_first or other_last) and readdressed)
),

joined as (
    select
        desired.key,
        desired._held,
        desired._held_new,
        desired._excluded,
        desired._cut,
        matched.sf_id as sf_id,
        matched.rule as _rule,
        matched.gone_id as _gone_id,
        matched.alias as _alias,
        matched.others as _others,
        matched.decision as _decision,
        matched.wrong as _wrong,
        namers.reference as _reference,
        skips.why as _skips,
        skips.fields as _skip_fields,
        open.waits as _open,
        open.proposed as _proposed,
        open.decide as _open_decide,
        true as _needed, null::varchar as _child, null::varchar as _child_skips, null::varchar as _nobody,
        case when not (coalesce(namers.trusted, false) or namers.line is not null) then 'it would be renamed from ' || renamed.description || '; decisions.csv can let it pass' end as _renames,
        case when coalesce(namers.trusted, false) or namers.line is not null then 'renamed from ' || renamed.description || case when namers.line is not null then ' as decisions.csv:' || namers.line || ' allows' else ', by an id that is trusted' end end as _renamed,
        lost.key is not null as _lost,
        coalesce(matched.adopt, false) as _adopt,
        coalesce(scope.reason, 'touched by the batch') as scope,
        case
            when undone.key is null then false
            when matched.sf_id is not null and matched.rule <> 'deleted' and not matched.adopt
                then false
            else list_contains(undone.digests, md5(concat_ws(chr(31), '', 'Birthdate=' || desired."Birthdate", 'Department=' || desired."Department", 'Description=' || desired."Description", 'Email=' || desired."Email", 'Fax=' || desired."Fax", 'FirstName=' || desired."FirstName", 'HasOptedOutOfEmail=' || desired."HasOptedOutOfEmail", 'HomePhone=' || desired."HomePhone", 'LastName=' || desired."LastName", 'LeadSource=' || desired."LeadSource", 'MailingCity=' || desired."MailingCity", 'MailingCountry=' || desired."MailingCountry", 'MailingPostalCode=' || desired."MailingPostalCode", 'MailingState=' || desired."MailingState", 'MailingStreet=' || desired."MailingStreet", 'MobilePhone=' || desired."MobilePhone", 'OtherCity=' || desired."OtherCity", 'OtherCountry=' || desired."OtherCountry", 'OtherPhone=' || desired."OtherPhone", 'OtherPostalCode=' || desired."OtherPostalCode", 'OtherState=' || desired."OtherState", 'OtherStreet=' || desired."OtherStreet", 'Phone=' || desired."Phone", 'Salutation=' || desired."Salutation", 'Title=' || desired."Title")))
        end as _undone,
        undone.key is not null as _was_undone,
        coalesce(row_fields.changed, []::varchar[]) as _changed,
        coalesce(row_fields.befores, []::varchar[]) as _befores,
        coalesce(row_fields.fields, []) as _fields,
        desired."AccountId",
        desired."Salutation",
        desired."FirstName",
        desired."LastName",
        desired."Title",
        desired."Department",
        desired."Email",
        desired."Birthdate",
        desired."Phone",
        desired."MobilePhone",
        desired."HomePhone",
        desired."Fax",
        desired."MailingStreet",
        desired."MailingCity",
        desired."MailingState",
        desired."MailingPostalCode",
        desired."MailingCountry",
        desired."OtherStreet",
        desired."OtherCity",
        desired."OtherState",
        desired."OtherPostalCode",
        desired."OtherCountry",
        desired."OtherPhone",
        desired."LeadSource",
        desired."HasOptedOutOfEmail",
        desired."Description"
    from desired
    left join matched on matched.entity_key = desired.key
    left join lost on lost.key = desired.key
    left join scope on scope.key = desired.key
    left join row_fields on row_fields.key = desired.key
    left join undone on undone.key = desired.key
    left join renamed on renamed.key = desired.key
    left join namers on namers.key = desired.key
    left join skips on skips.key = desired.key
    left join open on open.key = desired.key
),

held as (
    select
        *,
        case
            when _undone then null
            when _wrong is not null then _wrong
            when _held is not null then _held
            when sf_id is null and _held_new is not null then _held_new
            when _rule = 'ambiguous' then 'ambiguous: somebody else of ours matches the same Contact of the org'
            when _rule = 'unclear' then 'the Contact ' || _gone_id || ' of the org has the same e-mail address, and a name that agrees in part'
            when _rule = 'person_account' then 'the Contact ' || _gone_id || ' of the org is a person account, and these are not written yet'
            when _rule = 'merged' then 'its Contact was merged into ' || _gone_id || ' in the org'
            when _rule = 'converted' then 'its Contact was converted in the org'
            when _rule = 'deleted' and not _was_undone then 'its Contact was deleted in the org (deleted_in_org: leave)'
            when _lost and not _was_undone then 'its Contact was deleted in the org, for good (deleted_in_org: leave)'
            when _open is not null then _open
            when _renames is not null then _renames
            when sf_id is null and "LastName" is null then 'LastName is empty, and Salesforce demands it'
        end as reason,
        case
            when _undone then null::varchar
            when _wrong is not null then null::varchar
            when _held is not null then null::varchar
            when sf_id is null and _held_new is not null then null::varchar
            when _rule = 'ambiguous' then list_transform([_gone_id], lambda id: concat_ws(',', 'use', csv_cell(coalesce(_reference, key)), id))[1]
            when _rule = 'unclear' then list_transform([_gone_id], lambda id: concat_ws(',', 'use', csv_cell(coalesce(_reference, key)), id))[1] || chr(10) || csv_line('different', coalesce(_reference, key), _gone_id)
            when _rule = 'person_account' then null::varchar
            when _rule = 'merged' then list_transform([_gone_id], lambda id: concat_ws(',', 'use', csv_cell(coalesce(_reference, key)), id))[1]
            when _rule = 'converted' then null::varchar
            when _rule = 'deleted' and not _was_undone then null::varchar
            when _lost and not _was_undone then null::varchar
            when _open is not null then _open_decide
            when _renames is not null then 'rename_ok,' || csv_cell(coalesce(_reference, key)) || ','
            when sf_id is null and "LastName" is null then null::varchar
        end as decide,
        case
            when sf_id is not null or _was_undone then null
        end as note
    from joined
),

-- Whoever would be written, and is left out of the run; who waits anyway waits for that.
chosen as (
    select
        *,
        case when reason is null and not _undone and _excluded is null and not (sf_id is null and note is null and not _needed) then
            case
                when _skips is not null and (sf_id is null or _adopt or _rule = 'deleted' or len(_changed) > len(list_filter([case when list_contains(_changed, 'HasOptedOutOfEmail') and HasOptedOutOfEmail = 'true' then 'HasOptedOutOfEmail' end]::varchar[], lambda name: name is not null))) and (_skip_fields is null or sf_id is null or list_has_any(_changed, _skip_fields)) then _skips
                when sf_id is null then _child_skips
            end
        end as _skip
    from held
),

-- What is to be sent: on a create every value, else what was decided field by field.
sent as (
    select
        *,
        case
            when reason is not null or _skip is not null then []
            when _undone or _excluded is not null or (sf_id is null and note is null and not _needed) then []
            when sf_id is null then list_filter([
                case when "AccountId" is not null then 'AccountId' end,
                case when "Salutation" is not null then 'Salutation' end,
                case when "FirstName" is not null then 'FirstName' end,
                case when "LastName" is not null then 'LastName' end,
                case when "Title" is not null then 'Title' end,
                case when "Department" is not null then 'Department' end,
                case when "Email" is not null then 'Email' end,
                case when "Birthdate" is not null then 'Birthdate' end,
                case when "Phone" is not null then 'Phone' end,
                case when "MobilePhone" is not null then 'MobilePhone' end,
                case when "HomePhone" is not null then 'HomePhone' end,
                case when "Fax" is not null then 'Fax' end,
                case when "MailingStreet" is not null then 'MailingStreet' end,
                case when "MailingCity" is not null then 'MailingCity' end,
                case when "MailingState" is not null then 'MailingState' end,
                case when "MailingPostalCode" is not null then 'MailingPostalCode' end,
                case when "MailingCountry" is not null then 'MailingCountry' end,
                case when "OtherStreet" is not null then 'OtherStreet' end,
                case when "OtherCity" is not null then 'OtherCity' end,
                case when "OtherState" is not null then 'OtherState' end,
                case when "OtherPostalCode" is not null then 'OtherPostalCode' end,
                case when "OtherCountry" is not null then 'OtherCountry' end,
                case when "OtherPhone" is not null then 'OtherPhone' end,
                case when "LeadSource" is not null then 'LeadSource' end,
                case when "HasOptedOutOfEmail" is not null then 'HasOptedOutOfEmail' end,
                case when "Description" is not null then 'Description' end
            ], lambda name: name is not null)
            else _changed
        end as changed
    from chosen
),

planned as (
    select
        *,
        case
            when _undone or _excluded is not null then 'unchanged'
            when reason is not null then 'hold'
            when (sf_id is null and note is null and not _needed) then 'unchanged'
            when _skip is not null then 'skip'
            when sf_id is null then 'create'
            when _adopt then 'adopt'
            when _rule = 'deleted' then 'undelete'
            when list_contains(changed, 'AccountId') then 'move'
            when list_contains(changed, 'OwnerId') then 'reassign'
            when len(changed) > 0 then 'update'
            else 'unchanged'
        end as action
    from sent
),

-- What the org's own words rule out is certain; what it refused of the record last time is likely.
foreseen as (
    select
        planned.*,
        case
        when list_contains(changed, 'AccountId') and not regexp_matches("AccountId", '^(@.*|[0-9A-Za-z]{15}|[0-9A-Za-z]{18})$')
        then {'code': 'MALFORMED_ID', 'message': 'Account ID: id value of incorrect type: ' || "AccountId"}
        when list_contains(changed, 'Email') and not regexp_matches("Email", '^[^\s@]+@[^\s@]+\.[^\s@]+$')
        then {'code': 'INVALID_EMAIL_ADDRESS', 'message': 'Email: invalid email address: ' || "Email"}
        end as certain,
        case
            when action in ('create', 'adopt', 'undelete', 'update', 'move', 'reassign') then {'code': refused.code, 'message': refused.message}
        end as likely,
        false as _refused,
        (reason is not null or _skip is not null or _excluded is not null or _refused) and sf_id is not null and _rule <> 'deleted' and not _undone and len(list_filter([case when list_contains(_changed, 'HasOptedOutOfEmail') and HasOptedOutOfEmail = 'true' then 'HasOptedOutOfEmail' end]::varchar[], lambda name: name is not null)) > 0 as _opt_out_alone
    from planned
    left join refused_contact as refused on refused.key = planned.key
),

-- What is said of a row and what is sent: of one that waits nothing, or its opt-out alone.
settled as (
    select
        *,
        case
            when _undone then null
            when _excluded is not null then _excluded
            when _refused then likely.message
            else coalesce(reason, _skip)
        end as waits,
        case
            when _opt_out_alone then list_filter([case when list_contains(_changed, 'HasOptedOutOfEmail') and HasOptedOutOfEmail = 'true' then 'HasOptedOutOfEmail' end]::varchar[], lambda name: name is not null)
            when not _refused then changed
            else []
        end as sends
    from foreseen
)

select
    key,
    case when _opt_out_alone then 'update' when _refused then 'hold' else action end as action,
    sf_id,
    case
        when _undone then 'it was undone, and nothing that we want of it has changed since'
        when _opt_out_alone and _excluded is not null then 'only its opt-out is sent: ' || waits
        when _opt_out_alone then 'only its opt-out is sent, the rest waits: ' || waits
        when waits is not null then waits
        when (sf_id is null and note is null and not _needed) then 'nobody of this plan belongs to it, so no Contact is made'
        when action = 'create' then note
        when len(_others) > 0 then 'the org has more than one Contact for it, also ' || array_to_string(_others, ', ') || ' (duplicates.contact: leave)'
        when _nobody is not null then 'we made it, and nobody belongs to it: ' || _nobody
        when _renamed is not null then _renamed
        else _proposed
    end as reason,
    scope,
    sends as changed,
    case
        -- A record that carries no key of ours gets none by it, and keeps one that it has.
        when _opt_out_alone
            then map(
                if(_adopt, list_append(sends, 'Causeway_Key__c'), sends),
                list_transform(
                    if(_adopt, list_append(sends, 'Causeway_Key__c'), sends),
                    lambda name: if(
                        name = 'Causeway_Key__c', _alias, _befores[list_position(_changed, name)]
                    )
                )
            )
        -- Only who is adopted takes the key of somebody else over; of the others nothing is sent.
        when _alias is not null and action = 'adopt' and not _refused
            then map(list_append(changed, 'Causeway_Key__c'), list_append(_befores, _alias))
        when len(changed) > 0 and sf_id is not null and not _refused then map(_changed, _befores)
        else map([], [])
    end as before,
    case
        when _excluded is not null and not _undone
            then list_filter(_fields, lambda cell: list_contains(['HasOptedOutOfEmail']::varchar[], cell.field))
        when _opt_out_alone then list_transform(_fields, lambda cell: case
            when list_contains(sends, cell.field) or not list_contains(_changed, cell.field)
                then cell
            else struct_update(cell, decision := 'waits', why := 'it waits with the rest of its row, whose opt-out alone is sent')
        end)
        when waits is not null or _undone then []
        when sf_id is not null then _fields
        when _cut is not null then list_transform(
            list_filter(_cut, lambda cut: list_contains(changed, cut.field)),
            lambda cut: {
                'field': cut.field,
                'decision': 'truncated',
                'before': null::varchar,
                'after': cut.after,
                'sent': null::varchar,
                'why': cut.why
            }
        )
        else []
    end as fields,
    case
        when _refused then null
        when certain is not null then 'certain'
        when likely.code is not null then 'likely'
    end as forecast,
    case when not _refused then coalesce(certain.code, likely.code) end as forecast_code,
    case when not _refused then coalesce(certain.message, likely.message) end as forecast_message,
    coalesce(decide, _open_decide) as decide,
    "AccountId",
    "Salutation",
    "FirstName",
    "LastName",
    "Title",
    "Department",
    "Email",
    "Birthdate",
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
    "HasOptedOutOfEmail",
    "Description"
from settled
union all by name
-- What no source mentions any more stays in the org, and is listed.
select
    withdrawn_contact.key,
    'unchanged' as action,
    sf_id,
    'no source mentions it any more; its record stays as it is, and nothing is deleted' as reason,
    'no source mentions it any more' as scope,
    []::varchar[] as changed,
    map([]::varchar[], []::varchar[]) as before,
    [] as fields,
    "FirstName",
    "LastName",
    "Email"
from withdrawn_contact
anti join desired on desired.key = withdrawn_contact.key
