-- The words of our SQL: every connection knows these macros before it runs an asset.
--
-- Each takes text as landed and gives null for what is blank or cannot be read. Where a regular
-- expression rewrites, a cheaper one looks first: nearly all values are clean already, and looking
-- costs a third of rewriting.

-- One line of text: invisible characters gone, every run of white space or control characters (tab,
-- non-breaking space, line break) one space, no space at the ends; letters and their accents as one
-- character where there is one (NFC), which costs next to nothing where all is ASCII.
create or replace macro clean_composed(x) as
    case
        when regexp_matches(
            x, '[\pC\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]|  |^ | $|^$'
        )
            then nfc_normalize(nullif(
                trim(
                    regexp_replace(
                        regexp_replace(
                            x, '[\x{ad}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}\x{feff}]', '', 'g'
                        ),
                        '[\p{Cc}\pZ]+', ' ', 'g'
                    )
                ),
                ''
            ))
        else x
    end;
create or replace macro clean(x) as clean_composed(nfc_normalize(x));

-- Text of several lines (a street, a note): each line as clean() leaves it, blank lines dropped.
create or replace macro clean_composed_lines(x) as
    case
        when contains(x, chr(10)) or contains(x, chr(13))
            then nfc_normalize(nullif(
                trim(
                    regexp_replace(
                        regexp_replace(
                            regexp_replace(
                                x, '[\x{ad}\x{200b}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2060}\x{feff}]', '', 'g'
                            ),
                            '[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x{9f}\pZ]+', ' ', 'g'
                        ),
                        ' ?[\r\n][\r\n ]*', chr(10), 'g'
                    ),
                    ' ' || chr(10)
                ),
                ''
            ))
        else clean_composed(x)
    end;
create or replace macro clean_lines(x) as clean_composed_lines(nfc_normalize(x));

-- The words of a text that is lower case already: letters and digits only, one space between.
create or replace macro words(x) as
    case
        when regexp_matches(x, '[^a-z0-9 ]|  |^ | $|^$')
            then nullif(trim(regexp_replace(x, '[^\pL\pN\p{M}]+', ' ', 'g')), '')
        else x
    end;

-- For comparing names: lower case, no accents, letters and digits only, one space between words.
create or replace macro norm_text(x) as words(strip_accents(lower(x)));

-- A country's or state's name for comparing: as norm_text, '&' read as 'and', a leading 'the'
-- dropped, initials closed up with what follows ('U.S.A.' → 'usa').
create or replace macro place_words(x) as
    regexp_replace(
        regexp_replace(norm_text(replace(x, '&', ' and ')), '^the (.)', '\1'), '\b([a-z]) ', '\1', 'g'
    );

-- Whether a postcode is one of a country's form and begins as they do in a part of it.
create or replace macro is_postcode(x, form, begins) as
    coalesce(
        regexp_full_match(upper(x), form)
        and (begins is null or regexp_matches(upper(x), '^(?:' || begins || ')')),
        false
    );

-- Why what somebody wrote gives no code of a country; `named` is the one that it may be.
create or replace macro no_country(x, named) as
    case
        when named is null then 'the org lists no country ' || x
        else x || ' may be a country or a state of another, and nothing beside it says which'
    end;

-- An e-mail address ignores case everywhere we meet it; Salesforce stores it in lower case.
create or replace macro norm_email(x) as lower(clean(x));

-- Whether an address of the web is a page of LinkedIn.
create or replace macro is_linkedin(x) as contains(lower(x), 'linkedin.com/');

-- The digits of a phone number, in order: '+1 (202) 555-0100' → '12025550100'.
create or replace macro digits(x) as nullif(regexp_replace(x, '[^0-9]+', '', 'g'), '');

