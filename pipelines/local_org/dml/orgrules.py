"""The rules that an admin gave this org: validation, duplicates, assignment, automations.

They stand in the set-up file as SQL expressions over a record's fields; `is_new` tells whether the
write makes the record. All of them work on whole sets of rows, like the rules of every org.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from pipelines.local_org.catalog.model import Catalog, Field, SObject, literal
from pipelines.local_org.catalog.setup import (
    AssignmentRuleSetup,
    AutomationSetup,
    DuplicateRuleSetup,
    OrgSetup,
)
from pipelines.local_org.dml.changes import new_value_sql
from pipelines.local_org.dml.duplicates import find_sql
from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.store.history import Update


@dataclass(frozen=True)
class WriteOptions:
    """What a client asks for beside the rows."""

    auto_assign: bool = False
    """Let the active assignment rule choose the owner."""
    assignment_rule: str | None = None
    """Id (inside a write: name) of the assignment rule to use, active or not."""
    allow_duplicates: bool = False
    """Save in spite of duplicate rules that only alert."""
    job: str | None = None
    """Id of the Bulk job that the rows stand in, if one does."""


PLAIN = WriteOptions()
CHUNK = 200
"""Rows that one trigger invocation sees; the unit in which duplicates are noticed."""


class OrgRules:
    """The rules of an org's set-up, compiled to SQL per object."""

    def __init__(self, setup: OrgSetup, catalog: Catalog) -> None:
        self._setup, self.catalog = setup, catalog

    def judges(self, sobject: SObject) -> bool:
        """Whether records of this object must be shown to the rules before they are written."""
        name = sobject.name
        return (
            any(rule.object == name for rule in self._setup.validation_rules)
            or any(r.object == name and r.action != "off" for r in self._setup.duplicate_rules)
            or any(a.object == name and a.throw for a in self._setup.automations)
        )

    def touches(self, sobject: SObject, options: WriteOptions) -> bool:
        """Whether any rule has a say in writes of this object."""
        return (
            self.judges(sobject)
            or any(self.automations(sobject))
            or self._assignment_rule(sobject, options) is not None
            or options.assignment_rule is not None
        )

    def fields_read(self, sobject: SObject) -> list[Field]:
        """The stored fields that the rules of an object may read, as far as their words tell."""
        name = sobject.name
        texts = [rule.when for rule in self._setup.validation_rules if rule.object == name]
        texts += [a.when for a in self._setup.automations if a.object == name and a.throw]
        texts += [
            field
            for rule in self._setup.duplicate_rules
            if rule.object == name
            for group in rule.match
            for field in group
        ]
        words = {word.lower() for text in texts for word in re.findall(r"\w+", text)}
        return [field for field in sobject.stored if field.name.lower() in words]

    def judgements(self, sobject: SObject, options: WriteOptions) -> Iterator[tuple[str, str]]:
        """Per rule: SQL for the rows of `candidate` it refuses, and SQL for their error."""
        for trigger in self._setup.automations:
            if trigger.object == sobject.name and trigger.throw:
                message = f"{trigger.name}: execution of BeforeInsert\n\ncaused by: {trigger.throw}"
                error = error_sql("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "", literal(message))
                hit = f"select _row // {CHUNK} from candidate where {_when(trigger)}"
                # What a trigger throws fails everything that it was called for.
                yield f"select _row from candidate where _row // {CHUNK} in ({hit})", error
        for rule in self._setup.validation_rules:
            if rule.object == sobject.name:
                error = error_sql(
                    "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.field or "", literal(rule.message)
                )
                yield f"select _row from candidate where {rule.when}", error

    def duplicate_rules(
        self, sobject: SObject, options: WriteOptions
    ) -> Iterator[DuplicateRuleSetup]:
        """The duplicate rules that refuse records of this object."""
        for rule in self._setup.duplicate_rules:
            ignored = rule.action == "off" or (rule.action == "alert" and options.allow_duplicates)
            if rule.object == sobject.name and not ignored:
                yield rule

    def assignment(self, sobject: SObject, options: WriteOptions) -> Update | None:
        """Gives the records of `work`, new or changed, their owners by the rule that is due."""
        rule = self._assignment_rule(sobject, options)
        if rule is None:
            return None
        cases = " ".join(
            f"when {entry.when} then ({_owner_sql(entry.owner)})" for entry in rule.entries
        )
        return Update(
            sobject,
            {"OwnerId": f'coalesce(case {cases} end, "OwnerId")'},
            "t._n = w.record_number",
            "(select _n as record_number, _created as is_new from work where _error is null) w",
        )

    def delayed(self) -> Iterator[AutomationSetup]:
        """The automations that take their time."""
        for automation in self._setup.automations:
            if automation.set and automation.after_seconds:
                yield automation

    def automations(self, sobject: SObject) -> Iterator[AutomationSetup]:
        """The automations that set fields of this object."""
        for automation in self._setup.automations:
            if automation.object == sobject.name and automation.set:
                yield automation

    def automation(self, automation: AutomationSetup, written_sql: str) -> Update:
        """Does what an automation says to the rows of a relation `w(record_number, is_new)`.

        Parameter: `$now`.
        """
        return Update(
            self.catalog[automation.object],
            automation.set,
            f"t._n = w.record_number and {_when(automation)}",
            written_sql,
            {"SystemModstamp": "$now"},
        )

    def _assignment_rule(
        self, sobject: SObject, options: WriteOptions
    ) -> AssignmentRuleSetup | None:
        for rule in self._setup.assignment_rules:
            if rule.object != sobject.name:
                continue
            if options.assignment_rule is None and options.auto_assign and rule.active:
                return rule
            if options.assignment_rule is not None and rule.name == options.assignment_rule:
                return rule
        return None


def judge(
    connection: duckdb.DuckDBPyConnection,
    rules: OrgRules,
    request: WriteRequest,
    options: WriteOptions,
    stamp: dict[str, Any],
) -> None:
    """Refuse rows of `work` by the org's validation and duplicate rules and throwing triggers."""
    if not rules.judges(request.sobject):
        return
    fields_read = rules.fields_read(request.sobject)
    candidates = f"create or replace temp table candidate as {candidate_sql(request, fields_read)}"
    used = {name: value for name, value in stamp.items() if f"${name}" in candidates}
    connection.execute(candidates, used)
    for rows, error in rules.judgements(request.sobject, options):
        connection.execute(
            f"update work set _error = {error} where _error is null and _row in ({rows})"
        )
    create_table = "create or replace temp table duplicate(_row bigint, rule varchar, id varchar)"
    duplicates = list(rules.duplicate_rules(request.sobject, options))
    if duplicates:
        connection.execute(create_table)
    for rule in duplicates:
        connection.execute(find_sql(rules.catalog, rule))
        error = error_sql("DUPLICATES_DETECTED", "", literal(rule.message))
        connection.execute(
            f"update work set _error = {error} where _error is null and _row in "
            f"(select _row from duplicate where rule = {literal(rule.name)})"
        )


def candidate_sql(request: WriteRequest, fields: Iterable[Field]) -> str:
    """SQL for the records as they will be: `_row`, `_id`, `is_new` and some stored fields."""
    columns = []
    for field in fields:
        column = request.by_field.get(field.name)
        old = f"t.{field.column}"
        if column is not None and field.name != "Id":
            old = f"case when w.g{column.position} then w.{column.value} else {old} end"
        new = new_value_sql(request, field) or f"null::{field.column_type}"
        columns.append(f"case when w._created then {new} else {old} end as {field.column}")
    return (
        f"select {', '.join(['w._row', 'w._id', 'w._created as is_new', *columns])} from work w "
        f"left join {request.sobject.table} t on t._n = w._n and not w._created "
        "where w._error is null"
    )


def _when(automation: AutomationSetup) -> str:
    moments = {"create": "is_new", "update": "not is_new", "save": "true"}
    return f"{moments[automation.at]} and ({automation.when})"


def _owner_sql(owner: str) -> str:
    return (
        f'select "Id" from records."User" where "Username" = {literal(owner)} union all '
        f'select "Id" from records."Group" where "DeveloperName" = {literal(owner)} limit 1'
    )
