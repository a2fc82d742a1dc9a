-- One round of contraction: every node takes the smallest of itself and its neighbours.
create or replace temp table hop as
select a as node, least(a, min(b)) as root
from (select a, b from pair union all select b as a, a as b from pair)
group by a;