-- A company's name for comparing: as norm_text, '&' read as 'and', abbreviating dots closed up
-- ('L.L.C.' → 'llc'), a leading 'the' and the legal forms at the end dropped. A name that is
-- nothing but a legal form stays.
create or replace macro norm_company(x) as
    regexp_replace(
        regexp_replace(
            norm_text(replace(regexp_replace(x, '[.''’]', '', 'g'), '&', ' and ')),
            '^the (.)', '\1'
        ),
        '((?: and)? (?:inc|incorporated|corp|corporation|co|company|llc|llp|lp|ltd|limited|plc|pty'
        || '|gmbh|mbh|ag|kg|kgaa|ohg|ug|se|sa|sas|sarl|srl|spa|bv|nv|oy|oyj|ab|as|a s|aps|kk|pte|ev'
        || '|sl|sro|doo|zoo|sp zoo|sp z oo|sp z o o))+$',
        ''
    );

-- How dates and numbers are read, wherever text becomes one: in staging and in mappings alike. What
-- a source declares (`format:` in sources.yaml) decides what text alone leaves open; undeclared, it
-- is null, and whatever could be two values is none.

-- A date or a moment as it was written; zeros (MySQL's 0000-00-00, a spreadsheet's 0/0/00) are blank.
create or replace macro date_text(x) as
    case when not regexp_matches(clean(x), '^[0 ./:-]+(T[0.:]+)?Z?$') then clean(x) end;

-- Whether the day stands before the month in 'd/m/yyyy': as declared, else as only one order allows.
create or replace macro is_day_first(first, second, declared) as
    case
        when declared is not null then declared
        when first > 12 or first = second then true
        when second > 12 then false
    end;

-- What the clock and the calendar said, whatever offset stands behind it: ISO 8601 with or without
-- time and fraction, and the formats that exports print. Days and months in digits with dots are
-- the European way, day first, unless declared otherwise; with slashes or hyphens '03/04/2025' is
-- refused rather than guessed.
create or replace macro written_moment(x, day_first) as
    case
        when regexp_matches(
            x,
            '^[12][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}([ T][0-9:]+([.][0-9]+)? ?(Z|[-+][0-9:]+)?)?$'
        )
            then try_cast(
                regexp_replace(x, '([0-9][ T][0-9:.]+) ?(Z|[-+][0-9:]+)$', '\1') as timestamp
            )
        when regexp_matches(x, '^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][12][0-9]{3}($|[ ,])')
            then case
                is_day_first(
                    try_cast(regexp_extract(x, '^[0-9]+') as integer),
                    try_cast(regexp_extract(x, '^[0-9]+[/.-]([0-9]+)', 1) as integer),
                    coalesce(day_first, if(x[2] = '.' or x[3] = '.', true, null))
                )
                when true
                    then try_strptime(
                        regexp_replace(x, '^([0-9]+)[/.-]([0-9]+)[/.-]', '\1/\2/'),
                        [
                            '%d/%m/%Y', '%d/%m/%Y %H:%M', '%d/%m/%Y %H:%M:%S',
                            '%d/%m/%Y %I:%M %p', '%d/%m/%Y %I:%M:%S %p',
                            '%d/%m/%Y, %H:%M', '%d/%m/%Y, %H:%M:%S', '%d/%m/%Y, %I:%M:%S %p'
                        ]
                    )
                when false
                    then try_strptime(
                        regexp_replace(x, '^([0-9]+)[/.-]([0-9]+)[/.-]', '\1/\2/'),
                        [
                            '%m/%d/%Y', '%m/%d/%Y %H:%M', '%m/%d/%Y %H:%M:%S',
                            '%m/%d/%Y %I:%M %p', '%m/%d/%Y %I:%M:%S %p',
                            '%m/%d/%Y, %H:%M', '%m/%d/%Y, %H:%M:%S', '%m/%d/%Y, %I:%M:%S %p'
                        ]
                    )
            end
        when regexp_matches(x, '(^|[^0-9])[12][0-9]{3}($|[^0-9])')
            then try_strptime(
                x,
                [
                    '%Y/%m/%d', '%Y/%m/%d %H:%M', '%Y/%m/%d %H:%M:%S',
                    '%b %d, %Y', '%b %d, %Y %H:%M:%S', '%b %d, %Y %I:%M:%S %p', '%B %d, %Y',
                    '%d %b %Y', '%d %B %Y', '%d-%b-%Y'
                ]
            )
    end;

