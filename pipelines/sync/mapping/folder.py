"""The folder of mappings: a file is a mapping because it is there, and is known by its stem.

Several files may map one object. Which is written first follows from their look-ups.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from pipelines.config import read_yaml
from pipelines.errors import ConfigError, Problem
from pipelines.nearest import did_you_mean
from pipelines.sync.mapping.idle import idle_keys
from pipelines.sync.mapping.model import ObjectMapping, read_partly, relation
from pipelines.sync.mapping.named_objects import ACCOUNT, ROUTED, USER

NOT_MAPPINGS = ("policies", "sources")
"""Files of the folder that are no mappings."""

LATER = {
    "attributes": "what it declares is not available yet",
    "identity": "its rules cannot be chosen yet; README.md shows those that hold",
}
"""Files that are designed and not read yet: refused, so that nobody relies on one."""

OTHERS = (
    "__init__.py",
    "__pycache__",
    "decisions.csv",
    "mapping.schema.json",
    "org_schema",
    "presets",
)
"""What lies beside the YAML, and what nobody expects to be read."""

_STEM = re.compile(r"[a-z][a-z0-9_]*")
_SIGNS = ("object", "from", "key", "fields")
"""Keys of which a mapping has at least one, however wrong the rest of it is."""


class Mapped(Protocol):
    """A mapping, or its part of a plan."""

    @property
    def stem(self) -> str:
        """Of the mapping's file."""

    @property
    def object(self) -> str:
        """Whose records are written."""


M = TypeVar("M", bound=Mapped)


def read_mappings(
    folder: Path, environ: Mapping[str, str] = os.environ
) -> dict[str, ObjectMapping]:
    """Every mapping of a folder by the stem of its file, in the order in which they are written.

    Raises:
        ConfigError: every problem of every file, each with its line: also a file that is neither a
            mapping nor another one that is known, and look-ups that leave no order of writing.
    """
    mappings, problems = read_what_is_right(folder, environ)
    if problems:
        raise ConfigError(problems)
    return in_order(mappings)


def read_what_is_right(
    folder: Path, environ: Mapping[str, str] = os.environ
) -> tuple[dict[str, ObjectMapping], list[Problem]]:
    """What is right of the mappings by stem, in no order, and every problem of the rest."""
    mappings: dict[str, ObjectMapping] = {}
    problems: list[Problem] = []
    other_files = [f"{stem}.yaml" for stem in NOT_MAPPINGS]
    files = [path for path in sorted(folder.glob("[!.]*.y*ml")) if path.name not in other_files]
    for path in files:
        try:
            mapping, further = _read(path, environ)
        except ConfigError as error:
            problems += error.problems
        else:
            mappings |= {} if mapping is None else {path.stem: mapping}
            problems += further
    problems += _missing(folder, {path.stem for path in files}, mappings.values())
    problems += _two_keys(mappings.values())
    return mappings, problems


def foreign(folder: Path) -> list[Problem]:
    """What lies in the folder and is not read, though somebody put it there.

    YAML is read or refused; notes in Markdown and hidden files are nobody's business.
    """
    ours = (*OTHERS, *(f"{stem.lower()}.yaml" for stem in (*NOT_MAPPINGS, *ROUTED)))
    text = "is none of Causeway's files, and nothing of it is read"
    return [
        Problem(str(path), None, f"{text}{did_you_mean(path.name, ours, listed=False)}")
        for path in sorted(folder.iterdir())
        if path.name not in OTHERS
        and path.suffix not in (".yaml", ".yml", ".md")
        and not path.name.startswith(".")
    ]


def in_order(mappings: Mapping[str, ObjectMapping]) -> dict[str, ObjectMapping]:
    """Whatever is looked up before what looks it up; of those that may come next, by name.

    Raises:
        ConfigError: a mapping looks up records of its own object, or look-ups run in a circle.
    """
    problems = [problem for mapping in mappings.values() for problem in _own_lookups(mapping)]
    if problems:
        raise ConfigError(problems)
    ordered: dict[str, ObjectMapping] = {}
    while len(ordered) < len(mappings):
        waiting = {stem: dependent for stem, dependent in mappings.items() if stem not in ordered}
        ready = [
            stem for stem, dependent in waiting.items() if not any(_needed(dependent, waiting))
        ]
        if not ready:
            raise ConfigError(list(_circle(waiting)))
        ordered[min(ready)] = mappings[min(ready)]
    return ordered


def children_of(
    mappings: Mapping[str, ObjectMapping], parent: ObjectMapping
) -> dict[str, ObjectMapping]:
    """The mappings that look up accounts; nobody else is only there for those who need them."""
    if parent.object != ACCOUNT:
        return {}
    return {
        stem: mapping
        for stem, mapping in mappings.items()
        if parent.object in mapping.lookups().values()
    }


def of_object(mappings: Mapping[str, M], object_name: str) -> list[M]:
    """The mappings of one object, in their order; of a plan, their parts."""
    return [mapping for mapping in mappings.values() if mapping.object == object_name]


def objects_of(mappings: Mapping[str, ObjectMapping]) -> list[str]:
    """The objects that are mapped, each once, in the order of their first mappings."""
    return list(dict.fromkeys(mapping.object for mapping in mappings.values()))


