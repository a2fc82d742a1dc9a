"""YAML that people write, read into frozen models that know where each value stands.

A key the model does not know, a missing one and a wrong type are all reported at once, each with
file and line. The lines come from PyYAML's marks: pydantic says at which path of the document it
was unhappy, and the marks say on which line that path stands.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Hashable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from pipelines.errors import ConfigError, Problem

PROJECT = Path(__file__).resolve().parent.parent

Loc = tuple[str | int, ...]
Lines = dict[Loc, int]


class Frozen(BaseModel):
    """A piece of configuration: immutable, and no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{value!r} is no time zone; write it as Europe/Berlin or UTC") from None
    return value


TimeZone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone, as IANA lists them."""

M = TypeVar("M", bound=BaseModel)


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all data and state: ``CAUSEWAY_HOME``, by default ``data/`` in the project."""
    return Path(environ.get("CAUSEWAY_HOME") or PROJECT / "data").expanduser().absolute()


def inbox(environ: Mapping[str, str] = os.environ) -> Path:
    """Where batches arrive: ``CAUSEWAY_INBOX``, by default ``inbox`` in the home."""
    return Path(environ.get("CAUSEWAY_INBOX") or home(environ) / "inbox").expanduser().absolute()


def mappings(environ: Mapping[str, str] = os.environ) -> Path:
    """The YAML people write: ``CAUSEWAY_MAPPINGS``, by default ``mappings/`` in the project."""
    return Path(environ.get("CAUSEWAY_MAPPINGS") or PROJECT / "mappings").expanduser().absolute()


def read_model(path: Path, model: type[M]) -> M:
    """Read one YAML file into ``model``.

    Raises:
        ConfigError: the file is missing, is not YAML or does not fit the model; it holds every
            problem, each with its line.
    """
    return parse_model(*read_yaml(path), path, model)


def parse_model(document: Any, lines: Lines, path: Path, model: type[M]) -> M:
    """Check a document that ``read_yaml`` read; errors as ``read_model``."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise ConfigError([_problem(path, lines, item, model) for item in error.errors()]) from None


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """The document, and the line of each of its keys and items by path from the root."""
    try:
        # Composed, as staging composes what files bring, so that a name is one name in both.
        text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError.at(path, None, "this file is missing; restore it or create it") from None
    except UnicodeDecodeError as error:
        raise ConfigError.at(path, None, f"not UTF-8 (byte {error.start}); save it so") from None
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: Lines = {(): 1}
        document = {} if node is None else loader.construct_document(node)
        if node is not None:
            _mark(node, (), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise ConfigError.at(path, line, f"not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError.at(path, None, f"not valid YAML: {error}") from None
    finally:
        loader.dispose()
    return document, lines


def line_of(lines: Lines, loc: Loc) -> int:
    """The line of the deepest part of ``loc`` that stands in the document."""
    while loc not in lines:
        loc = loc[:-1]
    return lines[loc]


if TYPE_CHECKING:
    from yaml import SafeLoader
else:  # the parser in C takes a tenth of the time; it comes with every wheel of PyYAML
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(SafeLoader):
    """Safe YAML that refuses a key written twice, which YAML itself would silently drop."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys_seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in keys_seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands here twice", key_node.start_mark
                )
            keys_seen.add(key)
        return super().construct_mapping(node, deep)


def _mark(node: yaml.Node, loc: Loc, lines: Lines) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            position = (*loc, key.value)
            lines[position] = key.start_mark.line + 1
            _mark(value, position, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*loc, index)] = value.start_mark.line + 1
            _mark(value, (*loc, index), lines)


def _problem(path: Path, lines: Lines, item: Any, model: type[BaseModel]) -> Problem:
    loc: Loc = tuple(item["loc"])
    name = ".".join(str(part) for part in loc if (part,) != ("__root__",))
    if item["type"] == "extra_forbidden":
        near = get_close_matches(str(loc[-1]), _known_keys(model), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        message = f"unknown key {loc[-1]!r}{hint}"
    elif item["type"] == "missing":
        message = f"the key {loc[-1]!r} is missing"
    else:
        message = f"{name}: {item['msg'].removeprefix('Value error, ')}"
    return Problem(str(path), line_of(lines, loc), message)


def _known_keys(model: type[BaseModel]) -> list[str]:
    """Every key of the model and of the models below it, for suggestions."""
    names: set[str] = set()
    todo: list[Any] = [model.model_json_schema()]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            names.update(part.get("properties", {}))
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)
    return sorted(names)
