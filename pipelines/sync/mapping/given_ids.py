"""Work tables of a match by Ids of the org in a file, as reports and Data Loader write them.

Such an Id names one record, in 15 signs or in 18; the three more follow from the others, so that a
damaged one is nobody's. It is believed where the name or the e-mail address says the same: a file
of another org, or of a sandbox before its refresh, holds Ids that look like ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.named_objects import LEAD, PREFIXES
from pipelines.sync.mapping.successors import lead_of

GIVEN = "given"
"""The work table: ``entity_key`` and the ``sf_id`` of the living record that a row's Id means."""

RULE = "salesforce_id"


def given_sql(mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping]) -> str:
    """The work table ``given``; merged records are their masters, converted Leads their Contacts.

    It reads ``person_links``, ``masters`` and the org's records.
    """
    query = _GIVEN.format(
        prefix=PREFIXES[mapping.object], records=relation("org", mapping.object), sf_id='named."Id"'
    )
    if lead_of(mapping, mappings) is not None:
        query += "\nunion\n" + _GIVEN.format(
            prefix=PREFIXES[LEAD],
            records=relation("org", LEAD),
            sf_id='named."ConvertedContactId"',
        )
    return query


_GIVEN = """\
select links.person_key as entity_key, coalesce(masters.master, {sf_id}) as sf_id
from person_links as links
join {records} as named
    on left(named."Id", 15) = left(links.source_id, 15)
    and starts_with(named."Id", split_part(links.source_id, '~', 1))
left join masters on masters.merged = {sf_id}
where
    starts_with(links.source_id, '{prefix}')
    and links.entity <> 'address'
    and length(split_part(links.source_id, '~', 1)) in (15, 18)
    and {sf_id} is not null"""


def matched_sql(place: int) -> str:
    """Who is a record by an Id in a file: whose names agree, or the address where they may."""
    return _MATCHED.format(place=place, rule=RULE, given=GIVEN)


_MATCHED = """\
select entity_key, sf_id, since, {place}, '{rule}'
    from (
        select
            entities.*,
            free.sf_id,
            free.since,
            name_likeness(
                entities.first_name, entities.last_name, free.first_name, free.last_name
            ) as likeness,
            entities.email = free.email as same_email
        from {given} as given_id
        join entities on entities.entity_key = given_id.entity_key
        join free on free.sf_id = given_id.sf_id
    )
    where
        (likeness = 'agree' and last_name is not null) or (likeness <> 'differ' and same_email)"""
