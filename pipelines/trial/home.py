"""The home of one trial: a folder of its own that is gone afterwards, whatever happens."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pipelines import locks
from pipelines.project import Project
from pipelines.trial.template import template

PREFIX = "causeway-try-"
LOCK = "trial.lock"

YOUNG = 60.0
"""Seconds in which a folder may be one that somebody is just making."""


@contextmanager
def temporary_home(own: Project) -> Iterator[Project]:
    """The same pipeline in an empty home that nobody else may read.

    Removed when the block ends, also by an error or a signal; what a killed trial left behind goes
    with the next one.
    """
    _sweep()
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        run = f"trial {folder.name}"
        locks.take(folder / LOCK, run, locks.tell)
        try:
            home = folder / "home"
            shutil.copytree(template(own), home, copy_function=_copied)
            (folder / "inbox").mkdir()
            yield replace(own, home=home, inbox=folder / "inbox", org_name=None)
        finally:
            locks.release(run)


def _copied(file: str, copy: str) -> None:
    """A relation is replaced whole and never changed, so that another name for it will do."""
    if file.endswith(".parquet"):
        with suppress(OSError):  # another file system, or one without links
            os.link(file, copy)
            return
    shutil.copyfile(file, copy)


def _sweep() -> None:
    """Remove the homes of trials that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's, or gone meanwhile
            status = folder.lstat()
            is_ours = folder.is_dir() and not folder.is_symlink() and status.st_uid == os.getuid()
            if is_ours and status.st_mtime < time.time() - YOUNG and _is_dead(folder):
                shutil.rmtree(folder)


def _is_dead(folder: Path) -> bool:
    return not (folder / LOCK).exists() or bool(locks.dead(folder))
