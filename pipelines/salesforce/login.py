"""OAuth without a browser: client credentials, or a JWT signed with the app's key.

simple-salesforce can do neither against a login URL of one's choice, and its refresh repeats
without end on some paths; here it is one form to post and one answer to read.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from pydantic import SecretStr
from requests import PreparedRequest

from pipelines.salesforce.connection import Connection
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
    def from_answer(cls, answer: Mapping[str, Any]) -> Token:
        """Read a token endpoint's answer, whose `id` ends in ``/<organization>/<user>``."""
        attempt = "Logging in"
        missing = [key for key in ("access_token", "instance_url", "id") if not answer.get(key)]
        if missing:
            raise SessionRefused(attempt, f"the answer has no {', '.join(missing)}")
        instance_url = str(answer["instance_url"]).rstrip("/")
        if not instance_url.startswith("https://"):
            raise SessionRefused(attempt, f"the org's address {instance_url} is not https")
        _, organization_id, user_id = str(answer["id"]).rsplit("/", 2)
        return cls(SecretStr(answer["access_token"]), instance_url, organization_id, user_id)

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
