-- How well identity found the people, by pairs of records: precision is the share of the pairs it
-- made that are right, recall the share of the right pairs that it made. Rejected rows are left out:
-- nobody may know who they are.
with

linked as (
    select truth.person, links.person_key
    from person_links as links
    join truth using (source, source_id)
),

together as (
    select count(*) * (count(*) - 1) // 2 as pairs
    from linked
    group by person, person_key
),

joined as (
    select count(*) * (count(*) - 1) // 2 as pairs
    from linked
    group by person_key
),

real as (
    select count(*) * (count(*) - 1) // 2 as pairs
    from linked
    group by person
)

select
    (select sum(pairs) from together) / (select sum(pairs) from joined) as precision,
    (select sum(pairs) from together) / (select sum(pairs) from real) as recall
