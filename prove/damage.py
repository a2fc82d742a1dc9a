"""Files of a home, each damaged: commands make it again, or name it with what to do about it."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from pipelines.cli import app
from pipelines.commands.failures import Reported
from pipelines.files import CURES, RESTORE, cure
from pipelines.local_org import control
from pipelines.relations import forget
from prove.batch import AFTER, project_at
from prove.home import Changing
from prove.worker import Ended

TEXTS = ("", ".json", ".jsonl", ".content")
"""How files are called that are text; the others DuckDB reads."""

OURS = re.compile(r"^(?!local_org|inbox|mappings|dagster|spill|locks|runs/log)[^.]")
"""Files of a home that are ours to read."""

COMMANDS: Sequence[Sequence[str]] = (
    ("status",),
    ("plan", "--batch", str(AFTER)),
    ("plan",),
    ("rejects", "list"),
    ("release", "--list"),
    ("prove",),
    ("sync", "--plan-only", "--batch", str(AFTER)),
)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _emptied(path: Path) -> None:
    os.truncate(path, 0)


def _garbage(path: Path) -> None:
    path.write_bytes(bytes(range(255, 0, -1)) * 4)


def _list(path: Path) -> None:
    path.write_text('["what", 1]', encoding="utf-8")


def _object(path: Path) -> None:
    path.write_text('{"what": {}, "objects": 1}', encoding="utf-8")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: Mapping[str, Callable[[Path], None]] = {
    "cut short": _cut,
    "emptied": _emptied,
    "garbage": _garbage,
    "a folder in its place": _folder,
    "a list": _list,
    "another object": _object,
}
BINARY = 4
"""So many of the damages say something of a file that is no text."""


class Damaging(Changing):
    """Damages a file of a home, and gives commands."""

    def prepare(self) -> None:
        """Make the home, and keep it whole."""
        self.make_home()
        shutil.copytree(self.home, self._whole, ignore=shutil.ignore_patterns("local_org"))
        control.start(self.org)

    def file_damaged(self, name: str, kind: str) -> Ended:
        """Damage a file below the home, and see what commands make of it, one after the other."""
        for path in self.home.iterdir():
            if path != self.org:
                _gone(path)
        shutil.copytree(self._whole, self.home, dirs_exist_ok=True)
        forget(project_at(self.home))
        DAMAGES[kind](self.home / name)
        os.environ |= {"CAUSEWAY_HOME": str(self.home), "COLUMNS": "1000"}
        os.environ["CAUSEWAY_MAPPINGS"] = str(self.home / "mappings")
        named, wrong = _judged(self.home, name)
        return Ended(f"{kind}: {name}", f"home damaged: {kind}", 0, 0, 0, named, wrong)

    def damages(self) -> list[tuple[str, str]]:
        """Each kind of damage to a file of each use: where it lies, and what is done to it."""
        return [
            (name, kind)
            for name in files_by_use(self._whole)
            for kind in (DAMAGES if Path(name).suffix in TEXTS else [*DAMAGES][:BINARY])
        ]

    @property
    def _whole(self) -> Path:
        return self.folder / "whole"


def files_by_use(home: Path) -> list[str]:
    """One file of each use, the newest by its name."""
    names = sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    return [*{_use(name): name for name in names if OURS.match(name)}.values()]


def _use(name: str) -> str:
    for pattern, word in (
        (r"00D\w+", "ORG"),
        (r"\d{4}-\d\d-\d\d-[0-9a-f]{12}", "PLAN"),
        (r"[0-9a-f]{64}-\d+", "CHUNK"),
        (r"\d{8}T\d+Z-", "STAMP"),
        (r"\d{4}-\d\d-\d\d|-\d{6}", "DAY"),
        (r"(?i)account|contact|lead|user", "OBJECT"),
        (r"(?<=stage/)[a-z_]+?_(?=[a-z]+/)", "STAGE_"),
    ):
        name = re.sub(pattern, word, name)
    return name


def _judged(home: Path, name: str) -> tuple[int, str]:
    """How many commands named the file with what to do; what another said that did not go on."""
    named = 0
    for arguments in COMMANDS:
        code, output = _run(arguments)
        if code in (0, 1):
            continue
        is_cured = any(words in output for words in (RESTORE, *(words for _, words in CURES)))
        is_named = any(path.resolve() == (home / name).resolve() for path in _paths(output))
        if not (is_named and is_cured):
            return named, f"causeway {' '.join(arguments)} ended with {code}: {output}"
        named += 1
    return named, _cured(home, name) if named else ""


def _cured(home: Path, name: str) -> str:
    """Do what people are told to; what a sync says then, if it still does not go on."""
    output = _run_after_cure(home, home / name)
    for _ in range(2):  # a day may share its file with others, which are named one after the other
        named = next((path for path in _paths(output) if path.is_relative_to(home)), None)
        output = _run_after_cure(home, named) if named is not None else output
    return output


def _paths(output: str) -> Iterator[Path]:
    """Files and folders that a message names."""
    texts = re.findall(r"/[^'\"\s:;]+", output)
    return (path for path in map(Path, texts) if path.exists())


def _run_after_cure(home: Path, path: Path) -> str:
    words = cure(path)
    if words.startswith("restore"):
        return ""
    if words.startswith("write"):
        [organization] = (folder.name for folder in (home / "orgs").iterdir())
        _gone(path)
        path.write_text(organization, encoding="utf-8")
    if "remove it" in words:
        _gone(path.parent if "its folder" in words else path)
    if "stage/schemas" in words:
        forget(project_at(home))
    if "`version`" in words:
        _gone(path.with_name("version"))
    code, output = _run(COMMANDS[-1])
    return "" if code in (0, 1) else f"after the cure, sync ended with {code}: {output}"


def _gone(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _run(arguments: Sequence[str]) -> tuple[int, str]:
    """Give a command in this process; its exit code, and what it says of what went wrong."""
    output = io.StringIO()
    try:
        with redirect_stderr(output), redirect_stdout(io.StringIO()), Reported():
            app(arguments)
    except SystemExit as ended:
        return int(ended.code or 0), output.getvalue()
    return 0, output.getvalue()