-- A day is what is written: a birthday has no time and no offset, whatever an export adds to it.
create or replace macro parse_date(x, day_first) as cast(written_moment(x, day_first) as date);

-- A point in time, in UTC. What is written without an offset is the time of `zone`.
create or replace macro parse_timestamp(x, day_first, zone) as
    case
        -- A cast to timestamp reads past the offset without heeding it.
        when regexp_matches(x, '^[12][0-9-]+[ T][0-9:.]+ ?[-+][0-9:]+$')
            then make_timestamp(
                epoch_us(
                    try_cast(
                        regexp_replace(x, ' ?([-+][0-9]{2}):?([0-9]{2})$', '\1:\2') as timestamptz
                    )
                )
            )
        when ends_with(x, 'Z') or coalesce(zone, 'UTC') = 'UTC' then written_moment(x, day_first)
        else make_timestamp(epoch_us(timezone(zone, written_moment(x, day_first))))
    end;

-- yes and no as exports write them.
create or replace macro parse_boolean(x) as
    case
        when lower(x) in ('true', '1', 'yes', 'y', 'on', 't', 'ja') then true
        when lower(x) in ('false', '0', 'no', 'n', 'off', 'f', 'nein') then false
    end;

-- The sign, digits and separators of a number: without currency, per cent and the apostrophe that
-- keeps a spreadsheet from reading a cell; minus in brackets or as a sign of its own; thousands set
-- apart by any space or apostrophe have a plain space.
create or replace macro number_text(x) as
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(ltrim(x, '''’'), '^([-−(]?)\pZ*(?:\p{Sc}|[A-Z]{3})\pZ*', '\1'),
                    '\pZ*(?:\p{Sc}|[A-Z]{3}|%)(\)?)$', '\1'
                ),
                '^\(([^-−]*)\)$', '-\1'
            ),
            '^−', '-'
        ),
        '([0-9])[\pZ''’]([0-9])', '\1 \2', 'g'
    );

-- A number in which thousands are set apart by `thousands` (one sign as a pattern) or by spaces.
create or replace macro parse_digits(x, thousands, mark) as
    case
        when regexp_full_match(
            x,
            '-?([0-9]*|[1-9][0-9]{0,2}((' || thousands || '[0-9]{3})+|( [0-9]{3})+))?('
            || mark || '[0-9]+)?'
        )
            then try_cast(
                regexp_replace(
                    regexp_replace(x, '[ ]|' || thousands, '', 'g'), mark, '.'
                ) as decimal(38, 9)
            )
    end;

-- A number. Undeclared, '1,234' and '1.234' could be two values each, and are none.
create or replace macro parse_number(x, decimal_comma) as
    case
        when decimal_comma is null and regexp_full_match(x, '-?[0-9]+([.][0-9]{1,2})?')
            then try_cast(x as decimal(38, 9))
        when decimal_comma then parse_digits(number_text(x), '[.]', ',')
        when not decimal_comma then parse_digits(number_text(x), ',', '[.]')
        when parse_digits(number_text(x), ',', '[.]') <> parse_digits(number_text(x), '[.]', ',')
            then null
        else coalesce(
            parse_digits(number_text(x), ',', '[.]'), parse_digits(number_text(x), '[.]', ',')
        )
    end;

-- The same of a value of any type, as mappings give it: what is a number already is not read.
create or replace macro any_number(x) as
    case
        when typeof(x) = 'VARCHAR' then parse_number(clean(x::varchar), null)
        else try_cast(x as decimal(38, 9))
    end;
-- A whole number is never made of another.
create or replace macro whole_number(x) as if(x = trunc(x), try_cast(x as bigint), null);
-- A moment of any type as text; what has a type is in UTC, as all of ours are.
create or replace macro moment_text(x) as
    date_text(x::varchar)
    || if(starts_with(typeof(x), 'TIMESTAMP') and not ends_with(typeof(x), 'ZONE'), 'Z', '');

-- When a row was true: its own update time, unless that lies in the future of the landing (a day is
-- left for clocks and time zones); else the start of the batch's day.
create or replace macro recency(updated_at, loaded_at, batch) as
    case
        when updated_at <= cast(loaded_at as timestamp) + interval 1 day then updated_at
        else cast(batch as timestamp)
    end;

-- A shop knows a customer or subscriber by e-mail address and website where there is no number.
create or replace macro shop_id(id, email, website) as
    coalesce(id, email || '|' || coalesce(website, ''));

-- An id for a row that has none: a hash of what it says, null when it says nothing.
create or replace macro row_hash(parts) as
    case
        when array_to_string(parts, '') <> ''
            then 'h-' || md5(array_to_string(list_transform(parts, lambda part: coalesce(part, '')), '|'))
    end;

-- The one form in which two wire values of a describe type that mean the same are equal. Salesforce
-- stores e-mail addresses in lower case, drops blanks at the ends of text, turns line feeds into
-- carriage returns and line feeds, and pads numbers to their scale; none of that is a change. Phone
-- numbers are compared by their digits. An Id has 15 characters, and 3 more that follow from them.
-- What is chosen from a list has no order and counts once; an accent is the same in one sign or two.
create or replace macro trimmed(x) as trim(replace(nfc_normalize(x), chr(13), ''), e' \t\n');
create or replace macro normal_word(x) as lower(trimmed(x));
create or replace macro normal_phone(x) as
    coalesce(nullif(regexp_replace(x, '[^0-9]', '', 'g'), ''), normal_word(x));
create or replace macro normal_number(x) as coalesce(try_cast(x as decimal(38, 9))::varchar, x);
create or replace macro normal_id(x) as left(x, 15);
create or replace macro normal_moment(x) as
    epoch_ms(try_cast(trimmed(x) as timestamptz))::varchar;
create or replace macro list_parts(x) as
    list_filter(
        list_transform(string_split(x, ';'), lambda part: trim(part)), lambda part: part <> ''
    );
create or replace macro normal_list(x) as
    list_sort(list_distinct(list_parts(normal_word(x))))::varchar;

-- What was chosen from a list, as Salesforce takes it: each once, in the order in which it came.
create or replace macro distinct_parts(parts) as
    list_filter(
        parts,
        lambda part, place:
            list_position(list_transform(parts, lambda one: lower(one)), lower(part)) = place
    );
create or replace macro multi_select(x) as
    nullif(array_to_string(distinct_parts(list_parts(clean_lines(x))), ';'), '');

-- Where the type stands in a column. Where it is known when the SQL is made, one of the above is
-- written instead (`wire.normal_sql`): planning seven branches for every field takes longer than
-- comparing a small batch.
create or replace macro normal_value(kind, x) as
    case
        when kind in ('email', 'picklist', 'combobox', 'boolean') then normal_word(x)
        when kind = 'phone' then normal_phone(x)
        when kind in ('double', 'currency', 'percent', 'int', 'long') then normal_number(x)
        when kind in ('reference', 'id') then normal_id(x)
        when kind = 'datetime' then normal_moment(x)
        when kind = 'multipicklist' then normal_list(x)
        else trimmed(x)
    end;

-- What a plan tells of a text that is cut to what its field takes; null where the text fits.
create or replace macro cut_text(field_name, x, most) as
    case
        when length(x) > most then {
            'field': field_name,
            'after': clean_lines(left(x, most)),
            'why': format(
                'cut from {} to {} characters (too_long: truncate), without: {}{}',
                length(x), most, substr(x, most + 1, 60), if(length(x) > most + 60, '…', '')
            )
        }
    end;

-- A text as one cell of a CSV file.
create or replace macro csv_cell(text) as
    case
        when regexp_matches(text, '[",\r\n]') then '"' || replace(text, '"', '""') || '"'
        else text
    end;
