"""The last boundary: whatever goes wrong ends as a short message and an exit code."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path
from types import TracebackType

from pipelines import config
from pipelines.commands import interrupts
from pipelines.commands.environment import err
from pipelines.errors import CausewayError
from pipelines.files import cure

OK, SOME_ROWS, WRONG, AGAIN, BLOCKED = 0, 1, 2, 3, 4
"""All well · rows rejected or held · usage or configuration · rerun · a guard."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DATABASES = ("duckdb", "_duckdb", "sqlite3", "sqlalchemy")


def exit_code(error: BaseException) -> int:
    """What a command ends with after ``error``."""
    if (interrupted := interrupts.exit_code()) is not None:
        return interrupted
    if isinstance(error, CausewayError):
        return error.exit_code
    if "pipelines.salesforce.errors" in sys.modules:
        from pipelines.salesforce.errors import AddressRefused, ConnectionInvalid, SessionRefused

        if isinstance(error, AddressRefused | ConnectionInvalid | SessionRefused):
            return WRONG
    return AGAIN


def report(error: BaseException) -> int:
    """Tell people what went wrong; returns the exit code."""
    if interrupts.exit_code() is not None:  # whatever DuckDB and others made of it
        err.print("Interrupted. Nothing is lost: run the same command again.", style="yellow")
    elif _is_full(error):
        message = f"The disk is full, or a file may not grow any more: {error}"
        err.print(message, style="red", markup=False)
        err.print("Nothing is lost: make room, then run the same command again.")
    elif (damaged := _damaged_file(error)) is not None:
        err.print(f"{damaged}: is damaged; {cure(damaged)}", style="red", markup=False)
        err.print(f"{type(error).__name__}: {error}", style="dim", markup=False)
        return WRONG
    elif _is_causeway_error(error):
        err.print(str(error), style="red", markup=False)
    else:
        message = f"{type(error).__name__}: {error}"
        err.print(message, style="red", markup=False)
        err.print("To see where, run it again as `causeway --debug …`.")
    return exit_code(error)


def _is_full(error: BaseException) -> bool:
    """Whether there is no room: as the system says it, or as DuckDB and SQLite do."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    messages = (*map(os.strerror, NO_ROOM), "database or disk is full")
    by_database = type(error).__module__.partition(".")[0] in DATABASES
    return by_database and any(message in str(error) for message in messages)


_QUOTED = re.compile(r"""["'](/[^"'\n]+)["']""")


def _damaged_file(error: BaseException) -> Path | None:
    """The file of the home that could not be read; none where that is not what is wrong."""
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        named = [str(name) for name in (error.filename2, error.filename) if name]
    elif type(error).__module__.partition(".")[0] in DATABASES:
        named = _QUOTED.findall(str(error))
    else:
        return None
    home = config.home()
    paths = (path for path in map(Path, named) if path.is_relative_to(home))
    return next((path for path in paths if path.exists()), None)


def _is_causeway_error(error: BaseException) -> bool:
    """Whether the message was written for people."""
    if isinstance(error, CausewayError | OSError):
        return True
    return type(error).__module__.startswith("pipelines.")


class Reported:
    """A context that turns any error into a message and an exit code, or, to debug, does not."""

    debug = False

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Report ``error`` and exit, unless it is an exit already."""
        if error is None or isinstance(error, SystemExit) or Reported.debug:
            return
        if isinstance(error, BrokenPipeError):  # `causeway … | head` read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(OK)
        raise SystemExit(report(error))
