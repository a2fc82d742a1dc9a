"""Every key of a mapping changes what is compiled, whatever stands beside it, or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.config import PROJECT
from pipelines.errors import ConfigError
from pipelines.org.describes import saved
from pipelines.org.snapshot import check_against
from pipelines.project import Project
from pipelines.sync.mapping.addresses import fit
from pipelines.sync.mapping.compile import desired_sql
from pipelines.sync.mapping.fields import OrgSchema
from pipelines.sync.mapping.match import match_sql
from pipelines.sync.mapping.model import INSERT_ONLY, FieldRule, ObjectMapping
from pipelines.sync.plan.build import plan_sql
from pipelines.sync.plan.differences import differences_sql

MODEL = ObjectMapping
SCHEMA = saved(PROJECT / "mappings") or {}
NAMED: dict[str, list[Any]] = {
    "object": ["Lead", "Cntact"],
    "from": ["accounts"],
    "key": ["Email", "Other__c"],
    "where": ["route = 'Lead'", "title"],
    "match": [["key", "email"], ["key", "name"]],
    "groups": [{"block": ["Fax", "Title"]}, {"block": ["Title"]}],
    "fields.*.from": ["department", "titel"],
    "fields.*.value": ["y", 5],
    "fields.*.sql": ["lower(title)", "count(*)"],
    "fields.*.lookup": ["User", "Account", "Usr"],
    "fields.*.by": ["email", "emial"],
    "fields.*.default": ["z", True],
    "fields.*.transform": [["upper"], ["trim", "digits"]],
    "fields.*.translate": [{"a": "b"}, {}],
}
"""Values of keys that are no switch."""

WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "from": ("Title", {"from": "title"}),
    "sql": ("Title", {"sql": "upper(title)"}),
    "value": ("Title", {"value": "x"}),
    "date": ("Birthdate", {"from": "birthdate"}),
    "flag": ("HasOptedOutOfEmail", {"from": "opted_out"}),
    "by": ("OwnerId", {"lookup": "User", "by": "title"}),
    "user": ("OwnerId", {"lookup": "User", "default": "ada@x.org"}),
    "account": ("AccountId", {"lookup": "Account", "by": "account_key", "when": "upsert"}),
    "translated": ("Title", {"from": "title", "translate": {"x": "y"}}),
    "inserted": ("Title", {"from": "title", "when": "insert"}),
    "filled": ("Title", {"from": "title", "when": "if_empty"}),
}
"""A field in each of the ways in which it may get its value."""

CONTACT: dict[str, Any] = {
    "object": "Contact",
    "from": "people",
    "key": "Causeway_Key__c",
    "fields": {"LastName": "last_name", "Email": "email", "Fax": "fax"},
}


def test_every_key_of_a_mapping(law: Any, key: tuple[str, ...], value: Any) -> None:
    assert value is not ..., f"say in NAMED what a value of {key} may be"
    for way in WAYS if "*" in key else ("from",):
        _changes_something(law, way, key, value)


def _changes_something(law: Any, way: str, key: tuple[str, ...], value: Any) -> None:
    name, rule = WAYS[way]
    before = law.laid_over(CONTACT, {"fields": {name: rule}})
    change = law.placed(tuple(name if part == "*" else part for part in key), value)
    after = law.laid_over(before, change)
    if after == before:
        return
    schema = _without(name) if key[-1] == "optional" else SCHEMA
    made = _read(law, after, schema)
    if made is not None and value != _unwritten(name, key):
        assert made != _read(law, before, schema), f"{way}, {key}: {value!r} changes nothing"


def _without(name: str) -> OrgSchema:
    """An org that has not this field of people."""
    fields = {field: about for field, about in SCHEMA["Contact"].items() if field != name}
    return {**SCHEMA, "Contact": fields}


def _unwritten(name: str, key: tuple[str, ...]) -> Any:
    """What holds where a key of a field is not written; none of a key of the whole mapping."""
    if key[0] != "fields":
        return None
    if key[-1] == "when" and name in INSERT_ONLY:
        return "insert"
    names = {field.alias or name: field.default for name, field in FieldRule.model_fields.items()}
    return names[key[-1]]


def _read(law: Any, contact: dict[str, Any], schema: OrgSchema) -> list[str] | None:
    """What a mapping compiles to; none where it is refused, each time with file and line."""
    project = law.configured(contact=contact)
    try:
        mappings = fit(project.object_mappings, schema)
        check_against(project, schema)
    except ConfigError as error:
        files = {(Path(problem.file).name, bool(problem.line)) for problem in error.problems}
        assert files <= {("contact.yaml", True)}, error
        return None
    return list(_compiled(project, mappings, schema))


def _compiled(project: Project, mappings: Any, schema: OrgSchema) -> Iterator[str]:
    mapping, policies = mappings["contact"], project.policies
    fields = schema[mapping.object]
    yield desired_sql(mapping, fields, mappings, policies)
    yield match_sql(mapping, mappings, policies)
    yield differences_sql(mapping, fields, policies)
    yield plan_sql(mapping, fields, policies)
