"""What can be said of dependencies without a network: each has a reason, and bytes that are known.

`make check` runs this. Whether a version has a known weakness only a database of advisories can
tell: `make audit` asks one, where there is a network.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
_UNEXPLAINED = re.compile(r'\s*"([A-Za-z0-9._-]+)[^"]*",[^#]*')
_LISTS = re.compile(r"(dependencies|dev|places) = \[")


def without_reason(pyproject: str) -> Iterator[str]:
    """Dependencies that no comment explains, on their line or above the group they stand in."""
    inside = explained = False
    for number, line in enumerate(pyproject.splitlines(), 1):
        if _LISTS.match(line):
            inside, explained = True, False
        elif line.startswith("]"):
            inside = False
        elif inside and line.strip().startswith("#"):
            explained = True
        elif inside and not explained and (entry := _UNEXPLAINED.fullmatch(line)):
            yield f"pyproject.toml:{number}: {entry[1]}: say in a comment what it is for"


def without_hash(lock: str) -> Iterator[str]:
    """Locked packages that do not come from a registry, or whose bytes are not known."""
    for package in tomllib.loads(lock)["package"]:
        name, source = f"{package['name']} {package.get('version', '')}".strip(), package["source"]
        if "editable" in source or "virtual" in source:
            continue  # this project itself
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        if "registry" not in source:
            yield f"uv.lock: {name} comes from {source}, not from a registry"
        elif not files or any(not file.get("hash", "").startswith("sha256:") for file in files):
            yield f"uv.lock: {name} has a file without a hash"


def main() -> int:
    """Print every problem; 1 if there is one."""
    problems = [
        *without_reason((PROJECT / "pyproject.toml").read_text("utf-8")),
        *without_hash((PROJECT / "uv.lock").read_text("utf-8")),
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
