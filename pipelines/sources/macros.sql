-- Macros of staging that call Python; those that need nothing stand in assets/macros.sql.

-- What full_names.py reads in a name.
create or replace macro name_read(first_name, last_name, name) as
    from_json(
        read_name(first_name, last_name, name),
        '{"prefix": "varchar", "first": "varchar", "last": "varchar", "suffix": "varchar",'
        || ' "left_out": "varchar", "why": "varchar"}'
    );
