-- Pointer jumping: halves the way of every node to the end of its chain.
create or replace temp table hop as
select hop.node, next.root
from hop
join hop as next on next.node = hop.root;
