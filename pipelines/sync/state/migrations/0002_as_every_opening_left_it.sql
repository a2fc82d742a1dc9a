-- What the programs of version 1 did whenever they opened a state: make the tables that a killed
-- start or an older program left out, and say of which org an outcome is.

create table if not exists state.record (
    record ubigint not null,
    source varchar not null,
    source_id varchar not null,
    entity varchar not null,
    batch date not null,          -- one row per record and batch it came in
    as_of timestamp not null,
    priority integer not null,
    parent ubigint,
    email_key ubigint,
    customer_key ubigint
);

create table if not exists state.member (
    record ubigint not null,
    person_key varchar not null,
    rule varchar not null,        -- what linked the record to its person
    via ubigint                   -- the record it was linked to, if any
);

create table if not exists state.person (
    person_key varchar not null,
    founder ubigint not null,     -- the record the key was minted from
    minted date not null,         -- the batch it was minted in
    alias_of varchar,             -- the key that took over when clusters merged
    batch date not null           -- whose file holds the person's newest values
);

create table if not exists state.account_member (
    person_key varchar not null,
    account_key varchar not null,
    rule varchar not null,
    name varchar not null         -- as this member's sources write it
);

create table if not exists state.account (
    account_key varchar not null,
    batch date not null           -- whose file holds the account's newest values
);

create table if not exists state.outcome (
    organization_id varchar,      -- what one org said is true of no other
    plan_id varchar not null,
    object varchar not null,
    key varchar not null,
    batch date not null,
    action varchar not null,
    outcome varchar not null,
    sf_id varchar,
    code varchar,
    message varchar,
    answered_at timestamptz not null,
    digest varchar                -- of what was sent and refused; none: send it again
);

alter table state.outcome add column if not exists digest varchar;
alter table state.outcome add column if not exists organization_id varchar;

update state.outcome
set organization_id = getvariable('organization')
where organization_id is null and getvariable('organization') is not null;

create table if not exists state.sent (
    object varchar not null,
    key varchar not null,
    fields varchar[] not null     -- every field that we ever wrote of this record
);

create table if not exists state.sending (
    object varchar not null,
    plan_id varchar not null      -- its rows are on their way, or their run died
);
