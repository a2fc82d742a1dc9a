-- Rejected rows that say something of consent; empty where nobody made it.
create temp table if not exists rejected_statements (
    record ubigint,
    batch date,
    source varchar,
    source_id varchar,
    email varchar,
    said_by timestamp,
    consent struct(header varchar, "value" varchar, channels varchar[], says varchar, "at" timestamp)[]
);
