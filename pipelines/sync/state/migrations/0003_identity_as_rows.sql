-- What a record shares becomes rows of a rule, its name stands beside it (`record_value` holds what
-- the batches' files say of both), and people and accounts are numbers that are spelled at the edge.
-- Until now all that was connected was one person, so a person's records are one component.

create or replace temp macro numbered(key) as
    case
        when regexp_matches(key, '^[pa]-[0-9a-f]{16}$') then ('0x' || key[3:])::ubigint
        else (md5_number('key' || chr(31) || key) >> 64)::ubigint
    end;

create or replace temp macro irregular(key) as
    case when not regexp_matches(key, '^[pa]-[0-9a-f]{16}$') then key end;

create table state.record_key (
    record ubigint not null,
    batch date not null,
    rule varchar not null,
    key ubigint not null
);

insert into state.record_key
select record, batch, 'same_customer', customer_key
from state.record
where customer_key is not null
union all
select
    known.record,
    known.batch,
    if(value.is_role, 'same_role_email', 'same_email'),
    if(
        value.is_role,
        (md5_number('email' || chr(31) || value.email) >> 64)::ubigint,
        known.email_key
    )
from state.record as known
left join record_value as value
    on value.record = known.record and value.batch = known.batch
where known.email_key is not null;

create temp table record_before as select * from state.record;

drop table state.record;

create table state.record (
    record ubigint not null,
    source varchar not null,
    source_id varchar not null,
    entity varchar not null,
    batch date not null,
    as_of timestamp not null,
    priority integer not null,
    parent ubigint,
    first_name varchar,
    last_name varchar
);

insert into state.record
select
    known.record,
    known.source,
    known.source_id,
    known.entity,
    known.batch,
    known.as_of,
    known.priority,
    known.parent,
    value.first_name,
    value.last_name
from record_before as known
left join record_value as value
    on value.record = known.record and value.batch = known.batch;

create temp table member_before as select * from state.member;

drop table state.member;

create table state.member (
    record ubigint not null,
    person ubigint not null,
    rule varchar not null,
    via ubigint,
    component ubigint not null
);

insert into state.member
select
    record,
    numbered(person_key),
    rule,
    via,
    min(record) over (partition by person_key)
from member_before;

create table state.apart (
    record ubigint not null,
    other ubigint not null,
    rule varchar not null,
    likeness varchar not null
);

create temp table person_before as select * from state.person;

drop table state.person;

create table state.person (
    person ubigint not null,
    spelling varchar,
    founder ubigint not null,
    namer ubigint,
    minted date not null,
    alias_of ubigint,
    batch date not null,
    split_from ubigint
);

-- The newest version of a record counts, and of a person's records the one that comes first.
insert into state.person
select
    numbered(person_before.person_key),
    irregular(person_before.person_key),
    person_before.founder,
    named.record,
    person_before.minted,
    numbered(person_before.alias_of),
    person_before.batch,
    null
from person_before
left join (
    select
        member.person_key,
        arg_min(
            version.record,
            (
                version.last_name is null,
                version.priority,
                -epoch_us(version.as_of),
                version.source,
                version.source_id
            )
        ) as record
    from member_before as member
    join (
        select *
        from state.record
        qualify row_number() over (partition by record order by as_of desc, batch desc) = 1
    ) as version on version.record = member.record
    where version.entity <> 'address'
    group by member.person_key
    having count(*) > 1
) as named on named.person_key = person_before.person_key;

create temp table account_member_before as select * from state.account_member;

drop table state.account_member;

create table state.account_member (
    person ubigint not null,
    account ubigint not null,
    rule varchar not null,
    name varchar not null
);

insert into state.account_member
select numbered(person_key), numbered(account_key), rule, name
from account_member_before;

create temp table account_before as select * from state.account;

drop table state.account;

create table state.account (
    account ubigint not null,
    spelling varchar,
    minted date not null,
    alias_of ubigint,
    batch date not null
);

insert into state.account
select
    numbered(account.account_key),
    irregular(account.account_key),
    coalesce(first.minted, account.batch),
    null,
    account.batch
from account_before as account
left join (
    select member.account_key, min(person.minted) as minted
    from account_member_before as member
    join person_before as person on person.person_key = member.person_key
    group by member.account_key
) as first on first.account_key = account.account_key;

create table state.account_reference (
    reference ubigint not null,
    account ubigint not null
);

create table state.identity (
    digest varchar not null
);

drop table record_value;
drop table record_before;
drop table member_before;
drop table person_before;
drop table account_member_before;
drop table account_before;
