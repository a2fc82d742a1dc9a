"""The command as people run it: a process of its own, with a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Causeway = Callable[..., Ran]


@pytest.fixture(scope="session")
def causeway() -> Causeway:
    """Run ``causeway`` with arguments; ``home`` and other variables as keywords."""
    command = Path(sys.executable).with_name("causeway")

    def run(*arguments: str | Path, home: Path | None = None, **environ: str) -> Ran:
        variables = {**os.environ, "NO_COLOR": "1", **environ}
        if home is not None:
            variables["CAUSEWAY_HOME"] = str(home)
        done = subprocess.run(
            [command, *arguments], capture_output=True, text=True, env=variables, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
