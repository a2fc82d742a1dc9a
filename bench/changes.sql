-- A later day: one person in a thousand has a new phone number, and is asked again about the
-- newsletter, wherever they appear; who, the variable `changed` decides. Leaves in `appearance` only
-- what changed, of what `first_appearance` holds.
create or replace temp table appearance as
select
    * replace (
        '+1 ' || (200 + draw(person, 'new area') % 700) || ' 555 0199' as phone,
        '2025-01-06 09:00:00' as updated_at
    )
from first_appearance
where one_in(1000, person, getvariable('changed'));
