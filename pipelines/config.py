"""YAML that people write, read into frozen models that know where each value stands.

A key the model does not know, a missing one and a wrong type are all reported at once, each with
file and line. The lines come from PyYAML's marks: pydantic says at which path of the document it
was unhappy, and the marks say on which line that path stands.
"""

from __future__ import annotations

import copy
import os
import unicodedata
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from pipelines import faulty
from pipelines.errors import ConfigError, Problem

PROJECT = Path(__file__).resolve().parent.parent

Loc = faulty.Loc
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
        problems = [
            Problem(str(path), line_of(lines, where), message)
            for where, message in faulty.faults(error, document, model)
        ]
        raise ConfigError(problems) from None


def parse_partly(
    document: Any, lines: Lines, path: Path, model: type[M], left_out: set[Loc]
) -> tuple[M | None, list[Problem]]:
    """Check a document, and what is right of it although something else is wrong.

    Args:
        document: from ``read_yaml``, as are `lines`.
        lines: where its parts stand.
        path: of the file.
        model: what it should be.
        left_out: gets the places of what is wrong, which the result is read without.

    Returns:
        the model, none where too little is right to read one; and every problem.
    """
    try:
        return model.model_validate(document), []
    except ValidationError as error:
        # What lacks something that was left out is not wrong for that.
        problems = [
            Problem(str(path), line_of(lines, where), message)
            for where, message in faulty.faults(error, document, model)
            if not any(lacking[: len(where)] == where for lacking in left_out)
        ]
        rest = copy.deepcopy(document)
        for item in error.errors():
            left_out.add(_remove(rest, faulty.place(item, document)))
    if () in left_out:
        return None, problems
    sound, further = parse_partly(rest, lines, path, model, left_out)
    return sound, [*problems, *further]


def _remove(document: Any, place: Loc) -> Loc:
    """Take away what stands at a place, or the nearest that is there; nothing of it is ()."""
    around = [document]
    for part in place:
        if not isinstance(around[-1], dict) or part not in around[-1]:
            break
        around.append(around[-1][part])
    if len(around) == 1:
        return ()
    depth = len(around) - 1
    del around[-2][place[depth - 1]]
    return place[:depth]


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """The document, and the line of each of its keys and items by path from the root.

    Raises:
        ConfigError: the file cannot be read, or is no YAML; with the line, where there is one.
    """
    lines: Lines = {(): 1}
    loader = None
    try:
        # Composed, as staging composes what files bring, so that a name is one name in both.
        loader = _Loader(unicodedata.normalize("NFC", path.read_text(encoding="utf-8")))
        node = loader.get_single_node()
        if node is None:
            return {}, lines
        _mark(node, (), lines, ())
        return loader.construct_document(node), lines
    except FileNotFoundError:
        raise ConfigError.at(path, None, "this file is missing; restore it or create it") from None
    except UnicodeDecodeError as error:
        raise ConfigError.at(path, None, f"not UTF-8 (byte {error.start}); save it so") from None
    except OSError as error:
        raise ConfigError.at(path, None, f"cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise ConfigError.at(path, line, f"not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError.at(path, None, f"not valid YAML: {error}") from None
    except RecursionError:
        raise ConfigError.at(path, None, "nested too deep to be read") from None
    finally:
        if loader is not None:
            loader.dispose()


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
    """Safe YAML that refuses what YAML itself would drop, or stop at without a line.

    Keys are texts as they are written: a list may be called 17, a country NO.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, AttributeError, LookupError):
            # Such as the date 2026-02-30; PyYAML lets the error of Python pass.
            message = f"{node.value!r} is no {node.tag.rpartition(':')[2]}; put texts into quotes"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys_seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.value in keys_seen:
                message = f"the key {key_node.value!r} stands here twice"
                raise yaml.constructor.ConstructorError(None, None, message, key_node.start_mark)
            keys_seen.add(key_node.value)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep) for key, value in node.value}


def _mark(node: yaml.Node, loc: Loc, lines: Lines, around: tuple[yaml.Node, ...]) -> None:
    if node in around:
        message = "an alias stands within what it names"
        raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
    around = (*around, node)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                message = "a key is one word or text, not a list or a mapping"
                raise yaml.constructor.ConstructorError(None, None, message, key.start_mark)
            position = (*loc, key.value)
            lines[position] = key.start_mark.line + 1
            _mark(value, position, lines, around)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*loc, index)] = value.start_mark.line + 1
            _mark(value, (*loc, index), lines, around)
