"""Read a set-up file: every problem at once, each with its line, and no attack."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.local_org.catalog.setup import OrgSetup

Model = TypeVar("Model", bound=BaseModel)

MOST = 100_000
"""Values of a set-up file: a few lines of aliases can stand for billions."""


class SetupError(Exception):
    """The set-up file is wrong; the message names the file, the place and every problem."""


def read_setup(file: Path) -> OrgSetup:
    """Read and check a set-up file.

    Raises:
        SetupError: see `read_model`.
    """
    return read_model(file, OrgSetup)


def read_model(file: Path, model: type[Model]) -> Model:
    """Read and check a YAML file.

    Raises:
        SetupError: it is no YAML, or keys or values are wrong; all problems at once.
    """
    try:
        text = file.read_text(encoding="utf-8")
        if _values(yaml.compose(text, Loader=yaml.SafeLoader), {}) > MOST:
            raise SetupError(f"{file}: its aliases make more than {MOST:,} values of it")
        return model.model_validate(yaml.safe_load(text) or {})
    except UnicodeDecodeError as error:
        raise SetupError(f"{file} is not UTF-8 (byte {error.start}); save it so") from None
    except RecursionError:
        raise SetupError(f"{file} has lists or mappings in each other, far too deep") from None
    except yaml.YAMLError as error:
        raise SetupError(f"{file} is not valid YAML: {error}") from error
    except ValidationError as error:
        wrong = error.errors()
        lines = lines_of(file, [problem["loc"] for problem in wrong])
        problems = [
            f"{file}:{line}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for line, problem in zip(lines, wrong, strict=True)
        ]
        raise SetupError("\n".join(problems)) from error


def _values(node: yaml.Node | None, counted: dict[int, float]) -> float:
    """How many values a node stands for, each alias counted as what it repeats."""
    if id(node) not in counted:
        counted[id(node)] = math.inf  # for as long as it is open: one inside itself has no end
        inside: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            inside = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            inside = node.value
        counted[id(node)] = 1 + sum(_values(part, counted) for part in inside)
    return counted[id(node)]


def lines_of(file: Path, places: Sequence[tuple[int | str, ...]]) -> list[int]:
    """The lines in which parts of a YAML file stand, counted from 1."""
    root = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    return [_line(root, place) for place in places]


def _line(node: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    """The line of the deepest part of `path` that the file has."""
    line = node.start_mark.line + 1 if node else 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            if str(step) not in pairs:
                return line
            key, node = pairs[str(step)]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line
