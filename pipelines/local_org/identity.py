"""Who an org is: its ids and secrets, made at random at its first start and kept afterwards."""

import secrets
import string
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.catalog.setup import OrgSetup
from pipelines.local_org.files import Home

_LETTERS = string.ascii_letters + string.digits


def ensure_identity(home: Home, setup: OrgSetup) -> dict[str, Any]:
    """The org's ids and secrets; made and saved when the home has none yet."""
    state = home.read_state()
    if "organization_id" not in state:
        state |= _new_identity(setup)
        home.write_state(state)
    return state


def pod_of(state: dict[str, Any]) -> str:
    """The two characters that tell this org's ids from those of other orgs."""
    pod: str = state["organization_id"][3:5]
    return pod


def new_token(organization_id: str) -> str:
    """A new access token, of the form that clients expect: `00D…!AQ…`."""
    return f"{organization_id[:15]}!AQ{_random(96)}"


def _new_identity(setup: OrgSetup) -> dict[str, Any]:
    pod = _random(2)
    organization_id = ids.record_id("00D", pod, secrets.randbelow(62**8))
    user_id = ids.record_id("005", pod, 1)
    email = setup.user.email
    default_username = f"{email.partition('@')[0]}@{organization_id[:15].lower()}.causeway.local"
    return {
        "client_id": f"3MVG9{_random(80)}",
        "client_secret": secrets.token_hex(32).upper(),
        "username": setup.user.username or default_username,
        "password": _random(16),
        "security_token": _random(24),
        "access_token": new_token(organization_id),
        "organization_id": organization_id,
        "user_id": user_id,
    }


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
