"""Keys of a field that would do nothing beside its others: refused, so that nobody relies on one.

What each key does follows from ``compile``, ``differences`` and the decisions of a plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.errors import Problem
from pipelines.sync.mapping.model import FieldRule, ObjectMapping, When

_ON_THE_WAY = ("transform", "translate", "default", "too_long", "blank")
_LATER = ("drift", "conflict", "on_adopt", "blank")


def idle_keys(mapping: ObjectMapping) -> Iterator[Problem]:
    """Every key of the enabled fields that changes nothing, each with its line."""
    for name, rule in mapping.enabled().items():
        reasons = {**_beside_when(mapping.when(name)), **_beside_origin(rule)}
        for key, reason in reasons.items():
            if key in rule.model_fields_set:
                yield mapping.problem(f"{name}: {key} does nothing {reason}", "fields", name, key)
        if mapping.group(name) and len(mapping.groups[mapping.group(name) or ""]) == 1:
            text = f"{name} alone is no block; name the other fields that move with it"
            yield mapping.problem(text, "groups", mapping.group(name) or "")


def _beside_origin(rule: FieldRule) -> dict[str, str]:
    """Key → why it does nothing, where the value comes from there."""
    if rule.value is not None:
        return dict.fromkeys(_ON_THE_WAY, "with value, which is sent as it is written")
    if rule.lookup is None:
        return {}
    idle = dict.fromkeys(("transform", "translate", "too_long"), "with lookup, which gives an Id")
    if rule.by is None:
        return idle | {"on_miss": "without by; the default has to be there"}
    if rule.on_miss != "default":
        return idle | {"default": "in a look-up by a column; say on_miss: default"}
    return idle


def _beside_when(when: When) -> dict[str, str]:
    """Key → why it does nothing, where the field is sent then."""
    if when == "insert":
        return dict.fromkeys(_LATER, "with when: insert; nothing is changed later")
    if when == "if_empty":
        reason = "with when: if_empty, which never overwrites"
        return dict.fromkeys(("on_adopt", "blank"), reason)
    return {}
