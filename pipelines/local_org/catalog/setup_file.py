"""Read a set-up file: every problem at once, each with its line, and no attack."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipelines.local_org.catalog.setup import OrgSetup

Model = TypeVar("Model", bound=BaseModel)

DEEPEST = 50
"""Levels of a set-up file."""


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
        SetupError: it is no YAML, or keys or values are wrong; all problems at once. Aliases are
            refused: a few lines of them can stand for billions of values.
    """
    try:
        text = file.read_text(encoding="utf-8")
        _refuse_bombs(file, text)
        return model.model_validate(yaml.safe_load(text) or {})
    except UnicodeDecodeError as error:
        raise SetupError(f"{file} is not UTF-8 (byte {error.start}); save it so") from None
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


def _refuse_bombs(file: Path, text: str) -> None:
    """Refuse what is small in a file and endless to read, before anything is made of it."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise SetupError(f"{file}:{line}: write *{event.anchor} out; aliases are not read")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise SetupError(f"{file}:{line}: lists or mappings in each other, too deep")


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
