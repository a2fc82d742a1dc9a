"""Access and refresh tokens."""

import hashlib
import threading
from typing import Any

from pipelines.local_org.identity import new_token
from pipelines.local_org.moments import now
from pipelines.local_org.store.store import Store


class Sessions:
    """Who is logged in. Tokens outlive the process; the store keeps only their hashes."""

    def __init__(self, store: Store, state: dict[str, Any]) -> None:
        self._store = store
        self._organization_id: str = state["organization_id"]
        self._lock = threading.Lock()
        with store.read() as connection:
            sessions = connection.execute(
                "select token_hash, user_id, kind from org.session where not revoked"
            ).fetchall()
            revoked = connection.execute(
                "select token_hash from org.session where revoked"
            ).fetchall()
        self._live = {token_hash: (user, kind) for token_hash, user, kind in sessions}
        standing = _hash(state["access_token"])
        if (standing,) not in revoked and standing not in self._live:
            self._remember(standing, state["user_id"], "access")

    def open(self, user_id: str, kind: str = "access") -> str:
        """A new token for a user."""
        token = new_token(self._organization_id)
        self._remember(_hash(token), user_id, kind)
        return token

    def user_of(self, token: str, kind: str = "access") -> str | None:
        """The id of the user that a live token belongs to."""
        user, live_kind = self._live.get(_hash(token), (None, kind))
        return user if live_kind == kind else None

    def revoke(self, token: str) -> bool:
        """End a session; whether there was one."""
        with self._lock:
            was_live = self._live.pop(_hash(token), None) is not None
        self._run("update org.session set revoked = true where token_hash = ?", _hash(token))
        return was_live

    def expire_all(self) -> None:
        """End every session, as when all of them ran out."""
        with self._lock:
            self._live = {h: v for h, v in self._live.items() if v[1] == "refresh"}
        self._run("update org.session set revoked = true where kind = ?", "access")

    def _remember(self, token_hash: str, user_id: str, kind: str) -> None:
        with self._lock:
            self._live[token_hash] = (user_id, kind)
        with self._store.write() as connection:
            connection.execute(
                "insert into org.session values (?, ?, ?, ?, false)",
                [token_hash, user_id, kind, now()],
            )

    def _run(self, sql: str, value: str) -> None:
        with self._store.write() as connection:
            connection.execute(sql, [value])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
