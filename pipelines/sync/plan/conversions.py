"""What a Contact inherits from the Lead of ours that became it: the ledger of what we wrote there.

A Contact that a conversion made holds what the Lead held. Where its value still is what we stored
on the Lead it is ours and goes on following the sources; everything else was in the org before us.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.sync.mapping.fields import OPT_OUTS
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal

MAILING = ("Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode")
"""The Lead's address, which a conversion makes the Contact's mailing address
(https://help.salesforce.com/s/articleView?id=sf.lead_conversion_mapping.htm)."""


def converted_sql(contact: ObjectMapping, lead: ObjectMapping) -> str:
    """Contacts of ours that a conversion made: ``key``, and that of the Lead, ``lead_key``.

    A conversion says on which day it was, in the time zone of whoever did it: a Contact that is
    older than the Lead, or was made more than a day before or after, was there otherwise.
    """
    return f"""
        select matched.entity_key as key, lower(leads.{quoted(lead.key)}) as lead_key
        from {relation("org", lead.object)} as leads
        join {relation("org_match", contact.stem)} as matched
            on matched.sf_id = leads."ConvertedContactId"
        join {relation("org", contact.object)} as contacts on contacts."Id" = matched.sf_id
        join {contact.from_} as golden on golden.{contact.key_column} = matched.entity_key
        where (
                lower(leads.{quoted(lead.key)}) = matched.entity_key
                or list_contains(golden.aliases, lower(leads.{quoted(lead.key)}))
            )
            and contacts."CreatedDate" >= leads."CreatedDate"
            and abs(date_diff(
                'day',
                left(contacts."CreatedDate", 10)::date,
                left(leads."ConvertedDate", 10)::date
            )) <= 1
    """


def inherited_sql(contact: ObjectMapping, lead: ObjectMapping, own: str, leads: str) -> str:
    """The ledger of Contacts with what they inherit: ``key``, ``field``, ``sent``, ``stored``.

    A group is inherited whole or not at all. It reads ``converted`` and ``differences_<object>``.

    Args:
        contact: the mapping of Contacts.
        lead: that of Leads.
        own: the ledger of the Contacts, as a query.
        leads: that of the Leads, of the keys in ``converted.lead_key``.
    """
    none = "(null::varchar, null::varchar, null::varchar)"
    pairs = ", ".join((none, *_pairs(contact, lead)))
    return _INHERITED.format(
        own=own,
        leads=leads,
        pairs=pairs,
        differences=relation("differences", contact.stem),
    )


def _pairs(contact: ObjectMapping, lead: ObjectMapping) -> Iterator[str]:
    """Field of the Contact, field of the Lead that becomes it, and what it is decided with."""
    lead_rules = lead.enabled()
    addressed = {f"Mailing{name}": name for name in MAILING}
    for name, rule in contact.enabled().items():
        alike = (
            lead_name
            for lead_name, lead_rule in lead_rules.items()
            if lead_rule.from_ == rule.from_ and rule.from_
        )
        lead_field = next(
            (
                candidate
                for candidate in (name, addressed.get(name), *alike)
                if candidate in lead_rules
            ),
            None,
        )
        if name not in OPT_OUTS and rule.lookup is None:
            cells = (name, lead_field, contact.group(name) or name)
            texts = ("null" if cell is None else literal(cell) for cell in cells)
            yield f"({', '.join(texts)})"


_INHERITED = """
    with

    own as ({own}),

    leads as ({leads}),

    weighed as (
        select
            differences.key,
            differences.field,
            leads.sent,
            leads.stored,
            leads.key is not null as is_ours,
            bool_and(
                differences.before is null
                or (leads.key is not null and trim(differences.before) = trim(leads.stored))
            ) over (partition by differences.key, pairs.unit) as untouched
        from {differences} as differences
        join converted on converted.key = differences.key
        join (values {pairs}) as pairs (field, lead_field, unit)
            on pairs.field = differences.field
        left join leads on leads.key = converted.lead_key and leads.field = pairs.lead_field
    )

    select key, field, sent, stored from own
    union all
    select key, field, sent, stored
    from weighed
    anti join own using (key, field)
    where untouched and is_ours
"""
