-- The org's own tables, beside the records.
create schema if not exists records;
create schema if not exists org;

-- Bulk jobs of every kind. `n` is the number inside the job's id; `rows_done` is committed in the
-- same transaction as the rows themselves, so that a killed job goes on where it stopped.
create table if not exists org.job (
    n bigint,
    id varchar,
    kind varchar,               -- V2Ingest, V2Query, Classic
    object varchar,
    operation varchar,
    state varchar,
    spec json,                  -- what the client asked for
    created_by varchar,
    created_at timestamp,
    changed_at timestamp,
    uploaded boolean,
    rows_done bigint,
    rows_failed bigint,
    milliseconds bigint,
    error varchar
);

-- Which accounts the batches of jobs hold, and which jobs were in flight when a job was closed.
create table if not exists org.touched (
    job varchar,
    batch bigint,
    parent varchar
);
create table if not exists org.at_once (
    job varchar,
    other varchar
);

-- What automations put off.
create table if not exists org.later (
    automation varchar,
    record bigint,              -- its number
    is_new boolean,
    user_id varchar,            -- who wrote it
    due timestamp
);

-- Access tokens; only their hashes are kept.
create table if not exists org.session (
    token_hash varchar,
    user_id varchar,
    kind varchar,               -- access, refresh
    created_at timestamp,
    revoked boolean
);

-- API requests per day and kind, for the limits.
create table if not exists org.usage (
    day date,
    kind varchar,
    used bigint
);

-- Custom fields made through the API; those of the set-up file are not here.
create table if not exists org.custom_field (
    object varchar,
    name varchar,
    spec json
);

-- Countries, and states of countries, as the address picklists know them; filled at each start.
drop table if exists org.country;
create or replace table org.place (
    k varchar,                  -- in lower case: us:c:ca by code, us:t:california by name, :c:us
    code varchar,
    name varchar
);
