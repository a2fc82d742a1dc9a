-- Pairs of people who share something and are not joined, one row for each of the two who may have
-- to wait for it. It reads what a batch left behind: version, and the state.
with

-- Nearly everybody is nobody else: only the components of the others are looked at.
involved as (
    select distinct member.component
    from state.member as member
    semi join (
        select record from state.apart
        union
        select other from state.apart
    ) as sharing on sharing.record = member.record
    union
    select member.component
    from state.member as member
    semi join (
        select person from state.person where split_from is not null and alias_of is null
    ) as split on split.person = member.person
),

called as (
    select
        version.record,
        member.person,
        member.component,
        version.source_id,
        version.source || ':' || version.source_id as reference,
        nullif(concat_ws(' ', version.first_name, version.last_name), '') as name
    from version
    join state.member as member on member.record = version.record
    semi join involved on involved.component = member.component
    where version.entity <> 'address'
),

persons as (
    select
        person,
        any_value(component) as component,
        arg_min(reference, (name is null, record)) as reference,
        arg_min(name, record) filter (where name is not null) as name
    from called
    group by person
),

-- Whoever was one with somebody until the names were looked at does nothing without a word.
parted as (
    select person.person, person.split_from as other, 'split' as likeness
    from state.person as person
    semi join persons on persons.person = person.person
    where person.split_from is not null and person.alias_of is null
),

pairs as (
    select subject.person, other.person as other, apart.likeness
    from state.apart as apart
    join called as subject on subject.record = apart.record
    join called as other on other.record = apart.other
    where not (apart.likeness = 'one_id' and is_address_id(subject.source_id))
    union
    select other.person, subject.person, apart.likeness
    from state.apart as apart
    join called as subject on subject.record = apart.record
    join called as other on other.record = apart.other
    where
        apart.likeness in ('thin', 'one_id')
        and not (apart.likeness = 'one_id' and is_address_id(subject.source_id))
    union
    select person, other, likeness from parted
),

open as (
    select
        pairs.person,
        pairs.other,
        arg_min(
            pairs.likeness, case pairs.likeness when 'split' then 1 when 'several' then 2 else 3 end
        ) as likeness
    from pairs
    anti join (
        select subject.person, other.person as other
        from decided
        join called as subject on subject.record = decided.record
        join called as other on other.record = decided.other
        where not decided.same
        union
        select other.person, subject.person
        from decided
        join called as subject on subject.record = decided.record
        join called as other on other.record = decided.other
        where not decided.same
    ) as decision
        on decision.person = pairs.person and decision.other = pairs.other
    where pairs.person <> pairs.other
    group by pairs.person, pairs.other
)

select
    person_spelling(open.person, null) as person_key,
    person_spelling(open.other, null) as other_key,
    open.likeness,
    open.likeness = 'split' or (open.likeness = 'several' and subject.name is null) as waits,
    format(
        '{} ({}) and {} ({}) {}',
        coalesce(subject.name, 'somebody without a name'),
        subject.reference,
        coalesce(other.name, 'somebody without a name'),
        other.reference,
        case open.likeness
            when 'split' then 'were one person until now, and their names do not agree'
            when 'one_id' then 'have one id, and their names do not agree; trust_id makes them one'
            when 'several' then 'may be one person; others fit as well'
            else 'share a value, and their names agree in part'
        end
    ) as why,
    concat_ws(
        chr(10),
        csv_line('same', subject.reference, other.reference),
        csv_line('different', subject.reference, other.reference)
    ) as decide
from open
join persons as subject on subject.person = open.person
join persons as other on other.person = open.other and other.component = subject.component
