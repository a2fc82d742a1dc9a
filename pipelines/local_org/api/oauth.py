"""OAuth: tokens, who I am, revoke, introspect (api-facts, section 1)."""

import base64
import binascii
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import parse_qsl

from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.store.store import rows

router = Router()
JWT_LEEWAY_SECONDS = 180
"""Some clients sign assertions that end at the moment they are made."""
SCOPE = "api refresh_token id web"


class OAuthError(ApiError):
    """A refused token request; its body is OAuth's, not Salesforce's."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(status, error, description)
        self.body = {"error": error, "error_description": description}


@router.route("POST", "/services/oauth2/token", login=False)
def token(call: Call) -> Answer:
    """Give a token for one of the grants."""
    form = _form(call)
    grant = form.get("grant_type", "")
    if grant == "client_credentials":
        _check_client(call, form, secret=True)
        return _tokens(call, call.org.state["user_id"])
    if grant == "password":
        _check_client(call, form, secret=True)
        return _tokens(call, _password_user(call, form), refresh=True)
    if grant == "refresh_token":
        _check_client(call, form, secret=False)
        user = call.org.sessions.user_of(form.get("refresh_token", ""), "refresh")
        if user is None:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        return _tokens(call, user)
    if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer":
        return _tokens(call, _asserted_user(call, form.get("assertion", "")))
    raise OAuthError("unsupported_grant_type", "grant type not supported")


@router.route("POST", "/services/oauth2/revoke", login=False)
@router.route("GET", "/services/oauth2/revoke", login=False)
def revoke(call: Call) -> Answer:
    """End the session of a token."""
    token = (_form(call) | call.query).get("token", "")
    if not call.org.sessions.revoke(token):
        raise OAuthError("unsupported_token_type", "this token type is not supported")
    return Answer(200, raw=b"")


@router.route("POST", "/services/oauth2/introspect", login=False)
def introspect(call: Call) -> Answer:
    """Whether a token is live, and whose it is."""
    form = _form(call)
    _check_client(call, form, secret=True)
    token = form.get("token", "")
    for kind in ("access", "refresh"):
        user = call.org.sessions.user_of(token, kind)
        if user is not None:
            return Answer(
                content={
                    "active": True,
                    "scope": SCOPE,
                    "client_id": call.org.state["client_id"],
                    "username": user_record(call, user)["Username"],
                    "sub": f"{call.base_url}/id/{call.org.organization_id}/{user}",
                    "token_type": f"{kind}_token",
                }
            )
    return Answer(content={"active": False})


@router.route("GET", "/services/oauth2/userinfo")
@router.route("POST", "/services/oauth2/userinfo")
def userinfo(call: Call) -> Answer:
    """Who the token's user is, in OpenID's words."""
    user = user_record(call, call.user)
    return Answer(
        content={
            "sub": f"{call.base_url}/id/{call.org.organization_id}/{call.user}",
            "user_id": call.user,
            "organization_id": call.org.organization_id,
            "preferred_username": user["Username"],
            "nickname": user["Alias"],
            "name": user["Name"],
            "email": user["Email"],
            "email_verified": True,
            "given_name": user["FirstName"],
            "family_name": user["LastName"],
            "zoneinfo": user["TimeZoneSidKey"],
            "locale": user["LocaleSidKey"],
            "user_type": "STANDARD",
            "active": user["IsActive"],
            "urls": _urls(call),
        }
    )


@router.route("GET", "/id/{organization}/{user}")
def identity(call: Call) -> Answer:
    """Who the token's user is, in Salesforce's words."""
    user = user_record(call, call.user)
    return Answer(
        content={
            "id": f"{call.base_url}/id/{call.org.organization_id}/{call.user}",
            "asserted_user": True,
            "user_id": call.user,
            "organization_id": call.org.organization_id,
            "username": user["Username"],
            "nick_name": user["Alias"],
            "display_name": user["Name"],
            "email": user["Email"],
            "first_name": user["FirstName"],
            "last_name": user["LastName"],
            "timezone": user["TimeZoneSidKey"],
            "active": user["IsActive"],
            "user_type": "STANDARD",
            "language": user["LanguageLocaleKey"],
            "locale": user["LocaleSidKey"],
            "urls": _urls(call),
        }
    )


def _form(call: Call) -> dict[str, str]:
    text = call.body.decode("utf-8", errors="replace")
    return dict(parse_qsl(text, keep_blank_values=True))


def _check_client(call: Call, form: dict[str, str], *, secret: bool) -> None:
    client, client_secret = form.get("client_id", ""), form.get("client_secret", "")
    kind, _, encoded = call.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            decoded = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            decoded = ""
        client, _, client_secret = decoded.partition(":")
    if not _same(client, call.org.state["client_id"]):
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if (secret or client_secret) and not _same(client_secret, call.org.state["client_secret"]):
        raise OAuthError("invalid_client", "invalid client credentials")


def check_password(call: Call, username: str, password: str) -> str | None:
    """The id of the user with this name and password (followed by the security token or not).

    The org has one password, with which every active user signs in: so people who try it can be
    somebody else than the integration.
    """
    state = call.org.state
    passwords = {state["password"], state["password"] + state["security_token"]}
    if not any(_same(password, valid) for valid in passwords):
        return None
    user = call.catalog["User"]
    active = f'select "Id" from {user.table} where lower("Username") = lower(?) and "IsActive"'
    with call.org.store.read() as connection:
        users = connection.execute(active, [username]).fetchall()
    return users[0][0] if users else None


def _password_user(call: Call, form: dict[str, str]) -> str:
    user = check_password(call, form.get("username", ""), form.get("password", ""))
    if user is None:
        raise OAuthError("invalid_grant", "authentication failure")
    return user


def _asserted_user(call: Call, assertion: str) -> str:
    """The user whom a signed assertion names (RFC 7523)."""
    import jwt

    try:
        claims = jwt.decode(
            assertion,
            call.org.jwt_public_key,
            algorithms=["RS256"],
            options={"require": ["iss", "sub", "aud", "exp"], "verify_aud": False},
            leeway=JWT_LEEWAY_SECONDS,
        )
    except jwt.ExpiredSignatureError as error:
        raise OAuthError("invalid_grant", "assertion expired") from error
    except jwt.InvalidTokenError as error:
        raise OAuthError("invalid_grant", "invalid assertion") from error
    if claims["iss"] != call.org.state["client_id"]:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if str(claims["sub"]).lower() != call.org.state["username"].lower():
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    user: str = call.org.state["user_id"]
    return user


def _same(presented: str, expected: str) -> bool:
    return hmac.compare_digest(presented.encode(), expected.encode())


def _tokens(call: Call, user: str, *, refresh: bool = False) -> Answer:
    org = call.org
    issued = str(time.time_ns() // 1_000_000)
    identity_url = f"{call.base_url}/id/{org.organization_id}/{user}"
    signed = hmac.digest(
        org.state["client_secret"].encode(), (identity_url + issued).encode(), hashlib.sha256
    )
    content: dict[str, Any] = {
        "access_token": org.sessions.open(user),
        "signature": base64.b64encode(signed).decode(),
        "scope": SCOPE,
        "instance_url": call.base_url,
        "id": identity_url,
        "token_type": "Bearer",
        "issued_at": issued,
    }
    if refresh:
        content["refresh_token"] = org.sessions.open(user, "refresh")
    return Answer(content=content, headers={"cache-control": "no-store"})


def user_record(call: Call, user_id: str) -> dict[str, Any]:
    """All fields of a user.

    Raises:
        ApiError: there is none with this id.
    """
    user = call.catalog["User"]
    columns = ", ".join(f'{f.read_sql("t")} as "{f.name}"' for f in user.fields)
    with call.org.store.read() as connection:
        users = rows(connection, f'select {columns} from {user.table} t where "Id" = ?', user_id)
    if not users:
        raise ApiError(403, "INVALID_SESSION_ID", "Bad_OAuth_Token")
    return users[0]


def _urls(call: Call) -> dict[str, str]:
    data = f"{call.base_url}/services/data/v{{version}}"
    soap = f"{call.base_url}/services/Soap"
    tail = call.org.organization_id
    return {
        "enterprise": f"{soap}/c/{{version}}/{tail}",
        "partner": f"{soap}/u/{{version}}/{tail}",
        "metadata": f"{soap}/m/{{version}}/{tail}",
        "rest": f"{data}/",
        "sobjects": f"{data}/sobjects/",
        "query": f"{data}/query/",
        "search": f"{data}/search/",
        "recent": f"{data}/recent/",
        "tooling_rest": f"{data}/tooling/",
        "profile": f"{call.base_url}/{call.user}",
    }
