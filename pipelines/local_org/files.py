"""Where an org keeps what: one folder, its *home*. Light: no server, no database."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def matching(path: Path) -> str:
    """What DuckDB reads this file by: it takes a name for a pattern."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))


@dataclass(frozen=True)
class Home:
    """The files of one org. Everything private is readable by its owner only."""

    folder: Path

    @property
    def state(self) -> Path:
        """Addresses, secrets and the running process, as JSON, mode 0600."""
        return self.folder / "org.json"

    @property
    def setup(self) -> Path:
        """The org's set-up (fields, rules, switches), copied here at first start."""
        return self.folder / "org.yaml"

    @property
    def log(self) -> Path:
        """What the server process said."""
        return self.folder / "org.log"

    @property
    def rules(self) -> Path:
        """Rules of the user's own, on top of those of the set-up; see `catalog.rules`."""
        return self.folder / "rules.yaml"

    @property
    def faults(self) -> Path:
        """The faults that are still to happen, in an org that has them."""
        return self.folder / "faults.json"

    @property
    def lock(self) -> Path:
        """Held by the serving process as long as it lives."""
        return self.folder / "org.lock"

    @property
    def ca_file(self) -> Path:
        """The CA certificate that clients trust."""
        return self.folder / "ca.pem"

    @property
    def jwt_key(self) -> Path:
        """The private key with which clients sign JWT assertions; made at first start."""
        return self.folder / "jwt.key"

    @property
    def tls(self) -> Path:
        """Keys and the server certificate."""
        return self.folder / "tls"

    @property
    def records(self) -> Path:
        """The records: a DuckDB file and its write-ahead log, alone in a folder."""
        return self.folder / "records" / "local.duckdb"

    @property
    def jobs(self) -> Path:
        """Uploaded and result files of Bulk jobs, a folder per job."""
        return self.folder / "jobs"

    @property
    def cursors(self) -> Path:
        """Query results that a client has not fetched to the end."""
        return self.folder / "cursors"

    def read_state(self) -> dict[str, Any]:
        """The state file's content, or an empty dict before the first start."""
        if not self.state.exists():
            return {}
        state: dict[str, Any] = json.loads(self.state.read_text())
        return state

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state file in one step."""
        write_private(self.state, json.dumps(state, indent=2).encode() + b"\n")


def write_private(file: Path, content: bytes) -> None:
    """Write a file only its owner can read; readers see the old or the new content, whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.touch(mode=0o600)
    part.write_bytes(content)
    part.replace(file)
