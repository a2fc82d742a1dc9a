"""Who may read a home: its owner; with ``home.share: group`` of ``policies.yaml`` the group, too.

A home holds whole address books. What a command writes is readable by nobody else from the start,
by the umask of its process, wherever that home lies and whoever made its folder. An inbox is other
people's: its rights are theirs to choose and stay as they are, also where it lies in the home. But
through a home that is closed nobody else reaches it: who has others put files there lets
``CAUSEWAY_INBOX`` name a folder elsewhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pipelines.project import Project

PRIVATE = 0o700
SHARED = 0o2750


def keep_private(home: Path) -> None:
    """Let what this process makes from here on be read by those who may read the home."""
    shared = home.exists() and stat.S_IMODE(home.stat().st_mode) == SHARED
    os.umask(0o027 if shared else 0o077)


def make_home(project: Project) -> None:
    """Make the folder of a new home with the rights that the policies say; else change nothing."""
    if not project.home.exists():
        project.home.mkdir(parents=True)
        project.home.chmod(_mode(project))
        keep_private(project.home)


def exposed(project: Project) -> list[Path]:
    """Files and folders of the home, without its inbox, that others may read or change.

    None where nobody comes into the home: what lies below is out of their reach.
    """
    if not project.home.exists() or not _is_open(project.home.resolve(), project):
        return []
    return [path for path in _everything(project) if _is_open(path, project)]


def secure(project: Project) -> int:
    """Give every file and folder of the home its rights; returns how many had others.

    Raises:
        ConfigError: the files of somebody else, which only they can change.
    """
    changed = 0
    problems = []
    for path in _everything(project):
        current = stat.S_IMODE(path.lstat().st_mode)
        wanted = _wanted(path, current, project)
        try:
            if current != wanted:
                path.chmod(wanted)
                changed += 1
        except PermissionError:
            message = "belongs to somebody else, who has to run this command, or chmod go-rwx"
            problems.append(Problem(str(path), None, message))
    if problems:
        raise ConfigError(problems)
    return changed


def _mode(project: Project) -> int:
    return SHARED if project.policies.home.share == "group" else PRIVATE


def _wanted(path: Path, current: int, project: Project) -> int:
    """Secrets of the local org are its owner's in any case."""
    own = path.is_relative_to(project.local_org.resolve())
    mode = PRIVATE if own else _mode(project)
    if path.is_dir():
        return mode
    readable = 0o040 if mode == SHARED and current & stat.S_IRUSR else 0
    return current & 0o700 | readable


def _is_open(path: Path, project: Project) -> bool:
    mode = stat.S_IMODE(path.lstat().st_mode)
    return mode & ~_wanted(path, mode, project) & 0o077 != 0


def _everything(project: Project) -> Iterator[Path]:
    """The home and all below it but the inbox, and links: these have their targets' rights."""
    home, inbox = project.home.resolve(), project.inbox.resolve()
    yield home
    for folder, folders, names in os.walk(home):
        within = Path(folder)
        folders[:] = [name for name in folders if within / name != inbox]
        paths = (within / name for name in (*folders, *names))
        yield from (path for path in paths if not path.is_symlink())
