import re

import pytest

from pipelines.salesforce import errors
from pipelines.salesforce.errors import (
    AnswerLost,
    ConnectionInvalid,
    JobFailed,
    JobUnfinished,
    LimitReached,
    OrgUnavailable,
    PermanentError,
    RequestRefused,
    SalesforceError,
    SessionRefused,
    TransientError,
)


def drawn(base: type[SalesforceError], depth: int = 0) -> list[tuple[int, str]]:
    """The tree under an error, as (depth, name), in no order."""
    tree = [(depth, base.__name__)]
    for error in base.__subclasses__():
        tree += drawn(error, depth + 1)
    return tree


def test_the_tree_is_the_one_that_is_drawn() -> None:
    lines = re.findall(r"^([│├└─ ]*)([A-Z]\w+)(?:  |$)", errors.__doc__ or "", re.M)
    assert sorted((len(indent) // 4, name) for indent, name in lines) == sorted(
        drawn(SalesforceError)
    )


@pytest.mark.parametrize(
    ("error", "base", "text"),
    [
        (
            OrgUnavailable("GET limits", "Connection refused"),
            TransientError,
            "GET limits: Connection refused. Run it again; it goes on where it stopped.",
        ),
        (
            AnswerLost("POST composite/sobjects", "Connection reset"),
            TransientError,
            "POST composite/sobjects: Connection reset. It may have been carried out: "
            "read back what the org holds before sending again.",
        ),
        (
            LimitReached("GET limits", "403 REQUEST_LIMIT_EXCEEDED TotalRequests Limit exceeded."),
            TransientError,
            "GET limits: 403 REQUEST_LIMIT_EXCEEDED TotalRequests Limit exceeded. Wait until the "
            "limit frees up (Setup → Company Information), then run it again.",
        ),
        (
            JobUnfinished("750A", "InProgress"),
            TransientError,
            "Waiting for Bulk job 750A: it is still InProgress. "
            "Run it again; it goes on where it stopped.",
        ),
        (
            ConnectionInvalid("Reading the connection 'uat'", "no file", "Create it."),
            PermanentError,
            "Reading the connection 'uat': no file. Create it.",
        ),
        (
            SessionRefused("Logging in", "400 invalid_client"),
            PermanentError,
            "Logging in: 400 invalid_client. Check the client id, the secret or key, "
            "and that the app's run-as user is set and active.",
        ),
        (
            RequestRefused("GET query", 400, "INVALID_FIELD", "\nNo such column", ["X__c"]),
            PermanentError,
            "GET query: 400 INVALID_FIELD No such column. "
            "Correct the request; sending it again changes nothing.",
        ),
        (
            JobFailed("750A", "Failed", "InvalidBatch : Records not found"),
            PermanentError,
            "Bulk job 750A: Failed – InvalidBatch : Records not found. "
            "Look at the job under Setup → Bulk Data Load Jobs.",
        ),
    ],
)
def test_a_message_says_what_was_tried_what_came_back_and_what_to_do(
    error: SalesforceError, base: type[SalesforceError], text: str
) -> None:
    assert isinstance(error, base)
    assert str(error) == text
