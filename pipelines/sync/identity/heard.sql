-- What is in force of the addresses and records of the people in the batch's scope.
insert into config_statements
select about, channel, says
from statement_in_force
where about in (
    select record from person_links
    union all
    select known.key
    from state.record_key as known
    semi join person_links as links on links.record = known.record and links.batch = known.batch
    where known.rule in ('same_email', 'same_role_email')
);
