"""What need not be made again: relations keep their files while what they are made from stays.

A batch that runs again reads every input and would write every relation anew, only to find at the
end that nothing has changed. So each maker keeps, beside its file, a digest of what it was made
from: the code, the configuration, and which version of each file it read. Relations are replaced
by renaming and never edited, so a file's version is told by its inode, time and size. What others
bring is told by the time of its last change as well, which nobody can set.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines import config, files

CODE = ("assets", "pipelines", "schemas")


@dataclass(frozen=True)
class Memo:
    """What some files were made from.

    Attributes:
        path: where it is kept.
        digest: of everything they would be made from now.
        files: the files it speaks of; one that somebody else has replaced is none of ours.
    """

    path: Path
    digest: str
    files: tuple[Path, ...]

    def cached(self) -> dict[str, Any] | None:
        """What was kept when the files were made, if they would be made the same again."""
        try:
            stored = files.read_json(self.path)
            with files.reading(self.path):
                same = stored["digest"] == self.digest and stored["files"] == self._versions()
                facts: dict[str, Any] = stored["facts"]
        except (FileNotFoundError, files.Damaged):  # a damaged one is made again with its files
            return None
        return facts if same else None

    def keep(self, facts: Mapping[str, Any] | None = None) -> None:
        """Note that the files have just been made, and whatever else is to be known of that."""
        document = {"digest": self.digest, "files": self._versions(), "facts": facts or {}}
        files.write(self.path, json.dumps(document, default=str))

    def _versions(self) -> list[str]:
        return [version(path) for path in self.files]


def memo(path: Path, made_from: Iterable[object], files: Iterable[Path]) -> Memo:
    """The memo of some files, given all that decides what will stand in them.

    A `Path` among ``made_from`` counts by the version of its file, whatever else by its ``repr``.
    """
    parts = [version(part) if isinstance(part, Path) else repr(part) for part in made_from]
    text = "\n".join((code(), *parts))
    return Memo(path, hashlib.sha256(os.fsencode(text)).hexdigest(), tuple(files))


def version(path: Path) -> str:
    """Which version of a file lies there; one that is missing has a version too."""
    try:
        stat = path.stat()
    except OSError:  # a link in a circle has none, too
        return f"{path.name} none"
    return f"{path.name} {stat.st_ino} {stat.st_mtime_ns} {stat.st_size}"


def received(path: Path) -> str:
    """Which version of a file of somebody else lies there, whatever its time was set to.

    Whoever edits a file can set its time back, as copying programs do, but not when that was. Of
    our own relations this says nothing: it changes with every second name that one gets or loses.
    """
    try:
        return f"{version(path)} {path.stat().st_ctime_ns}"
    except OSError:
        return version(path)


@lru_cache(maxsize=1)
def code() -> str:
    """A digest of the program: whatever it makes may differ after a change of it."""
    paths = (
        path
        for folder in CODE
        for path in (config.PROJECT / folder).rglob("*")
        if path.suffix in {".py", ".sql", ".yaml"} and "local_org" not in path.parts
    )
    return hashlib.sha256("\n".join(map(version, sorted(paths))).encode()).hexdigest()
