"""What to do with rows, and what Salesforce says of each of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

Operation = Literal["insert", "update", "upsert", "delete"]


@dataclass(frozen=True)
class Load:
    """One way to write rows of one object: the same value for collections and for Bulk API 2.0.

    Attributes:
        object: API name of the sObject.
        operation: ``update`` and ``delete`` find their rows by ``Id``, ``upsert`` by `external_id`.
        external_id: API name of the External Id field; for ``upsert``, and for nothing else.
        assignment_rule: Id of the assignment rule to run; without one no rule runs on either path.
        allow_duplicates: save rows that an alerting duplicate rule objects to. Bulk API 2.0 has no
            such switch: there these rows fail with ``DUPLICATES_DETECTED`` all the same.
    """

    object: str
    operation: Operation
    external_id: str | None = None
    assignment_rule: str | None = None
    allow_duplicates: bool = False

    def __post_init__(self) -> None:
        if (self.operation == "upsert") != (self.external_id is not None):
            raise ValueError(
                f"{self.operation} of {self.object} with external_id={self.external_id!r}: "
                "an External Id belongs to upsert, and upsert needs one."
            )


class Verdict(StrEnum):
    """What an error of a row asks for."""

    TRANSIENT = "transient"  # nothing is wrong with the row: send it again, later
    SUSPECT = "suspect"  # perhaps another row of its chunk is guilty: send it again in halves
    PERMANENT = "permanent"  # the row, the mapping or the org has to change first


TRANSIENT, SUSPECT, PERMANENT = Verdict.TRANSIENT, Verdict.SUSPECT, Verdict.PERMANENT

ROW_CODES: Mapping[str, Verdict] = MappingProxyType(
    {
        # Contention and load.
        "UNABLE_TO_LOCK_ROW": TRANSIENT,  # `verdict` makes it suspect when it names many records
        "REQUEST_LIMIT_EXCEEDED": TRANSIENT,
        "SERVER_UNAVAILABLE": TRANSIENT,
        "QUERY_TIMEOUT": TRANSIENT,
        # Another row failed and took this one along.
        "ALL_OR_NONE_OPERATION_ROLLED_BACK": TRANSIENT,
        "PROCESSING_HALTED": TRANSIENT,
        "BATCH_PROCESSING_HALTED": TRANSIENT,
        # Automations see up to 200 rows at once and throw for all of them.
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": SUSPECT,
        "CANNOT_EXECUTE_FLOW_TRIGGER": SUSPECT,
        "LIMIT_EXCEEDED": SUSPECT,
        "REQUEST_RUNNING_TOO_LONG": SUSPECT,
        "UNKNOWN_EXCEPTION": SUSPECT,
        # The row's own fault, or the org's settings; so is every code that is not listed.
        "CANNOT_UPDATE_CONVERTED_LEAD": PERMANENT,
        "DELETE_FAILED": PERMANENT,
        "DUPLICATES_DETECTED": PERMANENT,
        "DUPLICATE_EXTERNAL_ID": PERMANENT,
        "DUPLICATE_VALUE": PERMANENT,
        "ENTITY_IS_DELETED": PERMANENT,
        "FIELD_CUSTOM_VALIDATION_EXCEPTION": PERMANENT,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": PERMANENT,
        "INVALID_CROSS_REFERENCE_KEY": PERMANENT,
        "INVALID_EMAIL_ADDRESS": PERMANENT,
        "INVALID_FIELD": PERMANENT,
        "INVALID_FIELD_FOR_INSERT_UPDATE": PERMANENT,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": PERMANENT,
        "INVALID_STATUS": PERMANENT,
        "INVALID_TYPE_ON_FIELD_IN_RECORD": PERMANENT,
        "JSON_PARSER_ERROR": PERMANENT,
        "MALFORMED_ID": PERMANENT,
        "MISSING_ARGUMENT": PERMANENT,
        "NUMBER_OUTSIDE_VALID_RANGE": PERMANENT,
        "REQUIRED_FIELD_MISSING": PERMANENT,
        "STORAGE_LIMIT_EXCEEDED": PERMANENT,
        "STRING_TOO_LONG": PERMANENT,
    }
)

DUPLICATES = "DUPLICATES_DETECTED"
"""A duplicate rule of the org objects; whether that counts is the policy `duplicate_rules`."""
LOCKED_TOGETHER = r"this record or (\d+) records"
LIMIT_EXCEPTION = "System.LimitException"
_BULK_ERROR = re.compile(r"(?P<code>[A-Z][A-Z0-9_]*):(?P<message>.*):(?P<fields>[\w. ]*)--", re.S)


@dataclass(frozen=True)
class RowError:
    """One reason why a row was not written.

    Attributes:
        fields: API names, often none.
        rule: the duplicate rule that objects, where the answer is that of a single record.
        duplicates: Ids of the records that this rule found.
    """

    code: str
    message: str
    fields: tuple[str, ...] = ()
    rule: str | None = None
    duplicates: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What to do about it, by `ROW_CODES` and by two texts that hit whole chunks."""
        locked = re.search(LOCKED_TOGETHER, self.message)
        if (locked and int(locked[1]) > 1) or LIMIT_EXCEPTION in self.message:
            return SUSPECT
        return ROW_CODES.get(self.code, PERMANENT)

    @classmethod
    def from_bulk(cls, text: str) -> RowError:
        """Read the column ``sf__Error`` of a Bulk result: ``CODE:message:Field1 Field2 --``."""
        parts = _BULK_ERROR.fullmatch(text.strip())
        if parts is None:
            code, _, message = text.partition(":")
            return cls(code.strip(), message.strip())
        return cls(parts["code"], parts["message"], tuple(parts["fields"].split()))

    @classmethod
    def from_rest(cls, error: Mapping[str, Any]) -> RowError:
        """Read one error of a REST answer, whose code is `statusCode` or `errorCode`."""
        code = error.get("statusCode") or error.get("errorCode") or ""
        duplicates = error.get("duplicateResult") or {}
        record_ids = [
            match["record"]["Id"]
            for result in duplicates.get("matchResults", ())
            for match in result["matchRecords"]
        ]
        return cls(
            str(code),
            str(error.get("message", "")),
            tuple(error.get("fields") or ()),
            duplicates.get("duplicateRule"),
            tuple(dict.fromkeys(record_ids)),
        )


@dataclass(frozen=True)
class RowResult:
    """What Salesforce said of one row; `id` is None where a row was refused without one."""

    id: str | None
    success: bool
    created: bool
    errors: tuple[RowError, ...] = ()


def json_text(records: Sequence[Mapping[str, Any]]) -> str:
    """Records as a JSON list; a `Decimal` keeps every digit, which a float would round after 15."""
    return f"[{', '.join(map(_object, records))}]"


def _object(record: Mapping[str, Any]) -> str:
    members = (f"{json.dumps(name)}: {_value(value)}" for name, value in record.items())
    return f"{{{', '.join(members)}}}"


def _value(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    return _object(value) if isinstance(value, Mapping) else json.dumps(value)
