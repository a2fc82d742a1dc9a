"""What a person is in the org besides a record of one object: a consent, maybe a person account.

In an org with person accounts an Account may be a person, with a Contact behind it that only the
Account writes. Such records are found and opted out, and nothing else is written of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.sync.mapping.named_objects import ACCOUNT, CONTACT

if TYPE_CHECKING:
    from pipelines.sync.mapping.fields import Field
    from pipelines.sync.mapping.model import ObjectMapping

IS_PERSON = "IsPersonAccount"
"""Only orgs with person accounts have this field, on accounts and contacts."""

WITH_PERSONS = (ACCOUNT, CONTACT)
"""The objects that have it."""


@dataclass(frozen=True)
class Consent:
    """Where the records of an object say whether somebody may be written to.

    Attributes:
        address: the field with the e-mail address.
        opt_out: the field that says no.
        condition: SQL over a record, whether these two are its own.
    """

    address: str
    opt_out: str
    condition: str = "true"


def consent_of(object_name: str) -> Consent:
    """The consent of an object's records; an object without such fields has none to map."""
    if object_name == ACCOUNT:
        return Consent("PersonEmail", "PersonHasOptedOutOfEmail", is_person_sql())
    own = f"not {is_person_sql()}" if object_name == CONTACT else "true"
    return Consent("Email", "HasOptedOutOfEmail", own)


def is_person_sql(records: str | None = None) -> str:
    """Whether a record is a person account, or the Contact behind one; never null."""
    column = f'"{IS_PERSON}"' if records is None else f'{records}."{IS_PERSON}"'
    return f"coalesce({column} = 'true', false)"


def consent_columns(mapping: ObjectMapping) -> tuple[str, ...]:
    """The fields that ``consenting`` adds to a mapping in some orgs."""
    return (consent_of(ACCOUNT).opt_out,) if mapping.object == ACCOUNT else ()


def consenting(mapping: ObjectMapping, fields: Mapping[str, Field]) -> ObjectMapping:
    """A mapping of accounts with the opt-out of person accounts, where the org has them.

    No row of a mapping has a value for it, so it is sent of nobody who is not opted out.
    """
    from pipelines.sync.mapping.model import FieldRule

    added = {
        name: FieldRule.model_validate({"sql": "try_cast(null as boolean)", "when": "update"})
        for name in consent_columns(mapping)
        if name in fields and fields[name].updateable and name not in mapping.fields
    }
    if not added:
        return mapping
    copy = mapping.model_copy(update={"fields": {**mapping.fields, **added}})
    copy._file, copy._lines = mapping._file, mapping._lines
    return copy
