"""What an org says of its fields: asked again only where it changed, kept where people can see it.

<home>/orgs/<organization>/describe/Contact.json    as the org said last, and when
<mappings>/org_schema/Contact.json                  as somebody saved it, to check without an org
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import ConfigError
from pipelines.files import NOT_OURS, read_json, reading, write
from pipelines.memo import version
from pipelines.sync.mapping.fields import COLUMNS, Field, org_schema, schema_rows
from pipelines.sync.mapping.places import listed

if TYPE_CHECKING:
    from pipelines.salesforce.org import Org
    from pipelines.sync.mapping.fields import OrgSchema

SAVED = "org_schema"
"""The folder beside the mappings."""

_DEFAULTS = {
    field.name: [] if field.default == () else field.default
    for field in fields(Field)
    if field.default is not MISSING
}


@dataclass(frozen=True)
class Described:
    """Rows of ``org_schema`` for one object, as the org said last.

    Attributes:
        user_id: who asked; another user may see other fields.
        api_version: of the answer.
        last_modified: what the org called the moment of its last change, an HTTP date.
        rows: one a field.
        places: the countries and states that its picklists list, see ``places.Listed``.
    """

    user_id: str
    api_version: str
    last_modified: str | None
    rows: list[dict[str, Any]]
    places: dict[str, Any]


def describe(org: Org, folder: Path, objects: Iterable[str]) -> list[Described]:
    """What the org says of its objects: one cheap call for each that is as it was.

    Args:
        org: to ask.
        folder: where the answers are kept, of this org alone.
        objects: API names.
    """
    return [_described(org, _answer(folder, name), name) for name in objects]


def _answer(folder: Path, object_name: str) -> Path:
    return folder / f"{object_name}.json"


def last_described(folder: Path, object_name: str) -> dict[str, Field]:
    """The fields of an object as they were last described; none where they never were."""
    file = _answer(folder, object_name)
    return dict(_fields(file, version(file)).get(object_name, {})) if file.exists() else {}


def last(folder: Path, object_name: str) -> Described | None:
    """What the org said last of an object; none where it was never asked."""
    file = _answer(folder, object_name)
    return _read(file) if file.exists() else None


@lru_cache(maxsize=16)  # every object's snapshot asks for the fields of all
def _fields(file: Path, _version: str) -> OrgSchema:
    return org_schema(_read(file).rows)


def forget(folder: Path) -> None:
    """Ask for everything again: an org may hide a field without calling that a change."""
    for path in folder.glob("*.json"):
        path.unlink()


def _described(org: Org, file: Path, object_name: str) -> Described:
    cached = _read(file) if file.exists() else None
    if cached and (cached.user_id, cached.api_version) != (org.user_id, org.connection.api_version):
        cached = None
    news = org.describe_since(object_name, cached.last_modified if cached else None)
    if news is None and cached is not None:
        return cached
    if news is None:
        return _described(org, file, object_name)
    document, last_modified = news
    description = Described(
        org.user_id,
        org.connection.api_version,
        last_modified,
        schema_rows(document),
        vars(listed([document])),
    )
    write(file, json.dumps(vars(description), ensure_ascii=False))
    return description


def _read(file: Path) -> Described:
    return _read_version(file, version(file))


@lru_cache(maxsize=16)
def _read_version(file: Path, _version: str) -> Described:
    with reading(file):
        return Described(**read_json(file))


def save(mappings: Path, schema: OrgSchema) -> list[Path]:
    """Write the saved copy: a file for each object, a line for each field, in their order."""
    written = []
    for name, described in sorted(schema.items()):
        path = mappings / SAVED / f"{name}.json"
        write(path, _document(name, described))
        written.append(path)
    return written


def saved(mappings: Path) -> OrgSchema | None:
    """The saved copy; none where nobody saved one.

    Raises:
        ConfigError: a file of it is none that ``save`` has written.
    """
    schema = {}
    for path in sorted((mappings / SAVED).glob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            schema[document["object"]] = {
                name: Field(document["object"], name, **facts)
                for name, facts in document["fields"].items()
            }
        except NOT_OURS as error:
            message = f"is no saved schema ({error}); write it anew: causeway org describe --save"
            raise ConfigError.at(path, getattr(error, "lineno", None), message) from error
    return schema or None


def drift(before: OrgSchema, current: OrgSchema) -> Iterator[str]:
    """What the org says otherwise than the saved copy, in words, field by field."""
    for name in sorted(before.keys() | current.keys()):
        old, new = before.get(name, {}), current.get(name, {})
        for field in sorted(old.keys() | new.keys()):
            yield from _difference(f"{name}.{field}", old.get(field), new.get(field))


def _difference(name: str, old: Field | None, new: Field | None) -> Iterator[str]:
    if new is None:
        yield f"{name} is gone"
    elif old is None:
        yield f"{name} is new"
    else:
        former, current = _facts(old), _facts(new)
        for fact in COLUMNS[2:]:
            before, after = (
                former.get(fact, _DEFAULTS.get(fact)),
                current.get(fact, _DEFAULTS.get(fact)),
            )
            if isinstance(before, list) and isinstance(after, list):
                yield from _list_difference(f"{name}: {fact}", before, after)
            elif before != after:
                yield f"{name}: {fact} is {after}, was {before}"


def _list_difference(fact: str, before: list[str], after: list[str]) -> Iterator[str]:
    lost = [value for value in before if value not in after]
    new = [value for value in after if value not in before]
    if lost:
        yield f"{fact} lost {', '.join(lost)}"
    if new:
        yield f"{fact} gained {', '.join(new)}"


def _facts(field: Field) -> dict[str, Any]:
    """What is worth saying of a field, in the order of ``org_schema``."""
    facts = {
        name: list(value) if isinstance(value, (list, tuple)) else value
        for name in COLUMNS[2:]
        for value in [getattr(field, name)]
    }
    return {name: value for name, value in facts.items() if value != _DEFAULTS.get(name, MISSING)}


def _document(object_name: str, described: Mapping[str, Field]) -> str:
    lines = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(_facts(field), ensure_ascii=False)}"
        for name, field in sorted(described.items())
    )
    return f'{{\n  "object": {json.dumps(object_name)},\n  "fields": {{\n{lines}\n  }}\n}}\n'
