-- Who wrote what, when, by which request. A record's creation takes no row of its own: the records
-- that a write makes have consecutive numbers, some of which may be left out.
create table if not exists org.write (
    n bigint,
    written_at timestamp,
    user_id varchar,
    request varchar,            -- PATCH /services/data/…, Bulk job 750…, Automation …
    object varchar,
    operation varchar,
    first bigint,               -- numbers of the records it may have made, or null
    last bigint,
    fields varchar[]            -- the fields that it may have changed
);

-- What a write changed in a record that was there: which of the write's `fields`, counted from 0,
-- and the texts that stood there before, null for none. What stood there after is the next
-- change's `old`, or the record itself.
create table if not exists org.change (
    write bigint,
    record bigint,
    changed usmallint[],
    old varchar[]
);
