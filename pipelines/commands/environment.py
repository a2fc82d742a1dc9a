"""What a command finds around it: the home, the instance of Dagster, the terminal."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import date, datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from pipelines import config, locks
from pipelines.changes import any_noted
from pipelines.files import write

if TYPE_CHECKING:
    from pipelines.errors import Problem
    from pipelines.project import Project

out = Console(highlight=False, soft_wrap=True)
"""Results."""

err = Console(stderr=True, highlight=False, soft_wrap=True)
"""Progress and errors, so that results can be piped."""

SETTINGS = "dagster.yaml"
MADE = ".made"
"""Stands in Dagster's home once its settings and databases are there."""

OBJECT = "An object or a mapping, such as Contact."
"""What is said of arguments that name one; in whatever case."""

FORMER = frozenset({"fcfb1deb4aba36b5764cf9e7a7d23bbda4b256e85ba3a26127921d16cb4b6808"})
"""SHA-256 of the settings that homes were given before; where nobody edited them, ours follow."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def choose_home(home: Path | None) -> None:
    """Let everything that runs from here on use ``home``."""
    if home is not None:
        os.environ["CAUSEWAY_HOME"] = str(home.expanduser().absolute())


def current_project() -> Project:
    """The project that the environment names; a home of an older program is brought up first."""
    from pipelines.project import Project
    from pipelines.rights import keep_private

    found = Project.of()
    keep_private(found.home)
    # What a new home needs nothing of takes time to import.
    if found.state.path.exists() or any_noted(found.home):
        from pipelines.recover import recover
        from pipelines.upgrade import upgrade

        upgrade(found)
        recover(found)
    return found


def today(project: Project) -> date:
    """The newest day that may be a batch."""
    return datetime.now(ZoneInfo(project.policies.batches.timezone)).date()


def strays(project: Project) -> list[Problem]:
    """What lies in the inbox but will not be landed, or beside the mappings but is not read."""
    from pipelines.sources.inbox import strays
    from pipelines.sync.mapping.folder import foreign

    return foreign(project.mappings) + strays(
        project.sources, project.inbox, project.policies.batches.start, today(project)
    )


def prepare_dagster() -> Path:
    """Give Dagster a home inside ours, unless the user has one; returns it.

    Dagster wants an absolute folder that exists; without a ``dagster.yaml`` it would send
    telemetry and wait for runs of dead processes.
    """
    chosen = os.environ.get("DAGSTER_HOME")
    if chosen:
        return Path(chosen)
    folder = config.home() / "dagster"
    os.environ["DAGSTER_HOME"] = str(folder)
    if not (folder / MADE).exists() or _is_former(folder / SETTINGS):
        _make_dagster_home(folder)
    return folder


def _is_former(settings: Path) -> bool:
    return settings.exists() and sha256(settings.read_bytes()).hexdigest() in FORMER


def _make_dagster_home(folder: Path) -> None:
    """Write Dagster's settings and let it make its databases, one process at a time.

    Two processes that open a new instance at once stumble over each other in SQLite.
    """
    from pipelines.jobs import make_databases

    lock = config.home() / "locks" / "dagster.lock"
    locks.take(lock, "dagster", locks.tell)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / SETTINGS
        if not settings.exists() or _is_former(settings):
            ours = files("pipelines.commands").joinpath(SETTINGS)
            write(settings, ours.read_text("utf-8"))
        make_databases()
        write(folder / MADE, "")
    finally:
        locks.release("dagster")


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    import json

    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def object_of(project: Project, name: str | None) -> str | None:
    """The object that an option names, by itself or by a mapping of it; none where none is named.

    Raises:
        ConfigError: no mapping is called so.
    """
    from pipelines.sync.mapping.folder import object_named

    return None if name is None else object_named(project.object_mappings, name)


def command() -> str:
    """How this command is typed here: by its name where the shell finds it, else by its path."""
    typed = Path(sys.argv[0])
    found = shutil.which("causeway")
    return "causeway" if found and Path(found).samefile(typed) else readable_path(typed.absolute())


def readable_path(path: Path) -> str:
    """A path as people like to read it: relative where it lies below the current folder."""
    folder = Path.cwd()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
