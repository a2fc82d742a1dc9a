-- What is in force of every address or record, by source: the newest statement counts, by its own
-- time. A refusal whose time nobody knows is turned back by none; a yes without a time turns back
-- none. What is open counts where nothing else was ever said.
create or replace temp view statement_in_force as
select
    source,
    about,
    channel,
    case
        when bool_or(says = 'out') and (
            bool_or(says = 'out' and said_at is null)
            or coalesce(
                max(said_at) filter (where says = 'out') >= max(said_at) filter (where says = 'in'),
                true
            )
        ) then 'out'
        when bool_or(says = 'in') then 'in'
        else 'open'
    end as says
from state.statement
group by source, about, channel;
