"""A mapping file: which value of ours goes to which field of an sObject.

A field is written short, ``FirstName: first_name``, or long, ``Email: {from: email, transform:
[trim, lower]}``. Its value comes from exactly one place (``from``, ``value``, ``sql`` or
``lookup``); the other keys say what happens to it on the way and when it is sent.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from pipelines.config import Frozen, Lines, line_of, parse_partly, read_yaml
from pipelines.errors import ConfigError, Problem
from pipelines.sync.mapping.named_objects import USER

GOLDEN = {"people": "person_key", "accounts": "account_key"}
"""The relations a mapping may read, and the column that holds the key of each."""

MATCHES = ("key", "email", "name", "name_at_account")
INSERT_ONLY = frozenset({"OwnerId", "AccountId", "RecordTypeId", "Status"})
"""Fields that people work with in the org: a sync does not take them back unless it is told to."""

When = Literal["upsert", "insert", "update", "if_empty"]
Transform = Literal["trim", "lower", "upper", "title", "digits", "one_line"]
Constant = str | bool | int | float

_VARIABLE = re.compile(r"\$([A-Z][A-Z0-9_]*)")
_API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class _Part(Frozen):
    # A key has one spelling, the YAML's: `from`, never the attribute's name.
    model_config = ConfigDict(populate_by_name=False)


class FieldRule(_Part):
    """Where one field's value comes from, what happens to it, and when it is sent."""

    from_: str | None = Field(None, alias="from", description="A column of the golden relation.")
    value: Constant | None = Field(
        None, description="A constant; $NAME is read from the environment."
    )
    sql: str | None = Field(None, description="One SQL expression over the golden columns.")
    lookup: str | None = Field(None, description="The sObject whose Id is wanted; see `by`.")
    by: str | None = Field(
        None, description="The column that holds the key or username to look up."
    )
    on_miss: Literal["hold", "reject", "default", "blank"] = Field(
        "hold", description="What to do when the look-up finds nothing."
    )
    default: Constant | None = Field(
        None, description="Fills a blank; never overwrites what the org holds."
    )
    transform: tuple[Transform, ...] = Field((), description="Applied in this order.")
    translate: Mapping[str, Constant | None] | None = Field(
        None, min_length=1, description="Our value → Salesforce's; written exactly."
    )
    on_unknown: Literal["keep", "blank", "reject"] = Field(
        "keep", description="What to do with a value that `translate` does not list."
    )
    when: When = Field("upsert", description="insert: on creates only; if_empty: never overwrite.")
    blank: Literal["keep", "clear"] = Field(
        "keep",
        description="clear: an empty cell, of a column that its file has, empties the field.",
    )
    too_long: Literal["reject", "truncate"] = "reject"
    on_adopt: Literal["fill_empty", "overwrite", "review"] = Field(
        "fill_empty", description="What to do with a value that was in the org before us."
    )
    drift: Literal["keep", "restore", "review"] = Field(
        "keep", description="Only the org moved since we wrote the field."
    )
    conflict: Literal["source", "salesforce", "review"] = Field(
        "source", description="Both the source and the org moved since we wrote the field."
    )
    enabled: bool = Field(True, description="false: mapped, but switched off.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, written: Any) -> Any:
        if isinstance(written, str):
            return {"from": written}
        if isinstance(written, dict) and isinstance(written.get("transform"), str):
            return written | {"transform": [written["transform"]]}
        return written

    @model_validator(mode="after")
    def _fits_together(self) -> FieldRule:
        if problems := list(self._misfits()):
            raise ValueError("; ".join(problems))
        return self

    def _misfits(self) -> Iterator[str]:
        origins = [key for key, value in self.origins.items() if value is not None]
        if len(origins) != 1:
            listed = " and ".join(origins) if origins else "none of from, value, sql and lookup"
            yield f"{listed} given; a field takes exactly one of from, value, sql, lookup"
        for key, needs, needed_value in (
            ("by", "lookup", self.lookup),
            ("on_miss", "lookup", self.lookup),
            ("on_unknown", "translate", self.translate),
        ):
            if key in self.model_fields_set and needed_value is None:
                yield f"{key} belongs to {needs}, which is not given"
        if self.lookup and self.by is None and self.default is None:
            yield "a lookup needs by (a column), or a default to look up"
        if self.on_miss == "reject":
            yield "on_miss: reject is not available yet; use hold"
        if self.on_miss == "default" and self.default is None:
            yield "on_miss: default needs a default"

    @property
    def origins(self) -> dict[str, Constant | None]:
        """The four places a value can come from, as written."""
        return {"from": self.from_, "value": self.value, "sql": self.sql, "lookup": self.lookup}


def _api_name(name: str) -> str:
    if not _API_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no API name")
    return name


ApiName = Annotated[str, AfterValidator(_api_name)]


class ObjectMapping(_Part):
    """One file: how a golden relation becomes records of one sObject."""

    object: ApiName
    from_: Literal["people", "accounts"] = Field(
        alias="from", description="The golden relation that is read."
    )
    key: ApiName = Field(description="The External Id field, unique, that carries our key.")
    where: str | None = Field(
        None, description="Which rows, by default `route = '<object>'`; one SQL condition."
    )
    match: tuple[Literal["key", "email", "name", "name_at_account"], ...] = Field(
        ("key",), description="How records that are in the org already are found, in this order."
    )
    fields: Mapping[ApiName, FieldRule] = Field(min_length=1)
    groups: Mapping[str, tuple[ApiName, ...]] = Field(
        {}, description="Name → fields that move as one block: an address, a name."
    )

    _file: Path = PrivateAttr(default=Path("mapping"))
    _lines: Lines = PrivateAttr(default={(): 1})

    @model_validator(mode="after")
    def _key_first(self) -> ObjectMapping:
        if not self.match or self.match[0] != "key":
            raise ValueError("match begins with key: our own records are found by it")
        return self

    @property
    def key_column(self) -> str:
        """The golden column whose value is the External Id."""
        return GOLDEN[self.from_]

    @property
    def file(self) -> Path:
        """Where the mapping was read from."""
        return self._file

    @property
    def stem(self) -> str:
        """What the mapping and its relations are called by: the name of its file."""
        return self._file.stem

    @property
    def condition(self) -> str:
        """The SQL condition that chooses the rows."""
        return self.where or self.routed

    @property
    def routed(self) -> str:
        """The condition for what the policies make a record of this object."""
        return f"route = '{self.object}'"

    def enabled(self) -> dict[str, FieldRule]:
        """The fields that are switched on, in the order of the file."""
        return {name: rule for name, rule in self.fields.items() if rule.enabled}

    def lookups(self) -> dict[str, str]:
        """Enabled field → the object whose record it looks up by key; users are no such record."""
        return {
            name: rule.lookup
            for name, rule in self.enabled().items()
            if rule.lookup is not None and rule.lookup != USER
        }

    def renamed(self, names: Mapping[str, str]) -> ObjectMapping:
        """The same mapping with other fields filled: name written in the file → name sent."""
        if not names:
            return self
        fields = {names.get(name, name): rule for name, rule in self.fields.items()}
        groups = {
            group: tuple(names.get(name, name) for name in members)
            for group, members in self.groups.items()
        }
        copy = self.model_copy(update={"fields": fields, "groups": groups})
        copy._lines = self._lines | {
            ("fields", names[str(path[1])], *path[2:]): line
            for path, line in self._lines.items()
            if path[:1] == ("fields",) and len(path) > 1 and path[1] in names
        }
        return copy

    def when(self, field: str) -> When:
        """When a field is sent: as written, else ``insert`` for fields that people work with."""
        rule = self.fields[field]
        if "when" not in rule.model_fields_set and field in INSERT_ONLY:
            return "insert"
        return rule.when

    def group(self, field: str) -> str | None:
        """The block a field moves with; none where it stands for itself."""
        return next((name for name, members in self.groups.items() if field in members), None)

    def line(self, *path: str | int) -> int:
        """The line on which a part of the mapping stands, or the nearest part around it."""
        return line_of(self._lines, path)

    def problem(self, message: str, *path: str | int) -> Problem:
        """Something wrong with a part of this file, such as ``fields, Email, from``."""
        return Problem(str(self._file), self.line(*path), message)


def relation(stage: str, name: str) -> str:
    """The name of a relation at a stage.

    Args:
        stage: ``sf``, ``org_match``, ``plan`` and ``salesforce`` are of a mapping; ``org`` is of an
            object.
        name: of the mapping (its stem), or of the object in whatever case.
    """
    return f"{stage}_{name.lower()}"


def read_mapping(path: Path, environ: Mapping[str, str] = os.environ) -> ObjectMapping:
    """Read one mapping; a value or default ``$NAME`` is taken from ``environ``.

    Raises:
        ConfigError: every problem of the file, each with its line.
    """
    mapping, problems = read_partly(path, environ)
    if mapping is None or problems:
        raise ConfigError(problems)
    return mapping


def read_partly(
    path: Path, environ: Mapping[str, str] = os.environ
) -> tuple[ObjectMapping | None, list[Problem]]:
    """What is right of a mapping, none where it is too little, and every problem of the rest.

    Raises:
        ConfigError: the file is no YAML.
    """
    document, lines = read_yaml(path)
    problems: list[Problem] = []
    document = _filled(document, lines, path, environ, problems)
    mapping, further = parse_partly(document, lines, path, ObjectMapping, set())
    if mapping is not None:
        mapping._file, mapping._lines = path, lines
    return mapping, problems + further


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a mapping file, for editors; kept as ``mappings/mapping.schema.json``."""
    schema = ObjectMapping.model_json_schema(by_alias=True)
    short = {"type": "string", "description": "A column of the golden relation."}
    schema["properties"]["fields"]["additionalProperties"] = {
        "anyOf": [short, {"$ref": "#/$defs/FieldRule"}]
    }
    transform = schema["$defs"]["FieldRule"]["properties"]["transform"]
    schema["$defs"]["FieldRule"]["properties"]["transform"] = {
        "anyOf": [transform["items"], {key: transform[key] for key in ("type", "items")}],
        "description": transform["description"],
    }
    tidy: dict[str, Any] = _without_noise(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **tidy}


def _without_noise(part: Any) -> Any:
    """A schema without generated titles, and without the null that stands for "not written"."""
    if isinstance(part, list):
        return [_without_noise(item) for item in part]
    if not isinstance(part, dict):
        return part
    cleaned = {name: value for name, value in part.items() if name != "title"}
    if cleaned.get("default", ...) is None:
        del cleaned["default"]
        choices = [choice for choice in cleaned.pop("anyOf", []) if choice != {"type": "null"}]
        cleaned |= {"anyOf": choices} if len(choices) > 1 else dict(*choices)
    return {name: _without_noise(value) for name, value in cleaned.items()}


def _filled(
    document: Any, lines: Lines, path: Path, environ: Mapping[str, str], problems: list[Problem]
) -> Any:
    """The document with ``$NAME`` replaced in the values and defaults that are switched on."""
    if not isinstance(document, dict) or not isinstance(document.get("fields"), dict):
        return document
    fields = dict(document["fields"])
    for name, rule in document["fields"].items():
        if not isinstance(rule, dict) or rule.get("enabled") is False:
            continue
        for key in ("value", "default"):
            variable = _VARIABLE.fullmatch(str(rule.get(key, "")))
            if variable and variable[1] not in environ:
                message = f"{variable[1]} is not set in the environment; set it, or disable {name}"
                problems.append(Problem(str(path), line_of(lines, ("fields", name, key)), message))
            elif variable:
                fields[name] = fields[name] | {key: environ[variable[1]]}
    return document | {"fields": fields}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