def matching_mappings(mappings: Mapping[str, M], name: str) -> list[M]:
    """The mappings that somebody means by an object's name or by a file's stem, in any case.

    What is spelled as an object means all its mappings; else a stem comes first.
    """
    by_stem = [mapping for stem, mapping in mappings.items() if stem == name.lower()]
    by_object = [
        candidate for candidate in mappings.values() if candidate.object.lower() == name.lower()
    ]
    return of_object(mappings, name) or by_stem or by_object


def named(mappings: Mapping[str, M], name: str) -> list[M]:
    """The mappings that somebody means, see ``matching_mappings``.

    Raises:
        ConfigError: there is none.
    """
    matching = matching_mappings(mappings, name)
    if not matching:
        listed = ", ".join(dict.fromkeys(called(mappings).values()))
        raise ConfigError(f"there is no mapping for {name!r}; known are {listed}")
    return matching


def object_named(mappings: Mapping[str, ObjectMapping], name: str) -> str:
    """The object that somebody means by its name or by the stem of a mapping, in any case."""
    return named(mappings, name)[0].object


def called(mappings: Mapping[str, Mapped]) -> dict[str, str]:
    """Stem → what people read: the object, and where several files map it, which of them."""
    return {
        stem: mapping.object
        if len(of_object(mappings, mapping.object)) == 1
        else f"{mapping.object} ({stem})"
        for stem, mapping in mappings.items()
    }


def matches_sql(mappings: Mapping[str, ObjectMapping], object_name: str) -> str:
    """What stands behind ``from`` for all that matches records of an object: a row per entity.

    Its name in the query is ``org_match_<object>``, whatever the mapping files are called.
    """
    name = relation("org_match", object_name)
    tables = [relation("org_match", mapping.stem) for mapping in of_object(mappings, object_name)]
    if tables == [name]:
        return name
    if len(tables) == 1:
        return f"{tables[0]} as {name}"
    every = " union all by name ".join(f"from {table}" for table in tables)
    return (
        f"(from ({every}) qualify row_number() over"
        f" (partition by entity_key order by sf_id is null, sf_id) = 1) as {name}"
    )


def _read(path: Path, environ: Mapping[str, str]) -> tuple[ObjectMapping | None, list[Problem]]:
    if path.stem in LATER:
        raise ConfigError.at(path, 1, f"{LATER[path.stem]}; remove this file")
    document, _ = read_yaml(path)
    if not isinstance(document, dict) or not any(key in document for key in _SIGNS):
        other_files = ", ".join(f"{stem}.yaml" for stem in NOT_MAPPINGS)
        message = (
            f"is no mapping (it says no object:), and none of {other_files}; move it elsewhere"
        )
        raise ConfigError.at(path, 1, message)
    if path.suffix != ".yaml" or not _STEM.fullmatch(path.stem):
        message = "relations are called by this file: name it in small letters, digits and _, .yaml"
        raise ConfigError.at(path, None, message)
    mapping, problems = read_partly(path, environ)
    if mapping is not None:
        problems += idle_keys(mapping)
    if mapping is not None and mapping.object == USER:
        text = "users are looked up as owners, never written; map another object"
        problems.append(mapping.problem(text, "object"))
    return mapping, problems


def _missing(
    folder: Path, stems: Iterable[str], mappings: Iterable[ObjectMapping]
) -> Iterator[Problem]:
    """Objects that people and accounts become, and no file says how."""
    mapped = {mapping.object for mapping in mappings}
    for name in ROUTED:
        path = folder / f"{name.lower()}.yaml"
        if name not in mapped and path.stem not in stems:
            yield Problem(str(path), None, f"no file maps {name}; restore this one or create it")


def _two_keys(mappings: Iterable[ObjectMapping]) -> Iterator[Problem]:
    """A record is known by one key, whichever mapping writes it."""
    first: dict[str, ObjectMapping] = {}
    for mapping in mappings:
        first_mapping = first.setdefault(mapping.object, mapping)
        if first_mapping.key != mapping.key:
            at = f"{first_mapping.file.name}:{first_mapping.line('key')}"
            text = f"{at} knows records of {mapping.object} by {first_mapping.key}"
            yield mapping.problem(f"{text}; use that field here too", "key")


def _own_lookups(mapping: ObjectMapping) -> Iterator[Problem]:
    for field, object_name in mapping.lookups().items():
        if object_name == mapping.object:
            text = f"{field}: a look-up of {object_name} from {object_name} needs a second pass"
            yield mapping.problem(
                f"{text}, which is not available yet; leave the field out", "fields", field
            )


def _needed(
    mapping: ObjectMapping, mappings: Mapping[str, ObjectMapping]
) -> Iterator[tuple[str, str]]:
    """Each look-up and the stem of a mapping that has to be written before."""
    for field, object_name in mapping.lookups().items():
        yield from ((field, parent.stem) for parent in of_object(mappings, object_name))


def _circle(mappings: Mapping[str, ObjectMapping]) -> Iterator[Problem]:
    """The look-ups of one circle, given mappings that all wait for each other."""
    stem, way = min(mappings), dict[str, tuple[str, str]]()
    while stem not in way:
        way[stem] = min(_needed(mappings[stem], mappings))
        stem = way[stem][1]
    first = stem
    while True:
        field, after = way[stem]
        text = f"{field}: {stem} looks up {after}, and in a circle {after} looks up {stem}"
        yield mappings[stem].problem(
            f"{text}; none of them can be written first, so leave one of the fields out",
            "fields",
            field,
        )
        stem = after
        if stem == first:
            return
