"""What Salesforce says of one row."""

from dataclasses import dataclass

FIELD_MARK = "\x1f"
ERROR_MARK = "\x1e"
CLEAR = "\x00"
"""The text that means `null`: JSON's null, `#N/A` in a CSV. SQL null means: not given."""


@dataclass(frozen=True)
class RowError:
    """One reason why a row was refused."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    def as_collection(self) -> dict[str, object]:
        """As sObject Collections, tree and SOAP tell it."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def as_record(self) -> dict[str, object]:
        """As a single-record call tells it."""
        return {"message": self.message, "errorCode": self.code, "fields": list(self.fields)}


@dataclass(frozen=True)
class Outcome:
    """The fate of one row: written (with id) or refused (with errors)."""

    row: int
    id: str | None
    created: bool
    errors: tuple[RowError, ...] = ()

    @property
    def success(self) -> bool:
        """Whether the row was written."""
        return not self.errors


ROLLED_BACK = RowError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using "
    "AllOrNone header",
)


class RolledBack(Exception):
    """An all-or-none write that had a bad row; raised inside its transaction to undo it."""


def undo_unless_all_good(outcomes: list[Outcome]) -> None:
    """Raise `RolledBack` when a row was refused."""
    if not all(outcome.success for outcome in outcomes):
        raise RolledBack


def rolled_back(outcomes: list[Outcome]) -> list[Outcome]:
    """The fate of rows whose transaction was undone: bad ones keep their errors."""
    return [
        Outcome(o.row, None, created=False, errors=o.errors or (ROLLED_BACK,)) for o in outcomes
    ]


def parse_errors(packed: str | None) -> tuple[RowError, ...]:
    """Unpack the errors that the rules packed into one text."""
    if not packed:
        return ()
    errors = []
    for error in packed.split(ERROR_MARK):
        code, fields, message = error.split(FIELD_MARK, 2)
        errors.append(RowError(code, message, tuple(f for f in fields.split(",") if f)))
    return tuple(errors)


def error_sql(code: str, fields: str, message: str) -> str:
    """SQL for one packed error; `message` is SQL, `code` and `fields` (comma list) are texts."""
    return f"concat('{code}', chr(31), '{fields}', chr(31), {message})"


BULK_ERRORS_SQL = (
    "list_aggregate(list_transform(str_split({errors}, chr(30)), lambda e: "
    "concat(str_split(e, chr(31))[1], ':', array_to_string(str_split(e, chr(31))[3:], chr(31)),"
    " ':', replace(str_split(e, chr(31))[2], ',', ' '), "
    "case when str_split(e, chr(31))[2] = '' then '--' else ' --' end)), 'string_agg', '')"
)
"""SQL that spells packed errors as Bulk API result files do: `CODE:message:Field1 Field2 --`."""
