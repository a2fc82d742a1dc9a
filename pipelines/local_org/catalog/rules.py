"""Rules that a user declares in a file of their own: `rules.yaml` in the org's home.

The file has the sections that `org.yaml` has for rules, and `standard_duplicate_rules`, which
switches the rules of a new org. Its rules come on top of those of `org.yaml`; one of the same name
and object takes the other's place.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import duckdb
from pydantic import Field, field_validator

from pipelines.local_org.catalog.model import Catalog, SObject, quoted
from pipelines.local_org.catalog.setup import (
    AssignmentRuleSetup,
    AutomationSetup,
    DuplicateRuleSetup,
    Frozen,
    OrgSetup,
    ValidationRuleSetup,
)
from pipelines.local_org.catalog.setup_file import SetupError, lines_of

Action = Literal["block", "alert", "off"]
PEOPLE = (
    ("FirstName", "LastName", "Email"),
    ("FirstName", "LastName", "Phone"),
    ("FirstName", "LastName", "Title", "Email"),
)
STANDARD: dict[str, tuple[tuple[str, ...], ...]] = {
    "Account": (
        ("Name", "Website"),
        ("Name", "Phone"),
        ("Name", "BillingStreet", "BillingCity"),
        ("Name", "BillingStreet", "BillingPostalCode"),
    ),
    "Contact": (
        *PEOPLE,
        ("FirstName", "LastName", "MailingStreet", "MailingCity"),
        ("FirstName", "LastName", "MailingStreet", "MailingPostalCode"),
        ("FirstName", "LastName", "MailingStreet", "Title"),
        ("FirstName", "LastName", "Title", "AccountId"),
    ),
    "Lead": (
        *PEOPLE,
        ("FirstName", "LastName", "Street", "City"),
        ("FirstName", "LastName", "Street", "PostalCode"),
        ("FirstName", "LastName", "Street", "Title"),
        ("FirstName", "LastName", "Title", "Company"),
    ),
}
"""The standard matching rules (api-facts 6): a record matches another when all fields of a group
do. A contact's company is its account. The formula for accounts is not public; this is a guess."""
SECTIONS = ("validation_rules", "duplicate_rules", "assignment_rules", "automations")


class RulesSetup(Frozen):
    """The whole file."""

    standard_duplicate_rules: dict[Literal["Account", "Contact", "Lead"], Action] = Field({})
    validation_rules: tuple[ValidationRuleSetup, ...] = ()
    duplicate_rules: tuple[DuplicateRuleSetup, ...] = ()
    assignment_rules: tuple[AssignmentRuleSetup, ...] = ()
    automations: tuple[AutomationSetup, ...] = ()

    @field_validator("standard_duplicate_rules", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        """YAML reads a bare `off` as false."""
        if not isinstance(value, dict):
            return value
        return {name: "off" if action is False else action for name, action in value.items()}


def with_rules(setup: OrgSetup, rules: RulesSetup) -> OrgSetup:
    """The set-up with the rules of a user's own."""
    standard = tuple(
        DuplicateRuleSetup(
            name=f"Standard_{name}_Duplicate_Rule",
            object=name,
            match=STANDARD[name],
            action=action,
            fuzzy=True,
        )
        for name, action in rules.standard_duplicate_rules.items()
    )
    merged = {}
    for section in SECTIONS:
        added = getattr(rules, section)
        if section == "duplicate_rules":
            added = (*standard, *added)
        replaced = {(rule.object, rule.name) for rule in added}
        inherited = (r for r in getattr(setup, section) if (r.object, r.name) not in replaced)
        merged[section] = (*inherited, *added)
    return setup.model_copy(update=merged)


def check_rules(file: Path, rules: OrgSetup | RulesSetup, catalog: Catalog) -> None:
    """Try every expression of a file on an empty table of its object.

    Raises:
        SetupError: naming every rule that cannot work, with its line.
    """
    wrong = [
        (place, f"{name}: {problem}")
        for place, name, problem in [*_wrong_expressions(rules, catalog), *_unknown(rules, catalog)]
    ]
    if wrong:
        lines = lines_of(file, [place for place, _ in wrong])
        messages = (f"{file}:{line}: {text}" for line, (_, text) in zip(lines, wrong, strict=True))
        raise SetupError("\n".join(messages))


Place = tuple[str | int, ...]


def _wrong_expressions(
    rules: OrgSetup | RulesSetup, catalog: Catalog
) -> Iterator[tuple[Place, str, str]]:
    for place, name, sobject, expression in _expressions(rules):
        target = catalog.get(sobject)
        problem = (
            f"there is no object {sobject}" if target is None else _problem(target, expression)
        )
        if problem is not None:
            yield place, name, problem


def _expressions(
    rules: OrgSetup | RulesSetup,
) -> Iterator[tuple[Place, str, str, str]]:
    for number, rule in enumerate(rules.validation_rules):
        yield ("validation_rules", number, "when"), rule.name, rule.object, rule.when
    for number, automation in enumerate(rules.automations):
        about = automation.name, automation.object
        yield ("automations", number, "when"), *about, automation.when
        for field, expression in automation.set.items():
            condition = f"{quoted(field)} is null or ({expression}) is null"
            yield ("automations", number, "set", field), *about, condition
    for number, assignment in enumerate(rules.assignment_rules):
        for entry_number, entry in enumerate(assignment.entries):
            place = ("assignment_rules", number, "entries", entry_number, "when")
            yield place, assignment.name, assignment.object, entry.when


def _problem(sobject: SObject, expression: str) -> str | None:
    columns = [f"null::{f.column_type} as {f.column}" for f in sobject.stored]
    sql = f"select {expression} from (select {', '.join(columns)}, true as is_new) where false"
    with duckdb.connect() as connection:
        try:
            connection.execute(sql)
        except duckdb.Error as error:
            return str(error).splitlines()[0]
    return None


def _unknown(rules: OrgSetup | RulesSetup, catalog: Catalog) -> Iterator[tuple[Place, str, str]]:
    """Fields of duplicate rules that are none."""
    for number, rule in enumerate(rules.duplicate_rules):
        for name in dict.fromkeys((rule.object, rule.against or rule.object)):
            sobject = catalog.get(name)
            for field in sorted({f for group in rule.match for f in group}):
                if sobject is None or sobject.get(field) is None:
                    place = ("duplicate_rules", number, "match")
                    yield place, rule.name, f"{name} has no field {field}"
