"""Work tables of a match by e-mail address: of those who share one, whose names agree.

An address says that two may be one person, their names say whether they are (``names.py``). Where
the names agree in part only, or where a person without a full name fits several records that are
not alike, nobody is taken: the row waits for a line of ``decisions.csv``.
"""

from __future__ import annotations

from pipelines.sync.mapping.decided import references_sql
from pipelines.sync.mapping.model import ObjectMapping
from pipelines.sync.mapping.values import value_sql

NAMES = ("FirstName", "LastName")
"""The fields that hold a name."""


def alike_ctes(mapping: ObjectMapping) -> dict[str, str]:
    """The work tables ``different``, ``alike``, ``torn`` and ``unclear``.

    They read ``entities`` and ``free``, each with ``email``, ``first_name`` and ``last_name``.
    ``unclear`` holds ``entity_key`` and the ``sf_id`` of the record that it may be.
    """
    return {
        "different": references_sql("different", mapping.key_column),
        "alike": _ALIKE,
        "torn": _TORN,
        "unclear": _UNCLEAR,
    }


def name_columns(mapping: ObjectMapping) -> list[str]:
    """What the golden record says of a name; what was read from the address says nothing."""
    enabled = mapping.enabled()
    columns = []
    for field, name in zip(NAMES, ("first_name", "last_name"), strict=True):
        rule = enabled.get(field)
        value = "null" if rule is None else value_sql(rule.model_copy(update={"default": None}))
        if mapping.from_ == "people" and rule is not None:
            value = f"case when not coalesce(name_derived, false) then {value} end"
        columns.append(f"{value} as {name}")
    return columns


_ALIKE = """\
select
    entities.entity_key,
    free.sf_id,
    free.since,
    free.first_name,
    free.last_name,
    case
        when is_role_mailbox(entities.email) and (
            entities.first_name is null or entities.last_name is null
            or free.first_name is null or free.last_name is null
        ) then 'differ'
        else name_likeness(
            entities.first_name, entities.last_name, free.first_name, free.last_name
        )
    end as likeness
from entities
join free on free.email = entities.email
anti join different
    on different.entity_key = entities.entity_key and different.target = free.sf_id"""

_TORN = """\
select distinct earlier.entity_key
from alike as earlier
join alike as later on later.entity_key = earlier.entity_key and earlier.sf_id < later.sf_id
where
    earlier.likeness = 'agree'
    and later.likeness = 'agree'
    and not names_agree(earlier.first_name, earlier.last_name, later.first_name, later.last_name)"""

_UNCLEAR = """\
select entity_key, arg_min(sf_id, (likeness, since)) as sf_id
from alike
where likeness = 'thin' or (likeness = 'agree' and entity_key in (select entity_key from torn))
group by entity_key"""
