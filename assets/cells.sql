-- How cells are read as people and programs write them, and what is said of those that are not, or
-- not all, in their column. Only staging needs it, and connections that know these macros need the
-- functions in Python that they call (`pipelines/sources/written.py`).

-- What people and programs put into a cell besides its value (`="…"`, an apostrophe before a number,
-- entities) and placeholders are for `texts.py`, which reads each odd text once. (What a macro is
-- given is planned as often as it stands in it: planning the same in SQL took longer than running.)

-- Whether a text has anything that the macros below rewrite, or may be a placeholder: one look for
-- all of them, for which DuckDB reads a text once.
create or replace macro is_odd(x) as
    regexp_matches(
        x,
        '[\pC\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]|  |^ | $|^$'
        || '|&(?:#|[A-Za-z])[A-Za-z0-9]+;|^="|^''[-+=@0-9]|^[-–—_.?*/\\~ ]+$'
        || '|^#|^(?i:[(\[<-]*(?:n[/.\\]?a[.]?|none|null|nil|unknown|undefined|tb[da]|not [a-z]+|private?)'
        || '[)\]>-]*$)'
    );

-- Text in which a placeholder is no value. What is a name, a number, a code or an id is none of
-- these: people are called Null and None, and NA is Namibia.
create or replace macro text_of(kind, x) as if(is_odd(x), plain_text(x, kind), x);
create or replace macro value(x) as text_of('text', nfc_normalize(x));
create or replace macro value_lines(x) as text_of('lines', nfc_normalize(x));

-- A company's name; "private" is none, while it is a rank in an army.
create or replace macro company_value(x) as text_of('company', nfc_normalize(x));

-- A code or the name of a place, where NA means something.
create or replace macro place_value(x) as text_of('place', nfc_normalize(x));

-- A part of a person's name.
create or replace macro name_value(x) as text_of('name', nfc_normalize(x));

-- An e-mail address or a phone number that is not plainly one: what `written.py` reads of it; null
-- where it is plain.
create or replace macro email_cell(name, x) as
    case
        when not regexp_full_match(
            x, '[A-Za-z0-9_][A-Za-z0-9_.+''-]*@[A-Za-z0-9-]+(?:[.][A-Za-z0-9-]+)*[.][A-Za-z]{2,}'
        )
            then read_email(x, name)
    end;
create or replace macro phone_cell(name, x) as
    case
        when
            not regexp_full_match(x, '[+]?[(]?[0-9]+(?:(?:[-. ]|[)][ -]?| [(])[0-9]+)*')
            or ends_with(x, '.0')
            then read_phone(x, name)
    end;
create or replace macro cell_value(read, x) as if(read is null, x, read ->> '$.value');

-- Why a cell is not, or not all, in its column: the column and the reason in one text; null where it
-- is. `x` is the cell as landed.
create or replace macro left_out(name, x, staged) as
    case when x is not null and staged is null then why_not(x, name) end;
create or replace macro partly(name, x, staged, read) as
    case
        when x is not null and staged is null then why_not(x, name)
        when read is not null then name || ' ' || (read ->> '$.left')
    end;
-- The same of text, of which is told besides what was decoded, or may have been decoded wrongly.
create or replace macro altered(name, x, staged) as
    case
        when x is not null and staged is null then why_not(x, name)
        when contains(x, '&') or contains(x, 'Ã') or contains(x, 'Â') or contains(x, 'â€')
            then why_altered(x, name)
    end;

-- `_blanked`: column → the cell as landed, and why it is not, or not all, in the column. `reasons`
-- is a line for each, of the macros above; `row` is the landed row.
create or replace macro blanked(reasons, row) as
    case
        when reasons <> ''
            then map_from_entries(
                list_transform(
                    string_split(reasons, chr(10)),
                    lambda reason: {
                        'k': split_part(reason, ' ', 1),
                        'v': {
                            'value': to_json(row) ->> split_part(reason, ' ', 1),
                            'why': split_part(reason, ' ', 2)
                        }
                    }
                )
            )::json
    end;
