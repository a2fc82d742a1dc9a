"""One authenticated HTTP session to an org: time-outs, refresh, retries by error class.

It is a `requests.Session`, so that simple-salesforce works on it unchanged: every call, ours or
its, gets a time-out and the current token, and fails with one of our errors.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

import requests
import tenacity

from pipelines.salesforce.answers import BROKEN, document, refusal, unanswered
from pipelines.salesforce.connection import START, Connection
from pipelines.salesforce.domains import same_origin
from pipelines.salesforce.errors import (
    AddressRefused,
    AnswerLost,
    OrgUnavailable,
    RequestRefused,
    SessionRefused,
)
from pipelines.salesforce.login import Token, grant

TIMEOUT = (10, 120)  # seconds to connect, and between two bytes of an answer
ATTEMPTS = 6
CHUNK = 1 << 20  # bytes of a download in memory at once

_READS = ("GET", "HEAD")
_NOT_CARRIED_OUT = tenacity.retry_all(
    tenacity.retry_if_exception_type(OrgUnavailable),
    tenacity.retry_if_not_exception_type(AnswerLost),
)
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">'
    '<env:Header><SessionHeader xmlns="urn:partner.soap.sforce.com">'
    "<sessionId>{token}</sessionId></SessionHeader></env:Header>"
    "<env:Body>{body}</env:Body></env:Envelope>"
)
_USAGE = re.compile(r"\bapi-usage=(\d+)/(\d+)")


class Session(requests.Session):
    """Relative URLs lead to the org's versioned REST API; a write is never sent twice on a guess.

    Repeated with back-off and jitter, up to `ATTEMPTS` times: whatever certainly was not carried
    out (`OrgUnavailable`), which for reads is every outage. A write without an answer is
    `AnswerLost`: only its sender knows how to find out what became of it.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.api_usage: tuple[int, int] | None = None
        """API calls used and allowed in 24 hours, as the last answer said."""
        self.clock_ahead = timedelta()
        """How far the org's clock is before ours by its last answer; up to a second too low."""
        self._token: Token | None = None
        self._login = threading.Lock()
        if connection.is_local:
            self.trust_env = False  # a proxy from the environment is not for loopback
            self.headers["Accept-Encoding"] = "identity"  # compressing costs more than sending

    @property
    def token(self) -> Token:
        """The current token; logs in at first use."""
        return self._token or self.repeated(_NOT_CARRIED_OUT)(self._logged_in, None)

    def request(
        self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Send one request and return its answer: below 300, or 304 where that was asked for.

        Raises:
            SalesforceError: by what happened, see `pipelines.salesforce.errors`.
        """
        return self.repeated(_NOT_CARRIED_OUT)(
            self._authorized, _text(method), _text(url), *args, **kwargs
        )

    def soap(self, body: str) -> bytes:
        """Make one call of the partner SOAP API and return the envelope of its answer.

        Raises:
            SalesforceError: as ``request``; a fault of SOAP is told like a refusal of REST.
        """
        return self.repeated(_NOT_CARRIED_OUT)(self._called, body)

    def download(
        self, url: str, dest: Path, *, params: Mapping[str, Any] | None = None
    ) -> Mapping[str, str]:
        """Stream an answer to `dest`, byte for byte and whole or not at all; return its headers."""
        return self.repeated(_NOT_CARRIED_OUT)(self._downloaded, url, dest, params)

    @property
    def pause(self) -> float:
        """Seconds that the first pause before another try takes at most."""
        return 0.05 if self.connection.is_local else 0.5

    def repeated(self, retry: tenacity.retry_base) -> tenacity.Retrying:
        """Make a caller that repeats what fails with an error that `retry` names."""
        return tenacity.Retrying(
            retry=retry,
            wait=tenacity.wait_random_exponential(multiplier=self.pause, max=30),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            reraise=True,
        )

    def _downloaded(
        self, url: str, dest: Path, params: Mapping[str, Any] | None
    ) -> Mapping[str, str]:
        partial = dest.with_name(f"{dest.name}.part")
        answer = self._authorized("GET", url, params=params, stream=True)
        with answer, partial.open("wb") as file:
            try:
                for chunk in answer.iter_content(CHUNK):
                    file.write(chunk)
            except BROKEN as error:
                raise unanswered(f"GET {_path(url)}", error, write=False) from error
        partial.replace(dest)
        return answer.headers

    def _authorized(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        """Send with the current token, and once more with a new one if it has expired."""
        token = self._token or self._logged_in(None)
        answer = self._send(token, method, url, *args, **kwargs)
        if answer.status_code == 401:
            answer.close()
            answer = self._send(self._logged_in(token), method, url, *args, **kwargs)
        if answer.status_code >= 300 and answer.status_code != 304:  # as it was, for who asked so
            raise refusal(f"{method} {_path(url)}", answer, write=method not in _READS)
        if usage := _USAGE.search(answer.headers.get("Sforce-Limit-Info", "")):
            self.api_usage = (int(usage[1]), int(usage[2]))
        return answer

    def _called(self, body: str) -> bytes:
        """Make a SOAP call, which carries the token inside; once more if it has expired."""
        token = self._token or self._logged_in(None)
        answer = self._enveloped(token, body)
        if b"INVALID_SESSION_ID" in answer.content:
            answer = self._enveloped(self._logged_in(token), body)
        if answer.status_code >= 300:
            raise refusal("POST SOAP", answer, write=True)
        return answer.content

    def _enveloped(self, token: Token, body: str) -> requests.Response:
        secret = escape(token.access_token.get_secret_value())
        envelope = _ENVELOPE.format(token=secret, body=body).encode()
        return self._exchanged(
            "POST",
            f"{token.instance_url}/services/Soap/u/{self.connection.api_version}",
            write=True,
            data=envelope,
            headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
            auth=_as_it_is,
        )

    def _send(
        self, token: Token, method: str, url: str, *args: Any, **kwargs: Any
    ) -> requests.Response:
        base = f"{token.instance_url}/services/data/v{self.connection.api_version}/"
        url = urljoin(base, url)
        if not same_origin(url, base):
            named = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
            raise AddressRefused(f"{method} {_path(url)}", f"{named} is not {token.instance_url}")
        if hasattr(kwargs.get("data"), "seek"):
            kwargs["data"].seek(0)  # an upload that is sent again starts at its beginning
        kwargs["auth"] = token.authorize  # goes over the header that simple-salesforce has set
        return self._exchanged(method, url, *args, write=method not in _READS, **kwargs)

    def _logged_in(self, stale: Token | None) -> Token:
        """Get a new token, unless another thread has replaced `stale` meanwhile."""
        with self._login:
            if self._token is None or self._token is stale:
                url = f"{self.connection.login_url.rstrip('/')}/services/oauth2/token"
                self._token = self._new_token(url)
            return self._token

    def _new_token(self, url: str) -> Token:
        form = grant(self.connection)
        answer = self._exchanged("POST", url, write=False, data=form, auth=_as_it_is)
        if answer.status_code == 200:
            return Token.from_answer(self.connection, document(answer))
        attempt = f"Logging in to {self.connection.name} at {url}"
        error = refusal(attempt, answer, write=False)
        if isinstance(error, RequestRefused):
            raise SessionRefused(attempt, error.answer)
        raise error

    def _exchanged(
        self, method: str, url: str, *args: Any, write: bool, **kwargs: Any
    ) -> requests.Response:
        """Send, and translate what never became an answer."""
        kwargs.setdefault("timeout", TIMEOUT)
        kwargs["allow_redirects"] = False  # the token goes to the org's address and nowhere else
        if self.connection.ca_file:  # per call, as REQUESTS_CA_BUNDLE overrules the session's own
            kwargs.setdefault("verify", str(self.connection.ca_file))
        try:
            answer = super().request(method, url, *args, **kwargs)
        except BROKEN as error:
            hint = START if self.connection.is_local else None
            raise unanswered(f"{method} {_path(url)}", error, write=write, hint=hint) from error
        if date := answer.headers.get("Date"):
            self.clock_ahead = parsedate_to_datetime(date) - datetime.now(UTC)
        return answer


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no credentials: without an auth, requests would take some from ~/.netrc."""
    return request


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


def _path(url: str) -> str:
    """Shorten a URL for messages: a query string may quote people's e-mail addresses."""
    return urlsplit(url).path
