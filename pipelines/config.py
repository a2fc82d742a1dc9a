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

from pipelines.errors import ConfigError, Problem, spelled

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
    """The folder of all data and state: ``CAUSEWAY_HOME``, by default ``data/`` in the project.

    Raises:
        ConfigError: its path is one that DuckDB has no way to say.
    """
    path = Path(environ.get("CAUSEWAY_HOME") or PROJECT / "data").expanduser().absolute()
    name = str(path)
    if "\\" in name or "?" in name or name != spelled(name):
        raise ConfigError.at(
            path,
            None,
            "a home cannot be called so: DuckDB works in no folder whose path has a question mark,"
            " a backslash or bytes that are no UTF-8; move it, or let CAUSEWAY_HOME name another",
        )
    return path


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
    except OSError as error:
        raise ConfigError.at(path, None, f"it cannot be read: {error.strerror}") from None
    loader = _Loader(text)
    try:
        _refuse_bombs(text)
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


DEEPEST = 50
"""Levels of a document: the parser in C has no end of its own but that of the stack."""

MOST_REPEATED = 10_000
"""Values that all aliases of a document repeat: a few lines of them can stand for billions."""


def _refuse_bombs(text: str) -> None:
    """Refuse what is small in the file and endless in memory, before anything is made of it."""
    loader: Any = SafeLoader(text)
    sizes: dict[str | None, int] = {}
    within: list[tuple[str | None, int]] = []  # the collections around: anchor, values before it
    values = repeated = 0
    try:
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.AliasEvent):
                if any(event.anchor == anchor for anchor, _ in within):
                    raise _at(event, f"*{event.anchor} stands inside what it repeats")
                size = sizes.get(event.anchor, 0)
                repeated += size
                values += size
                if repeated > MOST_REPEATED:
                    raise _at(event, f"aliases repeat more than {MOST_REPEATED:,} values")
            elif isinstance(event, yaml.CollectionStartEvent):
                within.append((event.anchor, values))
                values += 1
                if len(within) > DEEPEST:
                    raise _at(event, f"lists and mappings in each other, more than {DEEPEST} deep")
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, before = within.pop()
                sizes[anchor] = values - before
            elif isinstance(event, yaml.ScalarEvent):
                values += 1
                sizes[event.anchor] = 1
    finally:
        loader.dispose()


def _at(part: Any, message: str) -> yaml.MarkedYAMLError:
    """What is wrong at an event or a node."""
    return yaml.constructor.ConstructorError(None, None, message, part.start_mark)


class _Loader(SafeLoader):
    """Safe YAML that refuses a key written twice, which YAML itself would silently drop."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # a day or a number that looks like one and is none
            raise _at(node, str(error)) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys_seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _at(key_node, "a key must be one value, no list or mapping")
            key = self.construct_object(key_node, deep=True)
            if key in keys_seen:
                raise _at(key_node, f"the key {key!r} stands here twice")
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
