"""The one way by which a file of a home comes to be: whole or not at all.

It is written under another name, flushed and renamed, so that even a power cut leaves the file
that was there before, or the new one.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigError, Problem


def write(path: Path, content: str) -> None:
    """Let a file hold just this text, UTF-8; its folder is made."""
    with draft(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


@contextmanager
def draft(path: Path) -> Iterator[Path]:
    """Another name in the folder of a file, which is made; what is written there takes its place.

    Where whoever writes fails, the file stays as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        publish(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def publish(temporary: Path, path: Path) -> None:
    """Give a finished file, or folder, its name."""
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Let whatever goes wrong while a file of a home is read and understood name the file.

    Raises:
        Damaged: it is not as we write such files, with what to do.
    """
    try:
        yield
    except NOT_OURS as error:
        raise Damaged(path, f"{type(error).__name__}: {error}") from None


NOT_OURS = (ValueError, LookupError, TypeError, AttributeError, IsADirectoryError)
"""What is raised by text and JSON that say something else than they should."""


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file of a home holds; errors as ``reading``, where it is there."""
    with reading(path):
        return dict(json.loads(path.read_bytes()).items())


def read_text(path: Path) -> str:
    """The text of a file of a home, without blanks around it; errors as ``reading``."""
    with reading(path):
        return path.read_text(encoding="utf-8").strip()


class Damaged(ConfigError):
    """A file of a home is not as we write them: an older program, a full disk, or an editor."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__([Problem(str(path), None, f"is damaged ({reason}); {cure(path)}")])


def cure(path: Path) -> str:
    """What to do about a damaged file of a home."""
    for pattern, words in CURES:
        if path.match(pattern):
            return words
    return RESTORE


RESTORE = "restore it from a copy of the home"
_PLAN = (
    "restore its folder from a copy of the home; or, if it was never applied, remove the folder,"
    " and the next sync of its day makes a new one"
)
_ORG = "remove its folder; the next sync reads the org's records anew"
_STATE = (
    "remove it and the file `version` beside it; the next command makes both anew from state.duckdb"
)

CURES = (
    (
        "organization",
        "write the Id of the home's org into it; the folders below orgs/ are called so",
    ),
    ("runs/*.json", "remove it; the next sync of this day writes it anew"),
    ("runs/log/*", "remove it; Dagster will not show this run"),
    ("orgs/*/newest/*", "remove it; the next sync of this day plans anew"),
    ("orgs/*/describe/*", "remove it; the org is asked again"),
    ("snapshot/*/*", _ORG),
    ("plans/*/released.json", "remove it, then release the plan again"),
    ("plans/*/runs", "remove it; the plan is then known by its own id only"),
    ("applied/*/proof.*", "remove it; `causeway prove` of this plan writes it anew"),
    ("plans/*/*", _PLAN),
    (
        "stage/*/day=empty/*",
        "remove its folder and the file stage/schemas; the next command makes both anew",
    ),
    ("stage/*/day=*/*", "remove its folder and the file stage/schemas, then sync this day again"),
    ("state/*", _STATE),
    ("causeway.duckdb", "remove it and the file stage/schemas; the next command makes both anew"),
)
"""Which file of a home → what to do where it is damaged; for others there is only a copy."""
