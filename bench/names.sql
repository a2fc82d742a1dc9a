-- As many distinct names as `people` says, each in its parts and as one text; a fifth of them is
-- more than two plain words.
with

drawn as (
    select
        range as person,
        [
            'Ada', 'Benedikt', 'Camille', 'Dmitri', 'Elena', 'Farid', 'Grace', 'Hannah', 'Ingrid',
            'José', 'Katarzyna', 'Liam', 'Maya', 'Noah', 'Olga', 'Renée', 'Søren', 'Thomas', 'Zoë'
        ][1 + range % 19] as first_name,
        [
            'Ash', 'Bell', 'Berg', 'Carl', 'Dahl', 'Falk', 'Grant', 'Hart', 'Holm', 'Kess', 'Lind',
            'Marsh', 'Nor', 'Okaf', 'Pet', 'Ros', 'Sand', 'Stein', 'Thorn', 'Vern', 'West', 'Zim'
        ][1 + range // 19 % 22]
        || ['a', 'e', 'er', 'in', 'o', 'on', 'en', 'el', 'ar', 'ing'][1 + range // 418 % 10]
        || ['ber', 'cro', 'da', 'fi', 'ha', 'le', 'ma', 'mo', 'ru', 'sta'][1 + range // 4180 % 10]
        || ['d', 'l', 'm', 'n', 'r', 's', 't', 'x', 'k', 'f'][1 + range // 41800 % 10]
        || chr(97 + (range // 418000)::integer % 26) as last_name
    from range(getvariable('people'))
)

select
    'P' || person as "ID",
    person || '@names.example' as "Email",
    first_name as "First Name",
    last_name as "Last Name",
    case person % 25
        when 0 then last_name || ', ' || first_name
        when 1 then 'Dr. ' || first_name || ' ' || last_name
        when 2 then first_name || ' van der ' || last_name
        when 3 then first_name || ' M. ' || last_name || ', PhD'
        when 4 then first_name || ' ' || last_name || ' (Sales)'
        else first_name || ' ' || last_name
    end as "Name"
from drawn
