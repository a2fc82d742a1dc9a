"""What pydantic says of a document that does not fit its model, as people who wrote it read it."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pipelines.nearest import did_you_mean

Loc = tuple[str | int, ...]
"""A place in a document: keys and indices from its root."""

_WHOLE = frozenset({"model_type", "dict_type", "tuple_type", "list_type"})
_TYPES = re.compile(r"Input should be (?:a |an )?valid (.+)")


def faults(
    error: ValidationError, document: Any, model: type[BaseModel]
) -> Iterator[tuple[Loc, str]]:
    """Each fault once: where it stands, and what it is.

    Of a value that may be one of several things, pydantic tells why it is none of each; what is
    told here goes by the form in which it was written.
    """
    choices: dict[Loc, list[Any]] = {}
    for item in error.errors():
        choices.setdefault(place(item, document)[: _fork(item, document)], []).append(item)
    for items in choices.values():
        fitting = [item for item in items if _is_of_the_form(item)] or items
        if len({place(item, document) for item in fitting}) == 1 and len(fitting) > 1:
            yield place(fitting[0], document), _either(fitting, document)
        else:
            for item in fitting:
                yield place(item, document), _message(item, document, model)


def place(item: Any, document: Any) -> Loc:
    """Where in a document an error of pydantic stands, without the names of its types."""
    return tuple(part for part, is_written in _steps(item, document) if is_written)


def keys_at(model: type[BaseModel], where: Loc) -> list[str]:
    """The keys that may stand at a place of a document of ``model``."""
    annotations: list[Any] = [model]
    for part in where:
        annotations = [below for one in _flat(annotations) for below in _below(one, part)]
    return [
        field.alias or name
        for one in _flat(annotations)
        if _is_model(one)
        for name, field in one.model_fields.items()
    ]


def _steps(item: Any, document: Any) -> Iterator[tuple[str | int, bool]]:
    """The parts of an error's place, and whether they are written, or name a type."""
    node, last = document, len(item["loc"]) - 1
    for at, part in enumerate(item["loc"]):
        is_written = _holds(node, part)
        node = node[part] if is_written else node
        yield part, is_written or (at == last and item["type"] == "missing")


def _holds(node: Any, part: str | int) -> bool:
    if isinstance(node, dict):
        return part in node
    return isinstance(node, list | tuple) and isinstance(part, int) and part < len(node)


def _fork(item: Any, document: Any) -> int | None:
    """How deep the value stands of which several things were tried; none where none was."""
    for at, (_, is_written) in enumerate(_steps(item, document)):
        if not is_written:
            return at
    return None


def _is_of_the_form(item: Any) -> bool:
    """Whether an error speaks of the form that the value has: a mapping, a list or one value."""
    kind, value = str(item["type"]), item["input"]
    if isinstance(value, dict | list | tuple):
        return kind in ("missing", "extra_forbidden", "value_error", "too_short") or (
            kind == "dict_type" and not isinstance(value, dict)
        )
    return kind not in _WHOLE


def _either(items: Iterable[Any], document: Any) -> str:
    found = [_TYPES.fullmatch(item["msg"]) for item in items]
    listed = " or ".join(match[1] for match in found if match)
    first = next(iter(items))
    if not all(found):
        return _message(first, document, BaseModel)
    return f"{_name(first, document)}: this should be one value: a {listed}"


def _message(item: Any, document: Any, model: type[BaseModel]) -> str:
    where = place(item, document)
    if item["type"] == "extra_forbidden":
        key = str(item["loc"][-1])
        hint = did_you_mean(key, keys_at(model, where[:-1]), listed=False)
        return f"unknown key {key!r}{hint}"
    if item["type"] == "missing":
        return f"the key {item['loc'][-1]!r} is missing"
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "literal_error":
        values = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        message += did_you_mean(str(item["input"]), values, listed=False)
    elif item["type"] == "model_type":
        message = f"this should be a mapping of keys and values, not {item['input']!r}"
    return f"{_name(item, document)}: {message}".removeprefix(": ")


def _name(item: Any, document: Any) -> str:
    return ".".join(map(str, place(item, document)))


def _flat(annotations: Iterable[Any]) -> Iterator[Any]:
    """The types that an annotation lets stand at its place."""
    for one in annotations:
        if get_origin(one) is Annotated:
            yield from _flat(get_args(one)[:1])
        elif get_origin(one) in (Union, types.UnionType):
            yield from _flat(get_args(one))
        else:
            yield one


def _below(annotation: Any, part: str | int) -> Iterator[Any]:
    if _is_model(annotation):
        for name, field in annotation.model_fields.items():
            if part in (field.alias, name):
                yield field.annotation
    elif isinstance(get_origin(annotation), type):
        arguments = get_args(annotation)
        is_mapping = issubclass(get_origin(annotation), Mapping)
        yield from arguments[1:2] if is_mapping else arguments[:1]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
