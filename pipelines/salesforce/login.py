"""OAuth without a browser: client credentials, or a JWT signed with the app's key.

simple-salesforce can do neither against a login URL of one's choice, and its refresh repeats
without end on some paths; here it is one form to post and one answer to read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import jwt
from pydantic import SecretStr
from requests import PreparedRequest

from pipelines.salesforce.connection import Connection
from pipelines.salesforce.domains import own_origin
from pipelines.salesforce.errors import ConnectionInvalid, SessionRefused

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_SECONDS = 180  # Salesforce refuses assertions that live longer than three minutes


@dataclass(frozen=True)
class Token:
    """An access token, and who it makes us: Ids have 18 characters."""

    access_token: SecretStr
    instance_url: str
    organization_id: str
    user_id: str

    @classmethod
    def from_answer(cls, connection: Connection, answer: Any) -> Token:
        """Read a token endpoint's answer, whose `id` ends in ``/<organization>/<user>``.

        Raises:
            SessionRefused: it is no such answer.
            AddressRefused: it sends us to somebody else.
        """
        attempt = f"Logging in to {connection.name}"
        if not isinstance(answer, dict):
            raise SessionRefused(attempt, "the answer is no log-in")
        missing = [key for key in ("access_token", "instance_url", "id") if not answer.get(key)]
        if missing:
            raise SessionRefused(attempt, f"the answer has no {', '.join(missing)}")
        identity = str(answer["id"]).split("/")
        if len(identity) < 3:
            raise SessionRefused(attempt, "the answer does not say which org and user it is for")
        origin = own_origin(connection, attempt, str(answer["instance_url"]))
        return cls(SecretStr(str(answer["access_token"])), origin, *identity[-2:])

    def authorize(self, request: PreparedRequest) -> PreparedRequest:
        """Put the token on a request; an auth of requests."""
        request.headers["Authorization"] = f"Bearer {self.access_token.get_secret_value()}"
        return request


def grant(connection: Connection) -> dict[str, str]:
    """Make the form to post to ``/services/oauth2/token``; it holds secrets in clear."""
    if connection.client_secret is not None:
        return {
            "grant_type": "client_credentials",
            "client_id": connection.client_id.get_secret_value(),
            "client_secret": connection.client_secret.get_secret_value(),
        }
    return {"grant_type": _JWT_GRANT, "assertion": _assertion(connection)}


def _assertion(connection: Connection) -> str:
    claims = {
        "iss": connection.client_id.get_secret_value(),
        "sub": connection.username,
        "aud": connection.audience or connection.login_url.rstrip("/"),
        "exp": int(time.time()) + _JWT_SECONDS,
    }
    key = connection.private_key.get_secret_value() if connection.private_key else ""
    try:
        return jwt.encode(claims, key, algorithm="RS256")
    except (ValueError, jwt.InvalidKeyError) as error:
        raise ConnectionInvalid(
            f"Signing a JWT for {connection.name}",
            "the private key is not an RSA key in PEM form",
            "Give the whole PEM, with its BEGIN and END lines.",
        ) from error
