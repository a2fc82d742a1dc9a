"""What a mapping says of a row: why it waits, and what of it is not sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.sync.layout import indented
from pipelines.sync.mapping.addresses import Block
from pipelines.sync.mapping.fields import TEXT, Field
from pipelines.sync.mapping.folder import matches_sql
from pipelines.sync.mapping.lookups import can_miss
from pipelines.sync.mapping.model import FieldRule, ObjectMapping
from pipelines.sync.mapping.named_objects import CONTACT, LEAD
from pipelines.sync.mapping.owners import looks_up_owner
from pipelines.sync.mapping.policies import Addresses
from pipelines.sync.mapping.wire import limit, quoted, type_text
from pipelines.warehouse import literal


def held(
    rules: Mapping[str, FieldRule],
    schema: Mapping[str, Field],
    places: list[Block],
    policy: Addresses,
    *,
    waits: bool,
) -> list[str]:
    """The reasons why a row must wait; each is null where it does not hold."""
    coded = {name for block in places for name in (block.country, block.state)}
    uncoded = ((rule, schema[name]) for name, rule in rules.items() if name not in coded)
    reasons = [reason for rule, field in uncoded for reason in reasons_of(rule, field)]
    reasons += [
        message for block in places for message, waits_for_it in block.told(policy) if waits_for_it
    ]
    return [*reasons, "waiting.reason"] if waits else reasons


def left_out(places: list[Block], policy: Addresses) -> list[str]:
    """What is not sent though the source says it; each is null where there is nothing."""
    return [
        message
        for block in places
        for message, waits_for_it in block.told(policy)
        if not waits_for_it
    ]


def messages_sql(reasons: list[str], name: str) -> str:
    """Reasons one after the other; null when there is none."""
    if not reasons:
        return f"null::varchar as {name}"
    listed = indented(",\n".join(["'; '", *reasons]))
    together = indented(f"concat_ws(\n{listed}\n),\n''")
    return f"nullif(\n{together}\n) as {name}"


def reasons_of(rule: FieldRule, field: Field) -> Iterator[str]:
    """Why a row waits because of one field; each is null where it does not hold."""
    if rule.optional and rule.lookup is None:
        return  # it is left out instead, see ``unsent``
    name, most = field.field, limit(field)
    column, missed = f"wired.{quoted(name)}", f"wired.{quoted(f'{name}_missed')}"
    if rule.lookup is not None and can_miss(rule):
        unless = f" and {column} is null" if rule.on_miss == "default" else ""
        reason = f"{literal(f'{name}: there is no {rule.lookup} ')} || {missed}"
        if looks_up_owner(rule):
            why = f"(select why from unfit_owners where unfit_owners.name = {missed})"
            reason = f"coalesce({literal(f'{name}: ')} || {why}, {reason})"
        waits = f"wired.{quoted(f'{name}_waits')}"
        reason = f"coalesce({literal(f'its {rule.lookup} waits: ')} || {waits}, {reason})"
        yield f"case when {missed} is not null{unless} then {reason} end"
    elif can_miss(rule):
        label = literal(f"{name}: translate does not list ")
        yield f"case when {missed} is not null then {label} || {missed} end"
    elif can_misfit(rule, field):
        label = literal(f"{name} is no {type_text(field)}: ")
        yield f"{label} || wired.{quoted(f'{name}_misfit')}"
    if most is not None and rule.too_long == "reject" and rule.value is None:
        size = f"length({column})"
        label = f"{literal(f'{name} has ')} || {size} || {literal(f' characters, {most} fit')}"
        yield f"case when {size} > {most} then {label} end"


def can_misfit(rule: FieldRule, field: Field) -> bool:
    """Whether a text may be no value of the field's type."""
    return rule.lookup is None and rule.value is None and field.type not in TEXT


def waiting_sql(mappings: Mapping[str, ObjectMapping]) -> str:
    """Of whom an open Lead is in the org, which holds back a Contact: ``key``, ``reason``."""
    message = (
        "an open Lead of this person is in the org; convert or close it (leads.existing: hold)"
    )
    leads, contacts = (matches_sql(mappings, name) for name in (LEAD, CONTACT))
    return f"""\
select org_match_lead.entity_key as key, {literal(message)} as reason
from {leads}
left join {contacts} on org_match_contact.entity_key = org_match_lead.entity_key
where org_match_lead.sf_id is not null and org_match_contact.sf_id is null"""
