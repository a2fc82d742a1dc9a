-- Company names of the batch that stand for several accounts of the org at once. The oldest of them
-- is taken, and this is where a person sees it and may decide otherwise.
-- owner: team:crm
-- reference: the company as the sources write it
-- kind: ambiguous
-- candidates: Ids of the accounts in the org that carry the name, oldest first
-- people: how many people of the batch are meant
-- policy: what was done about it

with

links as (select * from account_links where rule = 'exact_name'),

org as (select * from org_account),

named as (
    select norm_company("Name") as name_key, list("Id" order by "Id") as candidates
    from org
    group by norm_company("Name")
    having count(*) > 1
)

select
    min(links.name) as reference,
    'ambiguous' as kind,
    links.name_key,
    links.account_key,
    named.candidates,
    count(*) as people,
    'first' as policy
from links
join named on named.name_key = links.name_key
group by links.name_key, links.account_key, named.candidates
