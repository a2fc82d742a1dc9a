-- What is in force of the addresses and records of the people in the batch's scope. A record is
-- looked up as the state knows it: a row with somebody else's id is called by its name as well.
insert into config_statements
select about, channel, says
from statement_in_force
where about in (
    select record_key(source, source_id) from person_links
    union all
    select known.key
    from state.record_key as known
    semi join person_links as links
        on record_key(links.source, links.source_id) = known.record and links.batch = known.batch
    where known.rule in ('same_email', 'same_role_email')
);
