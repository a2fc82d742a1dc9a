"""SQL of what the choice of a run leaves out, and what is wrong with a choice that people typed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pipelines.nearest import did_you_mean
from pipelines.sync.mapping.folder import Mapped, matching_mappings, of_object
from pipelines.sync.mapping.model import ObjectMapping, relation
from pipelines.sync.mapping.wire import PENDING, quoted
from pipelines.sync.plan.choice import Choice
from pipelines.warehouse import literal

SOUGHT, MATCHES, CHOSEN = "sought", "matches", "chosen_keys"
"""Work tables: whom ``--only`` names, one a row; who that is; the ``key`` of whoever is chosen."""

MANY = 3
"""So many values of an option are read in a reason."""


def wrong_options(
    choice: Choice, sources: Collection[str], mappings: Mapping[str, Mapped]
) -> list[str]:
    """What is wrong with a choice by its spelling alone: unknown sources, objects, no address."""
    wrong = []
    for text in choice.people:
        source, colon, source_id = text.partition(":")
        if not (source and source_id if colon else "@" in text):
            wrong.append(f"--only {text}: write SOURCE:ID, a row of a source, or an e-mail address")
        elif colon and source not in sources:
            hint = did_you_mean(source, sources)
            wrong.append(f"--only {text}: sources.yaml knows no source {source!r}{hint}")
    for name in choice.sources:
        if name not in sources:
            hint = did_you_mean(name, sources)
            wrong.append(f"--source {name}: sources.yaml knows no such source{hint}")
    for name in choice.objects:
        if not matching_mappings(mappings, name):
            names = dict.fromkeys([*(part.object for part in mappings.values()), *mappings])
            wrong.append(f"--object {name}: no mapping has this name{did_you_mean(name, names)}")
    return wrong


def sought_sql(people: Sequence[str]) -> str:
    """The table ``sought``: ``text`` as typed, ``source`` and ``source_id``, or an ``email``."""
    rows = [f"({literal(text)})" for text in people] or ["(null)"]
    return f"""
        select
            text,
            case when contains(text, ':') then split_part(text, ':', 1) end as source,
            case when contains(text, ':') then substr(text, position(':' in text) + 1) end
                as source_id,
            case when not contains(text, ':') then norm_email(text) end as email
        from (values {", ".join(rows)}) as typed (text)
        where text is not null
    """


def matches_sql() -> str:
    """The table ``matches``: whom ``--only`` names among the people in scope, ``person_key``.

    It reads ``sought``, ``person_links`` and the ``person_records`` that these speak of. The
    address of somebody's office is not theirs.
    """
    return f"""
        select {SOUGHT}.text, links.person_key
        from person_links as links
        join {SOUGHT} on {SOUGHT}.source = links.source and {SOUGHT}.source_id = links.source_id
        union
        select {SOUGHT}.text, links.person_key
        from person_links as links
        join person_records as records
            on records.record = links.record and records.batch = links.batch
        join {SOUGHT} on {SOUGHT}.email = records.email
        where records.entity <> 'address'
    """


def chosen_sql(choice: Choice) -> str:
    """The table ``chosen_keys``: of the people in scope who are chosen, and of their accounts.

    It reads ``matches``, ``person_links`` and ``account_links``.
    """
    conditions = []
    if choice.people:
        conditions.append(f"person_key in (select person_key from {MATCHES})")
    if choice.sources:
        sources = ", ".join(map(literal, choice.sources))
        of_sources = f"select person_key from person_links where source in ({sources})"
        conditions.append(f"person_key in ({of_sources})")
    people = f"select person_key from person_links where {' and '.join(conditions or ['true'])}"
    return f"""
        select person_key as key from ({people})
        union
        select account_links.account_key
        from account_links
        semi join ({people}) as people on people.person_key = account_links.person_key
    """


def skips_sql(choice: Choice, mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping]) -> str:
    """The relation ``skips_<mapping>``: ``key``, ``why`` it is left out, and by which ``fields``.

    Without fields it is left out whatever is to be written of it, else only where one of these is:
    they look up a record that is yet to be made, by a mapping that is not chosen. It reads
    ``sf_<mapping>`` and ``chosen_keys``.
    """
    desired = relation("sf", mapping.stem)
    written = _written(choice, mappings)
    queries = ["select null::varchar as key, null::varchar as why, null::varchar[] as fields"]
    if mapping.stem not in written:
        queries.append(f"select key, {_why(choice, 'object')}, null from {desired}")
    elif choice.people or choice.sources:
        why = _why(choice, "only", "source")
        queries.append(f"select key, {why}, null from {desired} anti join {CHOSEN} using (key)")
    for name, parent in mapping.lookups().items():
        if not any(part.stem in written for part in of_object(mappings, parent)):
            why = f"{literal(f'its {parent} is new and ')} || {_why(choice, 'object')}"
            mark = literal(f"{PENDING}{parent.lower()}:")
            queries.append(
                f"select key, {why}, [{literal(name)}] from {desired}"
                f" where starts_with({quoted(name)}, {mark})"
            )
    listed = "\n    union all\n    ".join(queries)
    return f"""
select
    key,
    coalesce(min(why) filter (where fields is null), min(why)) as why,
    case when count(*) = count(fields) then flatten(list(fields)) end as fields
from (
    {listed}
)
where key is not null
group by key"""


def _written(choice: Choice, mappings: Mapping[str, ObjectMapping]) -> set[str]:
    """The stems of the mappings that are chosen."""
    if not choice.objects:
        return set(mappings)
    return {part.stem for name in choice.objects for part in matching_mappings(mappings, name)}


def _why(choice: Choice, *kinds: str) -> str:
    """The reason as SQL: which options leave a row out."""
    given = [
        f"--{kind} {', '.join(values[:MANY])}"
        + (f" and {len(values) - MANY} more" if len(values) > MANY else "")
        for kind, values in choice.kinds.items()
        if kind in kinds
    ]
    return literal(f"left out by {' and '.join(given)}")
