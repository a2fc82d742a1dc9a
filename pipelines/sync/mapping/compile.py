"""A mapping and an org's fields become one ``select``: what each record should look like.

The select reads the golden relation, ``routes``, and for look-ups the matches and users of the
org; it gives ``key``, one text column per enabled field in wire form, and ``_held``.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.layout import indented, select_sql, with_sql
from pipelines.sync.mapping.addresses import LEFT_OUT, Block, blocks, places_cte
from pipelines.sync.mapping.expression import checked_sql
from pipelines.sync.mapping.fields import Field
from pipelines.sync.mapping.folder import of_object
from pipelines.sync.mapping.lookups import (
    can_miss,
    ids_of,
    lookup_ctes,
    lookup_id_sql,
    lookup_value_sql,
)
from pipelines.sync.mapping.model import FieldRule, ObjectMapping
from pipelines.sync.mapping.named_objects import CONTACT, LEAD
from pipelines.sync.mapping.policies import Policies, when
from pipelines.sync.mapping.reasons import (
    can_misfit,
    held,
    left_out,
    messages_sql,
    reasons_of,
    waiting_sql,
)
from pipelines.sync.mapping.values import EXCLUDED, before_translation, entities_sql, value_sql
from pipelines.sync.mapping.wire import (
    limit,
    misfit_sql,
    parsed_sql,
    quoted,
    read_sql,
    text_literal,
    text_sql,
)
from pipelines.warehouse import literal

CUT = "_cut"
"""The column of ``sf_<mapping>`` that says which texts were cut."""
CUT_TYPE = "struct(field varchar, after varchar, why varchar)[]"
HELD_NEW = "_held_new"
"""The column of ``sf_<mapping>`` that says why no record is created of a row."""


def desired_sql(
    mapping: ObjectMapping,
    schema: Mapping[str, Field],
    mappings: Mapping[str, ObjectMapping],
    policies: Policies,
) -> str:
    """The relation ``sf_<mapping>``: ``key``, the enabled fields in wire form, and what is told.

    ``_held`` says why a row must wait, ``_held_new`` why it must where its record is yet to be
    created, ``_left_out`` what of its addresses the org has no code for, ``_cut`` (``field``,
    ``after``, ``why``) which texts were cut because they do not fit, ``_excluded`` why nothing but
    an opt-out is written of it.

    Args:
        mapping: fit for the org (``addresses.fit``) and checked (``check.check_mappings``).
        schema: the fields of the mapping's object, by API name.
        mappings: all there are, by stem, for the keys of what is looked up.
        policies: whether an open Lead holds back a new Contact, and what becomes of states that
            the org does not list.
    """
    rules = mapping.enabled()
    places = blocks(rules, schema)
    waits = mapping.object == CONTACT and policies.leads.existing == "hold"
    waits = waits and bool(of_object(mappings, LEAD))
    created = {
        name: rule for name, rule in rules.items() if when(mapping, name, policies) == "insert"
    }
    always = {name: rule for name, rule in rules.items() if name not in created}
    ctes = {
        "entities": entities_sql(mapping),
        "routed": f"select *\nfrom entities\nwhere {checked_sql(mapping.condition)}",
        **lookup_ctes(rules, schema, mappings, policies),
        "valued": _valued_sql(rules, schema, mapping.key_column),
        **places_cte(places, policies.addresses),
        "wired": _wired_sql(rules, schema, places, policies),
        **({"waiting": waiting_sql(mappings)} if waits else {}),
    }
    columns = [
        "wired.key",
        *(_sent_sql(rule, schema[name]) for name, rule in rules.items()),
        messages_sql(held(always, schema, places, policies.addresses, waits=waits), "_held"),
        messages_sql(
            [r for n, rule in created.items() for r in reasons_of(rule, schema[n])], HELD_NEW
        ),
        messages_sql(left_out(places, policies.addresses), LEFT_OUT),
        _cut_sql(rules, schema),
        f"wired.{EXCLUDED}",
    ]
    final = select_sql(columns, "wired")
    if waits:
        final += "\nleft join waiting on waiting.key = wired.key"
    return with_sql(ctes, final)


def _valued_sql(
    rules: Mapping[str, FieldRule], schema: Mapping[str, Field], key_column: str
) -> str:
    columns, joins = [f"routed.{key_column} as key", f"routed.{EXCLUDED}"], []
    for name, rule in rules.items():
        if rule.lookup is None:
            columns.append(f"{read_sql(schema[name], value_sql(rule))} as {quoted(name)}")
            if rule.translate is not None and can_miss(rule):
                translated = ", ".join(map(text_literal, rule.translate))
                before = before_translation(rule)
                columns.append(_missed(name, before, f"{before} not in ({translated})"))
            continue
        lookup = quoted(f"{name}_match")
        ids = ids_of(rule, schema[name])
        columns.append(f"{lookup_id_sql(rule, lookup, ids)} as {quoted(name)}")
        if rule.by is not None:
            lookup_value = lookup_value_sql(rule.by)
            joins.append(f"left join {ids} as {lookup} on {lookup}.name = {lookup_value}")
            if can_miss(rule):
                columns.append(_missed(name, lookup_value, f"{lookup}.id is null"))
                columns.append(f"{lookup}.waits as {quoted(f'{name}_waits')}")
    return "\n".join((select_sql(columns, "routed"), *joins))


def _wired_sql(
    rules: Mapping[str, FieldRule],
    schema: Mapping[str, Field],
    places: list[Block],
    policies: Policies,
) -> str:
    columns, policy, zone = ["key", EXCLUDED], policies.addresses, policies.batches.timezone
    for name, rule in rules.items():
        column, field = quoted(name), schema[name]
        placements = (placed for block in places if (placed := block.wired(name, policy)))
        if placed := next(placements, None):
            columns.append(f"{placed} as {column}")
            continue
        wired = column if rule.lookup is not None else parsed_sql(field, column, zone)
        columns.append(wired if wired == column else f"{wired} as {column}")
        if can_miss(rule):
            columns.append(quoted(f"{name}_missed"))
            if rule.lookup is not None:
                columns.append(quoted(f"{name}_waits"))
        elif can_misfit(rule, field):
            misfit = f"case when {wired} is null then {misfit_sql(field, column)} end"
            columns.append(f"{misfit} as {quoted(f'{name}_misfit')}")
    columns += [misfit for block in places for misfit in block.misfits]
    return "\n".join((select_sql(columns, "valued"), *(block.joined for block in places)))


def _missed(name: str, value: str, unknown: str) -> str:
    missed = quoted(f"{name}_missed")
    return f"case when {value} is not null and {unknown} then {value} end as {missed}"


def _sent_sql(rule: FieldRule, field: Field) -> str:
    column, most = f"wired.{quoted(field.field)}", limit(field)
    if rule.too_long == "truncate" and most is not None:
        return f"{text_sql(f'left({column}, {most})')} as {quoted(field.field)}"
    return column


def _cut_sql(rules: Mapping[str, FieldRule], schema: Mapping[str, Field]) -> str:
    """What is cut because it does not fit: null where all of it fits, as nearly everywhere."""
    limits = {
        name: most
        for name, rule in rules.items()
        if rule.too_long == "truncate" and (most := limit(schema[name])) is not None
    }
    if not limits:
        return f"null::{CUT_TYPE} as {CUT}"
    # Bytes are counted already, and are never fewer than characters.
    longer = (f"strlen(wired.{quoted(name)}) > {most}" for name, most in limits.items())
    cuts = (
        f"cut_text({literal(name)}, wired.{quoted(name)}, {most})" for name, most in limits.items()
    )
    anywhere = indented("\nor ".join(longer), 2)
    listed = indented(",\n".join(cuts), 2)
    return (
        f"case\n    when\n{anywhere}\n    then list_filter([\n{listed}\n"
        f"    ], lambda cut: cut is not null)\nend as {CUT}"
    )
