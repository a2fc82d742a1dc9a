"""Where batches lie: which files of which source belong to which day."""

from __future__ import annotations

import fnmatch
import glob
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.errors import InputError, Problem, spelled
from pipelines.sources.model import Source, Sources

DAY = "{day}"
_DATE = r"(?P<day>\d{4}-\d{2}-\d{2})"
_UNFINISHED = (".tmp", ".part", ".crdownload", ".filepart", "~")


@dataclass(frozen=True, order=True)
class InboxFile:
    """One file of a batch.

    Attributes:
        source: the source's name.
        name: its path below the inbox with forward slashes, as ``_file`` shows it.
        path: where it lies.
    """

    source: str
    name: str
    path: Path


def files(config: Sources, inbox: Path, day: date) -> list[InboxFile]:
    """The files of one day, by source and name; hidden and unfinished ones do not count.

    Raises:
        InputError: the inbox is missing, or a source has a folder for the day with nothing in it.
    """
    _require(inbox)
    day_files: list[InboxFile] = []
    problems = []
    for name, source in config.enabled():
        source_files = set(_files(name, source, inbox, day.isoformat()))
        folder = inbox / name / day.isoformat()
        if not source_files and not source.location and folder.is_dir():
            message = "this folder holds no file; put the export into it, or remove it"
            problems.append(Problem(str(folder), None, message))
        day_files += source_files
    if problems:
        raise InputError(problems)
    return sorted(day_files)


def batches(config: Sources, inbox: Path) -> list[date]:
    """The days for which any source has files, in order; errors as ``files``."""
    _require(inbox)
    days = set()
    for name, source in config.enabled():
        for pattern in _patterns(name, source, inbox):
            expression = _expression(pattern)
            for path in glob.iglob(pattern.replace(DAY, "*"), recursive=True):  # noqa: PTH207
                match = expression.match(path)
                if match and _counts(Path(path)) and (day := _day(match["day"])):
                    days.add(day)
    return sorted(days)


def strays(config: Sources, inbox: Path, start: date, end: date) -> list[Problem]:
    """What lies in the inbox and will not be landed, though somebody put it there.

    Args:
        config: the sources.
        inbox: where batches arrive.
        start: the first day that is a batch.
        end: the last one.
    """
    if not inbox.is_dir():
        return []
    return sorted(_strays(config, inbox, start, end))


def _require(inbox: Path) -> None:
    if not inbox.is_dir():
        message = "there is no such folder; make it, or set CAUSEWAY_INBOX to where batches arrive"
        raise InputError.at(inbox, None, message)


def _patterns(name: str, source: Source, inbox: Path) -> list[str]:
    """Absolute globs with ``{day}``."""
    root = glob.escape(str(inbox))
    return [
        pattern if Path(pattern).is_absolute() else f"{root}/{pattern}"
        for pattern in source.location or (f"{name}/{DAY}/*",)
    ]


def _files(name: str, source: Source, inbox: Path, day: str) -> Iterator[InboxFile]:
    for pattern in _patterns(name, source, inbox):
        for match in glob.iglob(pattern.replace(DAY, day), recursive=True):  # noqa: PTH207
            if _counts(path := Path(match)):
                relative = path.relative_to(inbox) if path.is_relative_to(inbox) else path
                yield InboxFile(name, spelled(relative.as_posix()), path)


def _counts(path: Path) -> bool:
    """Whether it is to be landed; what is no file at all is refused by its name then."""
    unfinished = path.name.startswith((".", "~$")) or path.name.endswith(_UNFINISHED)
    return not unfinished and not path.is_dir()


def irregular(path: Path, inbox: Path) -> str | None:
    """Why what lies there is not read, whatever it holds: it is no file, or one of elsewhere.

    Only looks at it: whoever opens a FIFO waits for somebody to write.
    """
    try:
        target = path.resolve(strict=True)
        mode = target.stat().st_mode
    except (OSError, RuntimeError):  # RuntimeError: a link to itself, before Python 3.13
        return "a link to nothing that can be reached; put the file itself here"
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "no file")
        return f"{kind}, not a file; remove it"
    root = inbox if path.is_relative_to(inbox) else path.parent
    if not target.is_relative_to(root.resolve()):
        return f"a link that leaves the inbox, to {spelled(target)}; put the file itself here"
    return None


_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _expression(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression that finds the day; a second day must be the same."""
    token = "DAYSTANDSHERE"  # noqa: S105
    translated = fnmatch.translate(pattern.replace(DAY, token))
    return re.compile(translated.replace(token, _DATE, 1).replace(token, "(?P=day)"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _strays(config: Sources, inbox: Path, start: date, end: date) -> Iterator[Problem]:
    names = ", ".join(config.sources)
    for folder in _visible(inbox):
        where = str(folder)
        if not folder.is_dir():
            yield Problem(where, None, "lies beside the sources; put it into inbox/<source>/<day>/")
        elif folder.name not in config.sources:
            yield Problem(where, None, f"no source has this name; sources.yaml knows {names}")
        elif not config.sources[folder.name].location:
            for entry in _visible(folder):
                yield from _stray_day(entry, start, end)


def _stray_day(entry: Path, start: date, end: date) -> Iterator[Problem]:
    day = _day(entry.name) if re.fullmatch(_DATE, entry.name) else None
    if not entry.is_dir():
        yield Problem(str(entry), None, "put this file into a folder named by its day, YYYY-MM-DD")
    elif day is None:
        yield Problem(str(entry), None, "this folder is named by no day; call it YYYY-MM-DD")
    elif not start <= day <= end:
        yield Problem(str(entry), None, f"outside the batches, which run from {start} to {end}")
    else:
        for inner in filter(Path.is_dir, _visible(entry)):
            yield Problem(str(inner), None, "files lie directly in the day's folder; move them up")


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
