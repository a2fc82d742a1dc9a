"""A mapping and an org's fields become one ``select``: what each record should look like.

The select reads the golden relation, ``routes``, and for look-ups the matches and users of the
org; it gives ``key``, one text column per enabled field in wire form, and ``_held``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines.sync.mapping.addresses import LEFT_OUT, Block, blocks, places_cte
from pipelines.sync.mapping.expression import checked_sql, columns_of
from pipelines.sync.mapping.fields import IDS, TEXT, Field
from pipelines.sync.mapping.folder import matches_sql, of_object
from pipelines.sync.mapping.golden import column_sql, joined_sql
from pipelines.sync.mapping.matched import open_sql
from pipelines.sync.mapping.model import FieldRule, ObjectMapping, relation
from pipelines.sync.mapping.named_objects import CONTACT, LEAD, ROUTED, USER
from pipelines.sync.mapping.policies import Addresses, Policies, when
from pipelines.sync.mapping.wire import (
    PENDING,
    constant_sql,
    limit,
    misfit_sql,
    quoted,
    text_literal,
    text_sql,
    type_text,
    wire_sql,
)
from pipelines.warehouse import literal

CUT = "_cut"
"""The column of ``sf_<mapping>`` that says which texts were cut."""
EXCLUDED, HELD_NEW = "_excluded", "_held_new"
"""Columns of ``sf_<mapping>``: why only an opt-out is written; why no record is created."""
CUT_TYPE = "struct(field varchar, after varchar, why varchar)[]"


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
        "entities": _entities_sql(mapping),
        "routed": f"select *\nfrom entities\nwhere {checked_sql(mapping.condition)}",
        **_lookup_ctes(rules.values(), mappings, policies),
        "valued": _valued_sql(rules, mapping.key_column),
        **places_cte(places, policies.addresses),
        "wired": _wired_sql(rules, schema, places, policies),
        **({"waiting": _waiting_sql(mappings)} if waits else {}),
    }
    columns = [
        "wired.key",
        *(_sent_sql(rule, schema[name]) for name, rule in rules.items()),
        _messages_sql(_held(always, schema, places, policies.addresses, waits=waits), "_held"),
        _messages_sql(
            [r for n, rule in created.items() for r in _reasons(rule, schema[n])], HELD_NEW
        ),
        _messages_sql(_left_out(places, policies.addresses), LEFT_OUT),
        _cut_sql(rules, schema),
        f"wired.{EXCLUDED}",
    ]
    final = _select(columns, "wired")
    if waits:
        final += "\nleft join waiting on waiting.key = wired.key"
    return _with(ctes, final)


def mapping_columns(mapping: ObjectMapping) -> dict[str, list[str]]:
    """The lineage of ``sf_<mapping>``: each of its columns → the golden columns it is made from."""
    lineage = {"key": [mapping.key_column]}
    lineage |= {name: columns_read(rule) for name, rule in mapping.enabled().items()}
    lineage["_held"] = list(dict.fromkeys(column for read in lineage.values() for column in read))
    return lineage


def golden_columns(mapping: ObjectMapping) -> list[str]:
    """The golden columns that the enabled fields and the condition read, the key first."""
    read = [column for rule in mapping.enabled().values() for column in columns_read(rule)]
    chosen = [column for column in columns_of(mapping.condition) if column != "route"]
    return list(dict.fromkeys((mapping.key_column, *read, *chosen)))


def value_sql(rule: FieldRule) -> str:
    """The value of a rule that is no look-up, before its wire form: a golden expression."""
    if rule.value is not None:
        return constant_sql(rule.value)
    value = _before_translation(rule)
    if rule.translate is not None:
        value = _translated(value, rule)
    if rule.default is not None:
        value = f"coalesce({value}, {constant_sql(rule.default)})"
    return value


def _entities_sql(mapping: ObjectMapping) -> str:
    golden, read = mapping.from_, golden_columns(mapping)
    columns = [
        *(column_sql(golden, column) for column in read),
        "routes.sobject as route",
        f"routes.excluded as {EXCLUDED}",
    ]
    route = f"join routes on routes.entity_key = {golden}.{mapping.key_column}"
    return f"{_select(columns, joined_sql(golden, read))}\n{route}"


def _valued_sql(rules: Mapping[str, FieldRule], key_column: str) -> str:
    columns, joins = [f"routed.{key_column} as key", f"routed.{EXCLUDED}"], []
    for name, rule in rules.items():
        if rule.lookup is None:
            columns.append(f"{value_sql(rule)} as {quoted(name)}")
            if rule.translate is not None and _can_miss(rule):
                translated = ", ".join(map(text_literal, rule.translate))
                before = _before_translation(rule)
                columns.append(_missed(name, before, f"{before} not in ({translated})"))
            continue
        lookup = quoted(f"{name}_match")
        columns.append(f"{_lookup_id_sql(rule, lookup)} as {quoted(name)}")
        if rule.by is not None:
            lookup_value = _lookup_value_sql(rule.by)
            joins.append(f"left join {_ids(rule)} as {lookup} on {lookup}.name = {lookup_value}")
            if _can_miss(rule):
                columns.append(_missed(name, lookup_value, f"{lookup}.id is null"))
                columns.append(f"{lookup}.waits as {quoted(f'{name}_waits')}")
    return "\n".join((_select(columns, "routed"), *joins))


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
        wired = column if rule.lookup is not None else wire_sql(field, column, zone)
        columns.append(wired if wired == column else f"{wired} as {column}")
        if _can_miss(rule):
            columns.append(quoted(f"{name}_missed"))
            if rule.lookup is not None:
                columns.append(quoted(f"{name}_waits"))
        elif _can_misfit(rule, field):
            misfit = f"case when {wired} is null then {misfit_sql(field, column)} end"
            columns.append(f"{misfit} as {quoted(f'{name}_misfit')}")
    columns += [misfit for block in places for misfit in block.misfits]
    return "\n".join((_select(columns, "valued"), *(block.joined for block in places)))


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
    anywhere = _indented(_indented("\nor ".join(longer)))
    listed = _indented(_indented(",\n".join(cuts)))
    return (
        f"case\n    when\n{anywhere}\n    then list_filter([\n{listed}\n"
        f"    ], lambda cut: cut is not null)\nend as {CUT}"
    )


def _held(
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
    reasons = [reason for rule, field in uncoded for reason in _reasons(rule, field)]
    reasons += [
        message for block in places for message, waits_for_it in block.told(policy) if waits_for_it
    ]
    return [*reasons, "waiting.reason"] if waits else reasons


def _left_out(places: list[Block], policy: Addresses) -> list[str]:
    """What is not sent though the source says it; each is null where there is nothing."""
    return [
        message
        for block in places
        for message, waits_for_it in block.told(policy)
        if not waits_for_it
    ]


def _messages_sql(reasons: list[str], name: str) -> str:
    """Reasons one after the other; null when there is none."""
    if not reasons:
        return f"null::varchar as {name}"
    listed = _indented(",\n".join(["'; '", *reasons]))
    together = _indented(f"concat_ws(\n{listed}\n),\n''")
    return f"nullif(\n{together}\n) as {name}"


def _reasons(rule: FieldRule, field: Field) -> Iterator[str]:
    name, most = field.field, limit(field)
    column, missed = f"wired.{quoted(name)}", f"wired.{quoted(f'{name}_missed')}"
    if rule.lookup is not None and _can_miss(rule):
        unless = f" and {column} is null" if rule.on_miss == "default" else ""
        label, waits = (
            literal(f"{name}: there is no {rule.lookup} "),
            f"wired.{quoted(f'{name}_waits')}",
        )
        message = (
            f"coalesce({literal(f'its {rule.lookup} waits: ')} || {waits}, {label} || {missed})"
        )
        yield f"case when {missed} is not null{unless} then {message} end"
    elif _can_miss(rule):
        label = literal(f"{name}: translate does not list ")
        yield f"case when {missed} is not null then {label} || {missed} end"
    elif _can_misfit(rule, field):
        label = literal(f"{name} is no {type_text(field)}: ")
        yield f"{label} || wired.{quoted(f'{name}_misfit')}"
    if most is not None and rule.too_long == "reject" and rule.value is None:
        size = f"length({column})"
        label = f"{literal(f'{name} has ')} || {size} || {literal(f' characters, {most} fit')}"
        yield f"case when {size} > {most} then {label} end"


def _can_miss(rule: FieldRule) -> bool:
    if rule.lookup is not None:
        return rule.by is not None and rule.on_miss != "blank"
    return rule.translate is not None and rule.on_unknown == "reject"


def _can_misfit(rule: FieldRule, field: Field) -> bool:
    return rule.lookup is None and rule.value is None and field.type not in TEXT | IDS


def _missed(name: str, value: str, unknown: str) -> str:
    missed = quoted(f"{name}_missed")
    return f"case when {value} is not null and {unknown} then {value} end as {missed}"


def _lookup_ctes(
    rules: Iterable[FieldRule], mappings: Mapping[str, ObjectMapping], policies: Policies
) -> dict[str, str]:
    """For each object that is looked up, one relation of ``name``, ``id`` and why it ``waits``."""
    ctes: dict[str, str] = {}
    for rule in rules:
        if rule.lookup == USER:
            ctes[_ids(rule)] = _USER_IDS
        elif rule.lookup is not None:
            ctes[_ids(rule)] = _record_ids_sql(rule.lookup, mappings, policies)
    return ctes


_USER_IDS = """\
select lower("Username") as name, min("Id") as id, null::varchar as waits
from org_user
where "IsActive" = 'true'
group by lower("Username")"""


def _record_ids_sql(
    object_name: str, mappings: Mapping[str, ObjectMapping], policies: Policies
) -> str:
    """Key → Id of the org, else the mark of a create of this plan; neither where it is open."""
    parents = of_object(mappings, object_name)
    key = quoted(parents[0].key)
    mark = literal(f"{PENDING}{object_name.lower()}:")
    creates = dict.fromkeys(_indented(_indented(_creates_sql(parent, mark))) for parent in parents)
    unions = "".join(f"        union all\n{create}\n" for create in creates)
    return _RECORD_IDS.format(
        matches=matches_sql(mappings, object_name),
        waits=_indented(_indented(open_sql(object_name, policies))).strip(),
        records=relation("org", object_name),
        key=key,
        unions=unions,
    )


_RECORD_IDS = """\
select name, chosen.id as id, chosen.waits as waits
from (
    select name, arg_min({{'id': id, 'waits': waits}}, place) as chosen
    from (
        select
            entity_key as name,
            case when waits is null then sf_id end as id,
            waits,
            1 as place
        from (
            select
                entity_key,
                sf_id,
                {waits} as waits
            from {matches}
        )
        where sf_id is not null or waits is not null
        union all
        select lower({key}), "Id", null, 2
        from {records}
        where {key} is not null and "IsDeleted" = 'false'
{unions}    )
    group by name
)"""


def _creates_sql(parent: ObjectMapping, mark: str) -> str:
    """Key and mark of all that a mapping takes; routes alone tell where it goes by nothing else."""
    if parent.object in ROUTED and parent.condition == parent.routed:
        return (
            f"select entity_key, {mark} || entity_key, null, 3\n"
            f"from routes\nwhere sobject = {literal(parent.object)}"
        )
    key = parent.key_column
    return (
        f"select {key}, {mark} || {key}, null, 3\nfrom (\n{_indented(_entities_sql(parent))}\n"
        f") as entities_of_{parent.stem}\nwhere {checked_sql(parent.condition)}"
    )


def _waiting_sql(mappings: Mapping[str, ObjectMapping]) -> str:
    message = (
        "an open Lead of this person is in the org; convert or close it (leads.existing: hold)"
    )
    leads, contacts = (matches_sql(mappings, name) for name in (LEAD, CONTACT))
    return f"""\
