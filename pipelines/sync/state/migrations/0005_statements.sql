-- What was said of the newsletter, and when, becomes statements about the address; what a record said
-- was its newest version's, and each statement has the time by which that version was the newest.
create table state.statement (
    record ubigint not null,
    batch date not null,
    source varchar not null,
    source_id varchar,
    about ubigint not null,
    channel varchar not null,
    says varchar not null,
    said_at timestamp
);

insert into state.statement
select
    record.record,
    record.batch,
    record.source,
    record.source_id,
    coalesce(record_key.key, record.record),
    'email',
    case record.newsletter when 'subscribed' then 'in' when 'unsubscribed' then 'out' else 'open' end,
    case when record.newsletter in ('subscribed', 'unsubscribed') then record.as_of end
from state.record as record
left join state.record_key as record_key
    on record_key.record = record.record
    and record_key.batch = record.batch
    and record_key.rule in ('same_email', 'same_role_email')
where record.newsletter is not null;

alter table state.record drop column newsletter;
