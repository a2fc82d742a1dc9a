"""What the org says without a witness: codes and texts that no recording, document or user quotes.

Every other text stands where it is said, with its source in api-facts. When a real org is seen to
say something else, or another code, this is the only file to change.
"""

import re
from dataclasses import dataclass

from pipelines.local_org.catalog.model import literal


@dataclass(frozen=True)
class Message:
    """A code and its text, whose `{names}` are filled in."""

    code: str
    text: str

    def __call__(self, **values: object) -> str:
        """The text with these values."""
        return self.text.format(**values)

    def sql(self, **values: str) -> str:
        """The text as what SQL's `concat` takes; the values are SQL."""
        parts = re.split(r"\{(\w+)\}", self.text)
        texts = [values[part] if odd % 2 else literal(part) for odd, part in enumerate(parts)]
        return ", ".join(part for part in texts if part != "''")


# -- Bulk API 2.0 ----------------------------------------------------------------------------------

CANNOT_TAKE_DATA = Message("INVALIDJOBSTATE", "Job is in {state} state, cannot take data")
NO_RESULTS = Message("INVALIDJOBSTATE", "Job is in {state} state, has no results")
NO_TRANSITION = Message(
    "INVALIDJOBSTATE", "Job state transition from {old} to {new} is not allowed"
)
CANNOT_BE_DELETED = Message("INVALIDJOBSTATE", "Job is in {state} state, cannot be deleted")
WRONG_STATE = Message("INVALIDJOB", "Invalid job state: {state}")
WRONG_SETTING = Message("INVALIDJOB", "Invalid value for {name}: {value}")
WRONG_OPERATION = Message("INVALIDJOB", "Unable to parse Job. Invalid operation: {operation}")
NO_SUCH_OBJECT = Message("INVALIDJOB", "InvalidJob : Unable to find object: {name}")
PARTS_MISSING = Message("INVALIDJOB", "A multipart request needs the parts job and content")
PARTS_TOO_LARGE = Message("INVALIDJOB", "Multipart content must not exceed {most} characters")
DATA_TOO_LARGE = Message("REQUEST_TOO_LARGE", "The data of a job must not exceed 150 MB")
NO_QUERY = Message("INVALIDJOB", "A query job needs operation query or queryAll, and query")
ONLY_ABORT = Message("INVALIDJOB", "A query job can only be aborted")
OTHER_VERSION = Message("API_VERSION_MISMATCH", "The job was made with another API version")
NOTHING_LEFT = Message("EXCEEDEDQUOTA", "ExceededQuota : {kind} limit exceeded")

# -- REST ------------------------------------------------------------------------------------------

KEY_IN_BODY = Message(
    "INVALID_FIELD", "The {field} field should not be specified in the sobject data."
)
NO_IDS = Message("MISSING_ARGUMENT", "The ids parameter must name at least one record")
TOO_MANY_RECORDS = Message(
    "EXCEEDED_MAX_SIZE_REQUEST",
    "record limit reached. cannot submit more than {most} records into this call",
)
TOO_MANY_CHUNKS = Message(
    "LIMIT_EXCEEDED", "Cannot have more than {most} chunks in a single operation"
)
TOO_MANY_PARTS = Message("LIMIT_EXCEEDED", "The limit of {most} parts of {name} is exceeded")
TOO_MANY_LARGE_PARTS = Message(
    "LIMIT_EXCEEDED", "at most {most} subrequests can be queries or sObject Collections"
)
TREE_TOO_LARGE = Message(
    "LIMIT_EXCEEDED", "A tree holds {records} records and {levels} levels at most"
)

# -- rows ------------------------------------------------------------------------------------------

SEVERAL_RECORDS = Message(
    "DUPLICATE_EXTERNAL_ID", "{field}: more than one record found for external id field: [{ids}]"
)
NO_KEY = Message("MISSING_ARGUMENT", "{field} not specified")
NO_ID = Message("MISSING_ARGUMENT", "Id not specified in {call} call")
MISMATCH = Message(
    "FIELD_INTEGRITY_EXCEPTION", "Mismatched integration value and ISO code for field: {label}"
)
BELOW_PERSON = Message(
    "FIELD_INTEGRITY_EXCEPTION",
    "field integrity exception: AccountId (contacts cannot be related to person accounts)",
)
CONTACT_OF_PERSON = Message(
    "INVALID_PERSON_ACCOUNT_OPERATION", "cannot delete the contact of a person account"
)

# -- conversion, merge, recycle bin ----------------------------------------------------------------

NOT_OF_ACCOUNT = Message(
    "INVALID_CROSS_REFERENCE_KEY", "the {name} must belong to the account that accountId names"
)
NO_USER = Message(
    "INVALID_CROSS_REFERENCE_KEY", "The owner of the new records must be a user; give ownerId"
)
CANNOT_MERGE = Message("INVALID_TYPE", "{name} cannot be merged")
MERGE_FEW = Message("INVALID_OPERATION", "one or two records can be merged at a time")
MERGE_OTHERS = Message("INVALID_ID_FIELD", "master and merged records must be different records")
MERGE_PERSONS = Message(
    "INVALID_PERSON_ACCOUNT_OPERATION", "person accounts can only be merged with person accounts"
)
NOT_IN_BIN = Message("UNDELETE_FAILED", "Entity is not in the recycle bin")
PARENT_FIRST = Message("UNDELETE_FAILED", "Undelete the {parent} of this record first")
TOO_MANY_AT_ONCE = Message("EXCEEDED_ID_LIMIT", "record limit reached: at most {most} {things}")
