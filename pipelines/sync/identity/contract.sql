-- Nodes with the same root become one; edges inside it are gone.
create or replace temp table label as
select label.record, coalesce(hop.root, label.root) as root
from label
left join hop on hop.node = label.root;

create or replace temp table pair as
select distinct ha.root as a, hb.root as b
from pair
join hop as ha on ha.node = pair.a
join hop as hb on hb.node = pair.b
where ha.root <> hb.root;
