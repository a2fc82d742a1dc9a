"""What can go wrong, drawn as a tree.

    CausewayError
    ├── ConfigError      a YAML, SQL or environment setting is wrong         exit 2
    │   └── InputError   a file somebody brought cannot be read at all       exit 2
    ├── Busy             somebody else holds what this run needs; try later  exit 3
    ├── Blocked          a guard stopped the plan; release it or mend it     exit 4
    └── InternalError    a law Causeway checks of itself was broken          exit 3

``Interrupted`` stands apart: somebody pressed Ctrl-C (exit 130) or ended the process (exit 143).

What Salesforce says has a tree of its own in ``pipelines.salesforce.errors``: wrong credentials
end in exit 2, all the rest in exit 3. Whatever ends in 3 may be run again as it is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with what a person wrote: where it stands and what to do."""

    file: str
    line: int | None
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", spelled(self.file))

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


def spelled(path: Path | str) -> str:
    r"""A path as it can be printed and kept: a byte of it that is no UTF-8 as ``\xff``."""
    return os.fsencode(path).decode(errors="backslashreplace")


class CausewayError(Exception):
    """Anything Causeway says in its own words; ``exit_code`` is what a command ends with."""

    exit_code = 3


class ConfigError(CausewayError):
    """Every problem found in what a person wrote, not only the first."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        self.problems = [] if isinstance(problems, str) else sorted(set(problems))
        text = problems if isinstance(problems, str) else "\n".join(map(str, self.problems))
        super().__init__(text)

    @classmethod
    def at(cls, file: Path | str, line: int | None, message: str) -> ConfigError:
        """One problem at one place."""
        return cls([Problem(str(file), line, message)])


class InputError(ConfigError):
    """A file somebody brought cannot be read at all: missing, empty, wrong header or encoding."""


class Busy(CausewayError):
    """Another process holds a lock or a database; nothing was lost, the next run goes on."""


class Blocked(CausewayError):
    """A guard stopped the plan before anything was written."""

    exit_code = 4


class Interrupted(BaseException):
    """Somebody wants the command to end; no handler of errors may stop that."""


class InternalError(CausewayError):
    """Causeway broke a law it checks of itself, such as the conservation of rows."""
