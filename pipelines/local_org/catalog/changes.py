"""When what an org says of its objects last changed, for clients that keep what they were told."""

import datetime as dt
import hashlib
import json
import threading
from typing import Any

SECOND = dt.timedelta(seconds=1)


class Changes:
    """Remembers what each user was told; a change of it gets a moment of its own.

    An HTTP date has whole seconds, so that two changes within one are a second apart.
    """

    def __init__(self) -> None:
        self._started = dt.datetime.now(dt.UTC).replace(microsecond=0)
        self._digests: dict[tuple[str, str], tuple[str, dt.datetime]] = {}
        self._lock = threading.Lock()

    def moment(self, path: str, user: str, content: Any) -> dt.datetime:
        """When the answer for a path, as a user sees it, became what it is."""
        digest = hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()
        with self._lock:
            before, modified = self._digests.get((path, user), (digest, self._started))
            if before != digest:
                now = dt.datetime.now(dt.UTC).replace(microsecond=0)
                modified = max(now, modified + SECOND)
            self._digests[path, user] = (digest, modified)
        return modified
