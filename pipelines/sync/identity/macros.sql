-- How records and keys are known in the state: 64 bits of md5, which no release of DuckDB changes.
-- Two of ten million records share them by chance once in a few hundred thousand such loads.
-- The shift is what md5_number_lower gives, at a quarter of its cost.
create or replace macro record_key(scope, id) as
    (md5_number(scope || chr(31) || id) >> 64)::ubigint;

-- Such a number as keys spell it: 16 characters, lower case.
create or replace macro spelled(number) as printf('%016x', number);

-- Keys of people and accounts are numbers inside and spelled at the edge. A key of ours spells its
-- number; one that an org gave back may be spelled in any way, and is numbered by its spelling.
create or replace macro key_number(key) as
    case
        when regexp_matches(key, '^[pa]-[0-9a-f]{16}$') then ('0x' || key[3:])::ubigint
        else record_key('key', key)
    end;

create or replace macro person_spelling(number, spelling) as
    coalesce(spelling, 'p-' || spelled(number));

create or replace macro account_spelling(number, spelling) as
    coalesce(spelling, 'a-' || spelled(number));

-- What a key is spelled like where it does not spell its number.
create or replace macro irregular_spelling(key) as
    case when not regexp_matches(key, '^[pa]-[0-9a-f]{16}$') then key end;

-- The key of the account that is called after a person, and belongs to nobody else.
create or replace macro own_account(person_key) as 'a-' || substr(person_key, 3);

-- A name in one word, by which equal names are found quickly; names.py compares the others.
create or replace macro called(first_name, last_name) as
    strip_accents(lower(coalesce(first_name, '') || chr(31) || coalesce(last_name, '')));

-- The local part of an address split on . _ -, digits and +tag dropped: two parts are first and last
-- name, one part is a last name, anything else tells nothing.
create or replace macro name_parts(email) as
    list_filter(
        string_split(
            translate(split_part(split_part(email, '@', 1), '+', 1), '_-0123456789', '..'), '.'
        ),
        lambda part: part <> ''
    );

create or replace macro capitalised(word) as upper(word[1]) || lower(word[2:]);

-- A free-mail domain says nothing of where somebody works. (A list, because `in` is a join, which asks
-- for everybody, also where nobody wants to know.)
create or replace macro company_of_email(email) as
    case when not list_contains([
        'gmail.com', 'googlemail.com', 'yahoo.com', 'hotmail.com', 'outlook.com', 'live.com',
        'msn.com', 'icloud.com', 'me.com', 'aol.com', 'gmx.com', 'gmx.de', 'gmx.net', 'web.de',
        'mail.com', 'proton.me', 'protonmail.com', 'yandex.ru', 'mail.ru', 'qq.com', '163.com',
        'orange.fr', 'free.fr', 'libero.it', 'comcast.net', 'verizon.net', 'att.net'
    ], split_part(email, '@', 2)) then nullif(split_part(email, '@', 2), '') end;

-- Where mail goes, as one block; null when nothing says where that is.
create or replace macro place(street, city, state, postal_code, country, phone) as
    case when coalesce(street, city, postal_code, country) is not null then {
        'street': street, 'city': city, 'state': state, 'postal_code': postal_code,
        'country': country, 'phone': phone
    } end;

-- Whether one version of a record speaks before another: it was true later, or came later.
create or replace macro newer(as_of, batch, other_as_of, other_batch) as
    as_of > other_as_of or (as_of = other_as_of and batch > other_batch);

-- A place on one line.
create or replace macro place_line(place) as
    concat_ws(
        ', ', replace(place.street, chr(10), ', '), place.city,
        nullif(concat_ws(' ', place.state, place.postal_code), ''),
        place.country, place.phone
    );

-- Whether two names can be one person's (names.py: name_likeness says agree, thin or differ).
create or replace macro names_agree(first_a, last_a, first_b, last_b) as
    name_likeness(first_a, last_a, first_b, last_b) = 'agree';

-- A mailbox that a company's people share. (A list, because `in` is a join.)
create or replace macro is_role_mailbox(email) as
    list_contains([
        'info', 'sales', 'office', 'contact', 'admin', 'support', 'hello', 'mail', 'service',
        'team', 'enquiries', 'inquiries', 'billing', 'accounts', 'webmaster', 'marketing'
    ], split_part(email, '@', 1));

-- A line of decisions.csv.
create or replace macro csv_line(kind, reference, target) as
    concat_ws(',', kind, csv_cell(reference), csv_cell(coalesce(target, '')));

-- What tells a row from whoever had its id before: its name, as it is written behind that id.
create or replace macro person_suffix(first_name, last_name) as
    ' (' || strip_accents(lower(concat_ws(' ', first_name, last_name))) || ')';

-- Whether an id is nothing but an e-mail address, or a hash that may be of one.
create or replace macro is_address_id(source_id) as
    regexp_matches(source_id, '^h-[0-9a-f]{32}(~[0-9]+)?$|^[^|]+@[^|]+[|]');
