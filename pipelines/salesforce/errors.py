"""What can go wrong between us and an org; whether a retry helps is the type.

SalesforceError
├── TransientError           the same call may succeed later
│   ├── OrgUnavailable       not reached, or too busy: nothing was carried out
│   │   └── AnswerLost       sent, but no answer came: read back before sending it again
│   ├── LimitReached         the org's own limit on API use
│   └── JobUnfinished        we stopped waiting; the job goes on, resume it by its id
└── PermanentError           the same call fails the same way again
    ├── ConnectionInvalid    orgs.yaml, the environment or a certificate is wrong
    ├── AddressRefused       an answer leads away from the org: no token is sent there
    ├── SessionRefused       the org does not accept these credentials
    ├── RequestRefused       the org understood and said no: status, code, message, fields
    └── JobFailed            a Bulk job ended as Failed or Aborted
"""

from __future__ import annotations

from collections.abc import Sequence


class SalesforceError(Exception):
    """Its text says what was tried, what came back, and what to do next."""

    next_step = ""

    def __init__(self, attempt: str, answer: str, next_step: str | None = None) -> None:
        """Take the three parts of the message; `next_step` defaults to the class's own."""
        self.attempt = attempt
        self.answer = answer
        self.next_step = self.next_step if next_step is None else next_step
        super().__init__(attempt, answer, self.next_step)

    def __str__(self) -> str:
        return f"{self.attempt}: {self.answer.rstrip('.')}. {self.next_step}".strip()


class TransientError(SalesforceError):
    """The same call may succeed later."""

    next_step = "Run it again; it goes on where it stopped."


class PermanentError(SalesforceError):
    """The same call fails the same way again, until somebody changes something."""


class OrgUnavailable(TransientError):
    """The org was not reached or is too busy; nothing was carried out."""


class AnswerLost(OrgUnavailable):
    """A write was sent and no answer came: it may have been carried out, or not."""

    next_step = "It may have been carried out: read back what the org holds before sending again."


class LimitReached(TransientError):
    """The org's limit on API calls, jobs or rows is used up for now."""

    next_step = "Wait until the limit frees up (Setup → Company Information), then run it again."


class JobUnfinished(TransientError):
    """A Bulk job that we stopped waiting for; the org goes on with it."""

    def __init__(self, job_id: str, state: str) -> None:
        """Name the job by its id, and the state it was last seen in."""
        self.job_id = job_id
        self.state = state
        super().__init__(f"Waiting for Bulk job {job_id}", f"it is still {state}")


class ConnectionInvalid(PermanentError):
    """The configuration of a connection is wrong; names file and line where there is one."""


class AddressRefused(PermanentError):
    """An answer sends us to an address that is not the org's own; nothing was sent there."""

    next_step = (
        "No token was sent there. Correct the org's login_url in orgs.yaml; or, if that address is"
        " the org's, name its host there as instance_host."
    )


class SessionRefused(PermanentError):
    """The org does not accept these credentials."""

    next_step = (
        "Check the client id, the secret or key, and that the app's run-as user is set and active."
    )


class RequestRefused(PermanentError):
    """The org understood the request and refused it.

    Attributes:
        status: HTTP status.
        code: Salesforce's error code, such as ``INVALID_FIELD``; empty where it gave none.
        fields: API names the error is about.
    """

    next_step = "Correct the request; sending it again changes nothing."

    def __init__(
        self, attempt: str, status: int, code: str, message: str, fields: Sequence[str] = ()
    ) -> None:
        """Keep Salesforce's own words apart, for callers that decide by code."""
        self.status = status
        self.code = code
        self.message = message
        self.fields = tuple(fields)
        super().__init__(attempt, " ".join(filter(None, (str(status), code, message.strip()))))


class JobFailed(PermanentError):
    """A Bulk job ended as Failed or Aborted."""

    def __init__(self, job_id: str, state: str, message: str) -> None:
        """Name the job by its id; `message` is the job's own ``errorMessage``."""
        self.job_id = job_id
        self.state = state
        self.message = message
        super().__init__(
            f"Bulk job {job_id}",
            f"{state} – {message or 'no reason given'}",
            "Look at the job under Setup → Bulk Data Load Jobs.",
        )
