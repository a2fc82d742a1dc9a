"""Everything that can be known to be wrong before the first write, all of it at once.

A mapping is held against the golden relation it reads and against the org it writes to. Each
problem names the file and the line, and says what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipelines.config import PROJECT
from pipelines.errors import ConfigError, Problem
from pipelines.nearest import did_you_mean, nearest
from pipelines.sync.decisions import ID, form
from pipelines.sync.mapping.addresses import CODES, COUNTRY, STATE, code_of
from pipelines.sync.mapping.expression import bound_type, expression_problems, unknown_column
from pipelines.sync.mapping.fields import IDS, INTEGERS, NUMBERS, TEXT, WRITABLE, Field, OrgSchema
from pipelines.sync.mapping.folder import objects_of
from pipelines.sync.mapping.golden import readable
from pipelines.sync.mapping.match import NEEDS
from pipelines.sync.mapping.model import FieldRule, ObjectMapping
from pipelines.sync.mapping.named_objects import ROUTED, USER
from pipelines.sync.mapping.values import value_sql
from pipelines.sync.mapping.wire import constant_sql, limit, type_text, wire_sql
from pipelines.sync.plan.row import COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MACROS = PROJECT / "assets" / "macros.sql"
KEY_LENGTH = 36  # characters of the longest person_key or account_key


def check_mappings(
    mappings: Mapping[str, ObjectMapping],
    schema: OrgSchema,
    golden: Mapping[str, Mapping[str, str]],
    *,
    whole: bool = True,
) -> None:
    """Hold every mapping against what it reads and what it writes.

    Args:
        mappings: by stem.
        schema: the org's fields, live or as they were saved.
        golden: golden relation, and ``account_links`` → its columns with their DuckDB types.
        whole: whether the mappings are all there is; else only what stands in them is judged, not
            what is missing.

    Raises:
        ConfigError: every problem of every mapping.
    """
    import duckdb

    with duckdb.connect(config={"enable_external_access": False}) as connection:
        connection.execute(MACROS.read_text(encoding="utf-8"))
        problems = [
            problem
            for mapping in mappings.values()
            for problem in _Check(mapping, mappings, schema, golden, connection).run(whole=whole)
        ]
    if problems:
        raise ConfigError(problems)


def key_problems(mapping: ObjectMapping, fields: Mapping[str, Field]) -> Iterator[Problem]:
    """What is wrong with the External Id field by which records are known."""
    key = fields.get(mapping.key)
    if key is None:
        text = f"{mapping.object} has no field {mapping.key} that we may see"
        yield mapping.problem(f"{text}; run `causeway org setup`", "key")
    elif not (key.external_id and key.unique):
        text = f"{mapping.key} must be an External Id and unique, or rows would be doubled"
        yield mapping.problem(f"{text}; run `causeway org setup`", "key")
    elif key.length < KEY_LENGTH:
        text = f"{mapping.key} takes {key.length} characters; our keys have {KEY_LENGTH}"
        yield mapping.problem(text, "key")


class _Check:
    """One mapping under examination."""

    def __init__(
        self,
        mapping: ObjectMapping,
        mappings: Mapping[str, ObjectMapping],
        schema: OrgSchema,
        golden: Mapping[str, Mapping[str, str]],
        connection: DuckDBPyConnection,
    ) -> None:
        self.mapping = mapping
        self.objects = objects_of(mappings)
        self.fields = schema.get(mapping.object, {})
        self.columns = readable(mapping.from_, golden)
        self.connection = connection

    def run(self, *, whole: bool) -> Iterator[Problem]:
        """Every problem of the mapping."""
        if not self.fields:
            text = f"the org has no object {self.mapping.object} that we may see"
            yield self.mapping.problem(text, "object")
            return
        yield from key_problems(self.mapping, self.fields)
        yield from self._condition()
        if whole:
            yield from self._match()
            yield from self._missing()
            yield from self._addresses()
            yield from self._groups()
        for name, rule in self.mapping.absent.items():
            yield from self._columns_read(name, rule)
        for name, rule in self.mapping.enabled().items():
            if whole or rule.lookup in (None, USER, *self.objects):
                yield from self._field(name, rule)

    def _condition(self) -> Iterator[Problem]:
        if self.mapping.where is None and self.mapping.object not in ROUTED:
            text = f"nobody becomes a {self.mapping.object} by the policies ({', '.join(ROUTED)})"
            yield self.mapping.problem(f"{text}; say which rows do: where", "object")
        columns = {**self.columns, "route": "varchar"}
        yield from self._expression(self.mapping.condition, columns, "BOOLEAN", "where")

    def _match(self) -> Iterator[Problem]:
        enabled = self.mapping.enabled()
        for place, rule in enumerate(self.mapping.match):
            at = ("match", place)
            for needed in NEEDS[rule]:
                if needed not in enabled:
                    yield self.mapping.problem(f"{rule} compares {needed}; map that field", *at)
                elif (enabled[needed].lookup is not None) != (needed == "AccountId"):
                    yield self.mapping.problem(f"{rule} cannot compare {needed} as mapped", *at)
            if rule == "name" and "name_generated" not in self.columns:
                yield self.mapping.problem("match by name is for accounts", *at)
            if rule == "name_at_account" and (
                ("LastName" in enabled and enabled["LastName"].from_ is None)
                or ("AccountId" in enabled and enabled["AccountId"].by is None)
            ):
                text = "name_at_account needs LastName with from, and AccountId with by"
                yield self.mapping.problem(text, *at)

    def _missing(self) -> Iterator[Problem]:
        for name, field in self.fields.items():
            mapped = name in self.mapping.enabled() and self.mapping.when(name) != "update"
            if field.required and not mapped and name != self.mapping.key:
                text = f"{name} ({field.label}) is required to create a {self.mapping.object}"
                yield self.mapping.problem(f"{text}; map it, with a default", "fields")

    def _addresses(self) -> Iterator[Problem]:
        """Where the org has picklists of countries and states: one name each, none alone."""
        enabled = self.mapping.enabled()
        for name in enabled:
            at = ("fields", name)
            code = code_of(name)
            if code in enabled and code in self.fields:
                yield self.mapping.problem(f"{name} and {code} say the same; keep one", *at)
            country = name.removesuffix(STATE) + COUNTRY
            if name.endswith(STATE) and country in self.fields and country not in enabled:
                text = f"{name} means nothing without its country; map {country} too"
                yield self.mapping.problem(text, *at)

    def _groups(self) -> Iterator[Problem]:
        group_of: dict[str, str] = {}
        for group, members in self.mapping.groups.items():
            at = ("groups", group)
            for name in members:
                if name not in self.mapping.fields:
                    yield self.mapping.problem(f"{name} is not mapped here", *at)
                elif group_of.setdefault(name, group) != group:
                    yield self.mapping.problem(f"{name} is also in the group {group_of[name]}", *at)
            rules = {name: rule for name, rule in self.mapping.enabled().items() if name in members}
            for key in ("when", "blank", "drift", "conflict", "on_adopt"):
                values = {name: getattr(rule, key) for name, rule in rules.items()}
                if key == "when":
                    values = {name: self.mapping.when(name) for name in rules}
                if len(set(values.values())) > 1:
                    text = ", ".join(f"{name} {value}" for name, value in values.items())
                    yield self.mapping.problem(
                        f"one block moves together, but {key} differs: {text}", *at
                    )

    def _field(self, name: str, rule: FieldRule) -> Iterator[Problem]:
        field = self.fields.get(name)
        if field is None:
            near = nearest(name, self.fields)
            hint = f"did you mean {near}?" if near else "grant it to our user if it is there"
            text = f"{self.mapping.object} has no field {name} that we may see; {hint}"
            yield self.mapping.problem(text, "fields", name)
            yield from self._columns_read(name, rule)
            return
        yield from (
            self.mapping.problem(f"{name}: {text}", "fields", name)
            for text in (*self._unwritable(field), *_unfit(rule, field))
        )
        if rule.lookup is not None:
            yield from self._lookup(field, rule)
        else:
            yield from self._value(field, rule)

    def _unwritable(self, field: Field) -> Iterator[str]:
        when = self.mapping.when(field.field)
        if field.field == self.mapping.key:
            yield "this is the key; Causeway writes it by itself"
        elif field.field.lower() in COLUMNS:
            yield "a field of this name cannot be mapped"
        elif field.type not in WRITABLE:
            yield f"the type {field.type} cannot be written; map its parts"
        elif field.calculated:
            yield "the org computes it by a formula; it is read, never written"
        elif not field.createable and not field.updateable:
            yield "the org lets us read it, not write it"
        elif not field.createable and when != "update":
            yield "it cannot be set on a create; say when: update"
        elif not field.updateable and when != "insert":
            yield "it cannot be changed later; say when: insert"

    def _lookup(self, field: Field, rule: FieldRule) -> Iterator[Problem]:
        at = ("fields", field.field)
        if rule.lookup != USER and rule.lookup not in self.objects:
            text = f"no mapping writes {rule.lookup}, so a look-up finds none; leave the field out"
            yield self.mapping.problem(text, *at, "lookup")
        elif field.type not in IDS or rule.lookup not in field.reference_to:
            allowed = " or ".join(field.reference_to) or f"a {type_text(field)}"
            yield self.mapping.problem(f"{field.field} takes {allowed}, not {rule.lookup}", *at)
        yield from self._columns_read(field.field, rule)

    def _value(self, field: Field, rule: FieldRule) -> Iterator[Problem]:
        at = ("fields", field.field)
        for key, constants in (
            ("value", [rule.value]),
            ("default", [rule.default]),
            ("translate", list((rule.translate or {}).values())),
        ):
            if key != "default" and field.field.endswith(CODES):
                continue  # any spelling will do, but a default is compared with what is sent
            for constant in constants:
                if constant is not None and (text := self._misfit(field, constant)):
                    yield self.mapping.problem(text, *at, key)
        unread = list(self._columns_read(field.field, rule))
        yield from unread
        if rule.value is None and not unread:
            yield from self._typed(field, rule)

    def _columns_read(self, name: str, rule: FieldRule) -> Iterator[Problem]:
        """What is wrong with the columns that a rule reads, whatever becomes of them."""
        for key, column in (("from", rule.from_), ("by", rule.by)):
            if column is not None and column not in self.columns:
                text = unknown_column(column, self.columns)
                yield self.mapping.problem(text, "fields", name, key)
        if rule.sql is not None:
            for text in expression_problems(rule.sql, self.columns):
                yield self.mapping.problem(f"sql: {text}", "fields", name, "sql")

    def _typed(self, field: Field, rule: FieldRule) -> Iterator[Problem]:
        import duckdb

        key = "sql" if rule.sql is not None else "from"
        try:
            kind = bound_type(value_sql(rule), self.columns, self.connection)
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            yield self.mapping.problem(f"{field.field}: {reason}", "fields", field.field, key)
            return
        if not _convertible(kind, field):
            text = f"{field.field} takes a {type_text(field)}, this gives {kind.lower()}"
            yield self.mapping.problem(text, "fields", field.field, key)

    def _misfit(self, field: Field, constant: Any) -> str | None:
        text = str(constant).lower() if isinstance(constant, bool) else str(constant)
        subject = f"{field.field}: {text!r}"
        most = limit(field)
        if most is not None and len(text) > most:
            return f"{subject} has {len(text)} characters, {most} fit"
        if field.restricted_picklist and text not in field.picklist_values:
            hint = did_you_mean(text, field.picklist_values, listed=False)
            return f"{subject} is not in the list: {', '.join(field.picklist_values)}{hint}"
        if field.type in IDS:
            example = f"the Id of a {' or '.join(field.reference_to)}" if field.reference_to else ""
            return None if form(text) == ID else f"{subject} is no Id; write {example or 'one'}"
        if field.type in TEXT:
            return None
        query = f"select {wire_sql(field, constant_sql(constant))} is null"
        [(wrong,)] = self.connection.execute(query).fetchall()
        return f"{subject} is no {type_text(field)}" if wrong else None

    def _expression(
        self, sql: str, columns: Mapping[str, str], kind: str, *at: str
    ) -> Iterator[Problem]:
        import duckdb

        wrong = expression_problems(sql, columns)
        if not wrong:
            try:
                type_found = bound_type(sql, columns, self.connection)
                message = f"gives {type_found.lower()}, not {kind.lower()}"
                wrong = [] if type_found == kind else [message]
            except duckdb.Error as error:
                wrong = [str(error).splitlines()[0]]
        for text in wrong:
            yield self.mapping.problem(f"{at[-1]}: {text}", *at)


def _unfit(rule: FieldRule, field: Field) -> Iterator[str]:
    """Keys that mean nothing for a field of this type."""
    if rule.too_long == "truncate" and limit(field) is None:
        yield f"too_long belongs to text; this is {type_text(field)}"
    if rule.blank == "clear" and (not field.nillable or field.type == "boolean"):
        yield "blank: clear would empty a field that Salesforce does not let be empty"
    if rule.blank == "clear" and rule.default is not None:
        yield "blank: clear and a default exclude each other"


def _convertible(kind: str, field: Field) -> bool:
    """Whether values of a DuckDB type can have the field's wire form at all."""
    number = kind.startswith(("DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "U", "TINYINT"))
    number = (number or kind in ("BIGINT", "INTEGER", "SMALLINT")) and kind != "UUID"
    moment = kind.startswith(("DATE", "TIMESTAMP"))
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "BLOB", "UNION")):
        return False
    if kind.startswith(("VARCHAR", "ENUM", '"NULL"')):
        return True
    if field.type == "boolean":
        return kind == "BOOLEAN" or number
    if field.type in ("date", "datetime"):
        return moment
    if field.type in NUMBERS | INTEGERS:
        return number
    return True
