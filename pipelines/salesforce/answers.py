"""What an answer of an org means, and what it means when none comes."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import unescape

import requests
from urllib3.exceptions import NewConnectionError

from pipelines.salesforce.errors import (
    AddressRefused,
    AnswerLost,
    ConnectionInvalid,
    LimitReached,
    OrgUnavailable,
    RequestRefused,
    SalesforceError,
    SessionRefused,
)
from pipelines.salesforce.rows import ROW_CODES, RowError, Verdict

_FAULT = re.compile(
    r"<faultcode>(?:\w+:)?(?P<code>\w+)</faultcode>\s*<faultstring>(?P<message>.*?)</faultstring>",
    re.S,
)
"""A SOAP call that was refused as a whole."""

BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
"""How requests says that an exchange did not come to its end."""


def unanswered(
    attempt: str, error: requests.RequestException, *, write: bool, hint: str | None = None
) -> SalesforceError:
    """Choose the error for one of `BROKEN`; `hint` is what to do where nobody listens."""
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)  # what urllib3 wrapped in a MaxRetryError
    answer = str(cause).rpartition(": ")[2] or type(cause).__name__
    if "CERTIFICATE_VERIFY_FAILED" in str(cause):
        step = "Name the org's certificate authority as ca_file, or correct its login_url."
        return ConnectionInvalid(attempt, answer, step)
    if isinstance(cause, NewConnectionError):
        return OrgUnavailable(attempt, answer, hint)
    if write and not isinstance(error, requests.ConnectTimeout):
        return AnswerLost(attempt, answer)
    return OrgUnavailable(attempt, answer)


def refusal(attempt: str, answer: requests.Response, *, write: bool) -> SalesforceError:
    """Choose the error for an answer whose status is 300 or above."""
    status = answer.status_code
    if moved := answer.headers.get("Location") if answer.is_redirect else None:
        return AddressRefused(attempt, f"{status} {answer.reason}: it sends us to {_origin(moved)}")
    error = _first_error(answer)
    text = f"{status} {error.code} {error.message}".strip()
    if status == 401:
        return SessionRefused(attempt, text)
    daily = error.code == "REQUEST_LIMIT_EXCEEDED" and "Concurrent" not in error.message
    if daily or error.code == "EXCEEDEDQUOTA":
        return LimitReached(attempt, text)
    broken = status >= 500 and not _FAULT.search(answer.text)
    if broken and write:
        return AnswerLost(attempt, text)
    if broken or status in (420, 429) or ROW_CODES.get(error.code) is Verdict.TRANSIENT:
        return OrgUnavailable(attempt, text)
    return RequestRefused(attempt, status, error.code, error.message, error.fields)


def document(answer: requests.Response) -> Any:
    """What an answer says as JSON; none where it says something else."""
    try:
        return answer.json()
    except requests.JSONDecodeError:
        return None


def _origin(url: str) -> str:
    """A URL without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.path


def _first_error(answer: requests.Response) -> RowError:
    """Read the first error of a body: REST's list, OAuth's object, SOAP's fault, or any text."""
    if fault := _FAULT.search(answer.text):
        return RowError(
            fault["code"], unescape(fault["message"]).removeprefix(f"{fault['code']}: ")
        )
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return RowError("", f"{answer.reason} {answer.text[:200]}".strip())
    if isinstance(body, list) and body and isinstance(body[0], dict):
        return RowError.from_rest(body[0])
    if isinstance(body, dict) and "error" in body:
        return RowError(str(body["error"]), str(body.get("error_description", "")))
    return RowError.from_rest(body) if isinstance(body, dict) else RowError("", str(body)[:200])