select org_match_lead.entity_key as key, {literal(message)} as reason
from {leads}
left join {contacts} on org_match_contact.entity_key = org_match_lead.entity_key
where org_match_lead.sf_id is not null and org_match_contact.sf_id is null"""


def _lookup_id_sql(rule: FieldRule, lookup: str) -> str:
    ids = [] if rule.by is None else [f"{lookup}.id"]
    if rule.default is not None and (rule.by is None or rule.on_miss == "default"):
        # The default is looked up like any other value, so that it too is an active user.
        name = literal(str(rule.default).lower())
        ids.append(f"(select id from {_ids(rule)} where name = {name})")
    return ids[0] if len(ids) == 1 else f"coalesce({', '.join(ids)})"


def _lookup_value_sql(column: str) -> str:
    return f"lower(trim(routed.{quoted(column)}))"


def _ids(rule: FieldRule) -> str:
    return f"{(rule.lookup or '').lower()}_ids"


def columns_read(rule: FieldRule) -> list[str]:
    """The golden columns that a field is made from, or looked up by."""
    if rule.sql is not None:
        return columns_of(rule.sql)
    column = rule.from_ or rule.by
    return [] if column is None else [column]


_TRANSFORMS = {
    "trim": "trim({})",
    "lower": "lower({})",
    "upper": "upper({})",
    "digits": "nullif(regexp_replace({}, '[^0-9]', '', 'g'), '')",
    "one_line": "trim(regexp_replace({}, '\\s+', ' ', 'g'))",
    "title": (
        "array_to_string(list_transform(string_split(lower({}), ' '), "
        "lambda word: upper(word[1]) || word[2:]), ' ')"
    ),
}


def _before_translation(rule: FieldRule) -> str:
    value = checked_sql(rule.sql) if rule.sql is not None else quoted(rule.from_ or "")
    for transform in rule.transform:
        value = _TRANSFORMS[transform].format(value)
    return value


def _translated(value: str, rule: FieldRule) -> str:
    cases = " ".join(
        f"when {text_literal(source_value)} then {constant_sql(org_value)}"
        for source_value, org_value in (rule.translate or {}).items()
    )
    otherwise = value if rule.on_unknown == "keep" else "null"
    return f"case {value} {cases} else {otherwise} end"


def _select(columns: Iterable[str], source: str) -> str:
    listed = _indented(",\n".join(columns))
    return f"select\n{listed}\nfrom {source}"


def _with(ctes: Mapping[str, str], final: str) -> str:
    parts = ",\n\n".join(f"{name} as (\n{_indented(body)}\n)" for name, body in ctes.items())
    return f"with\n\n{parts}\n\n{final}\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))
