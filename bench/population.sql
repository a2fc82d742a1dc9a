-- Invented people, and where each appears. Everything follows from a person's number and the md5 of
-- it with a word, so the same number of people is the same rows on every machine.
--
--   people     half of them on a contact list, 3 in 10 customers of a shop, 2 in 10 subscribers;
--              one in five also in a second of these sources, written differently there
--   dirt       3 % of the rows are wrong, each kind of source in its own ways
--
-- Reads the variable `people`, how many there are.

create or replace macro draw(person, word) as (md5_number(word || person) >> 64)::ubigint;

create or replace macro one_in(n, person, word) as draw(person, word) % n = 0;

create or replace macro one_of(texts, person, word) as
    texts[1 + (draw(person, word) % len(texts))::integer];

create or replace temp table person as
with

numbered as (select range as person from range(getvariable('people'))),

drawn as (
    select
        person,
        one_of(
            [
                'Ada', 'Anders', 'Benedikt', 'Camille', 'Catherine', 'Dmitri', 'Elena', 'Elizabeth',
                'Farid', 'Fiona', 'Grace', 'Hannah', 'Hiro', 'Ingrid', 'José', 'Katarzyna', 'Leo',
                'Liam', 'Maya', 'Michael', 'Nadia', 'Noah', 'Olga', 'Pablo', 'Renée', 'Robert',
                'Samuel', 'Søren', 'Thomas', 'Valentina', 'William', 'Zoë'
            ],
            person, 'first'
        ) as first_name,
        one_of(
            [
                'Ash', 'Bell', 'Berg', 'Black', 'Brad', 'Carl', 'Chand', 'Cross', 'Dahl', 'East',
                'Falk', 'Ford', 'Grant', 'Hart', 'Holm', 'Kess', 'Lind', 'Marsh', 'Nor', 'Okaf',
                'Pet', 'Ros', 'Sand', 'Stein', 'Thorn', 'Vern', 'Wal', 'West', 'Whit', 'Zim'
            ],
            person, 'head'
        ) || one_of(
            ['a', 'e', 'er', 'in', 'o', 'on', 'en', 'el', 'ar', 'ing', 'ow', 'am'], person, 'middle'
        ) || one_of(
            [
                'berg', 'by', 'croft', 'dale', 'field', 'ham', 'ley', 'man', 'mere', 'mont',
                'ov', 'quist', 'rup', 'sen', 'ski', 'son', 'stad', 'ström', 'ton', 'wick'
            ],
            person, 'tail'
        ) as last_name,
        -- Some twenty people work for one company.
        (draw(person, 'company') % (getvariable('people') // 20 + 1))::bigint as company,
        lpad((draw(person, 'phone') % 10_000_000)::varchar, 7, '0') as subscriber_number,
        (200 + draw(person, 'area') % 700)::varchar as area_code,
        case draw(person, 'source') % 10
            when 0 then 'newsletter'
            when 1 then 'newsletter'
            when 2 then 'shop'
            when 3 then 'shop'
            when 4 then 'shop'
            else 'winmo'
        end as source,
        case when one_in(5, person, 'second') then (draw(person, 'other') % 2)::integer end as other
    from numbered
)

select
    *,
    lower(strip_accents(replace(first_name, 'ø', 'o')) || '.' || strip_accents(last_name))
        || person as mailbox,
    'company' || company || '.example' as domain,
    list_filter(['winmo', 'shop', 'newsletter'], lambda s: s <> source)[1 + other] as second_source
from drawn;

-- One row per person and source, as that source knows the person. How the second differs:
-- 0 CAPITALS, 1 blanks, 2 a +tag, 3 another address, 4 another address and a typo in the name; the
-- name may be a nickname or mistyped where the address is the same.
create or replace temp table appearance as
with

appearances as (
    select *, source as seen_in, null::integer as differs from person
    union all
    select *, second_source as seen_in, (draw(person, 'differs') % 10)::integer as differs
    from person
    where second_source is not null
),

written as (
    select
        person,
        seen_in as source,
        row_number() over (partition by seen_in order by person) as id,
        case
            when differs = 5 then
                coalesce(
                    map {
                        'Catherine': 'Cathy', 'Elizabeth': 'Liz', 'Michael': 'Mike',
                        'Robert': 'Bob', 'Samuel': 'Sam', 'Thomas': 'Tom', 'William': 'Bill'
                    }[first_name],
                    first_name
                )
            when differs = 6 then upper(first_name)
            else first_name
        end as first_name,
        case
            when differs = 4 then last_name[1:2] || last_name[4:]
            when differs = 6 then upper(last_name)
            when differs = 7 then last_name[1] || last_name[3] || last_name[2] || last_name[4:]
            else last_name
        end as last_name,
        case
            when differs = 0 then upper(mailbox || '@' || domain)
            when differs = 1 then '  ' || mailbox || '@' || domain || ' '
            when differs = 2 then mailbox || '+' || seen_in || '@' || domain
            when differs in (3, 4) then mailbox || '@mail' || company % 50 || '.example'
            -- Role mailboxes are shared by colleagues with other names.
            when seen_in = 'winmo' and one_in(200, person, 'role') then 'info@' || domain
            else mailbox || '@' || domain
        end as email,
        case
            -- The switchboard is everybody's.
            when one_in(100, person, 'switchboard') then '+1 ' || area_code || ' 555 0100'
            when differs is null or differs % 4 = 0
                then '+1 ' || area_code || ' ' || subscriber_number[1:3] || ' ' || subscriber_number[4:]
            when differs % 4 = 1
                then '(' || area_code || ') ' || subscriber_number[1:3] || '-' || subscriber_number[4:]
            when differs % 4 = 2
                then area_code || '.' || subscriber_number[1:3] || '.' || subscriber_number[4:]
            else area_code || subscriber_number
        end as phone,
        company,
        one_of(['Brook', 'Cedar', 'Harbour', 'Summit', 'Union', 'Vale'], company, 'name')
            || ' Works ' || company
            || one_of([' Inc', ' Inc.', ', Inc.', ' INC'], person, 'spelling' || seen_in) as company_name,
        (1 + draw(person, 'house') % 9_999) || ' ' || one_of(
            ['Elm Street', 'Maple Avenue', 'Mill Lane', 'Station Road'], person, 'street'
        ) as street,
        one_of(['Austin', 'Boston', 'Chicago', 'Denver', 'Portland', 'Seattle'], person, 'city')
            as city,
        one_of(
            ['Texas', 'Massachusetts', 'Illinois', 'Colorado', 'Oregon', 'Washington'], person, 'city'
        ) as state,
        lpad((draw(person, 'zip') % 100_000)::varchar, 5, '0') as postal_code,
        (date '1945-01-01' + (draw(person, 'birth') % 22_000)::integer)::varchar as birthdate,
        (timestamp '2024-01-01' + to_minutes((draw(person, 'touched') % 500_000)::bigint))::varchar
            as updated_at,
        draw(person, 'dirt' || seen_in) % 100 < 3 as dirty,
        (draw(person, 'kind of dirt' || seen_in) % 4)::integer as kind
    from appearances
)

select
    * exclude (dirty, kind),
    case
        when not dirty then null
        when source = 'winmo' then
            ['no name', 'no domain', 'no number', 'shifted'][1 + kind]
        when source = 'shop' then
            ['no mail', 'no such day', 'no time', 'no flag'][1 + kind]
        else
            ['no mail', 'no such status', 'no domain', 'twice'][1 + kind]
    end as dirt
from written;
