-- What must outlive a batch: who is who, what was written, what came of it. Narrow on purpose: the
-- values stay in Parquet, and (record, batch) says in which file. These are the tables of a new home;
-- an older one gets there by `migrations/`.

create table state.record (
    record ubigint not null,
    source varchar not null,
    source_id varchar not null,
    entity varchar not null,
    batch date not null,          -- one row per record and batch it came in
    as_of timestamp not null,
    priority integer not null,
    parent ubigint,
    first_name varchar,
    last_name varchar             -- with its suffix
);

create table state.statement (
    record ubigint not null,
    batch date not null,          -- of the version that says it
    source varchar not null,
    source_id varchar,            -- of the row; a rejected one may have none
    about ubigint not null,       -- the e-mail address, as its key; else the record
    channel varchar not null,     -- email or call
    says varchar not null,        -- out, in, or open: asked and not answered, or not to be read
    said_at timestamp             -- by its own time; none: nobody knows when
);

create table state.record_key (
    record ubigint not null,
    batch date not null,          -- of the version that has the value
    rule varchar not null,        -- by which it links
    key ubigint not null          -- the value, as a number
);

create table state.member (
    record ubigint not null,
    person ubigint not null,
    rule varchar not null,        -- what linked the record to its person
    via ubigint,                  -- the record it was linked to, if any
    component ubigint not null    -- the smallest record that it is connected to by any rule
);

create table state.apart (
    record ubigint not null,      -- shares something with the other, and is another person's
    other ubigint not null,
    rule varchar not null,
    likeness varchar not null     -- of their names: thin, or several where more than one fits
);

create table state.person (
    person ubigint not null,
    spelling varchar,             -- of the key, where it does not spell its number
    founder ubigint not null,     -- the record the key was minted from
    namer ubigint,                -- the record that gave it its name, where it had several
    minted date not null,         -- the batch it was minted in
    alias_of ubigint,             -- the key that took over when clusters merged
    batch date not null,          -- whose file holds the person's newest values
    split_from ubigint            -- whose records these were until they became a person of their own
);

create table state.account_member (
    person ubigint not null,
    account ubigint not null,
    rule varchar not null,
    name varchar not null         -- as this member's sources write it
);

create table state.account (
    account ubigint not null,
    spelling varchar,             -- of the key, where it does not spell its number
    minted date not null,         -- the batch it was minted in
    alias_of ubigint,             -- the account that took over when two became one
    batch date not null           -- whose file holds the account's newest values
);

create table state.account_reference (
    reference ubigint not null,   -- a company's name, normalised, as a number
    account ubigint not null      -- that it means, where that is not the one of its own number
);

create table state.identity (
    digest varchar not null       -- of the rules by which everybody was told apart last
);

create table state.outcome (
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

create table state.sent (
    object varchar not null,
    key varchar not null,
    fields varchar[] not null     -- every field that we ever wrote of this record
);

create table state.sending (
    object varchar not null,
    plan_id varchar not null      -- its rows are on their way, or their run died
);
