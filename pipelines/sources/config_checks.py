"""What the keys of ``sources.yaml`` must be to each other: every problem, each with its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pipelines.config import Lines, line_of
from pipelines.errors import Problem
from pipelines.nearest import did_you_mean
from pipelines.sources.consent import NAMED
from pipelines.sources.headers import squeeze
from pipelines.sources.model import GROUPED, PARENT_COLUMNS, Source
from pipelines.sources.presets import ENTITIES, RELATIONS
from pipelines.sources.relations import JUDGED, RAW
from pipelines.sources.words import read

Finding = tuple[tuple[str | int, ...], str]  # where below the source, and what is wrong there


def check_sources(
    sources: Mapping[str, Source], names: Iterable[str], lines: Lines, path: Path
) -> list[Problem]:
    """Problems of the sources that could be read; ``names`` are all that the file declares."""
    declared = set(names)
    problems = []
    for name, source in sources.items():
        for loc, message in _source(name, source, sources, declared):
            line = line_of(lines, ("sources", name, *loc))
            problems.append(Problem(str(path), line, f"{name}: {message}"))
    return problems


def _source(
    name: str, source: Source, sources: Mapping[str, Source], declared: set[str]
) -> Iterator[Finding]:
    if not name.replace("_", "").replace("-", "").isalnum() or name != name.lower():
        yield (), "a source's name is a folder's name: small letters, digits, _ and -"
    unknown = [preset for preset in source.preset if preset not in source.presets]
    for preset in unknown:
        yield ("preset",), f"there is no preset {preset!r}{did_you_mean(preset, source.presets)}"
    if not unknown:
        yield from _entity(source)
        yield from _columns(source)
        yield from _ids(source)
        yield from _on_bad(source)
    yield from _parent(name, source, sources, declared)
    yield from _location(source)
    if source.entity != "contacts":
        settings = {"as": source.list_as, "lists": source.lists, "account": source.account}
        for key in (key for key, value in settings.items() if value):
            yield (key,), f"{key!r} is for contact lists; this source has {source.entity}"
        if source.select and source.select.lists:
            reason = f"'lists' is for contact lists; this source has {source.entity}: name ids"
            yield ("select", "lists"), reason
    if source.groups and source.entity not in GROUPED:
        yield ("groups",), f"'groups' is for customers and orders; this source has {source.entity}"


def _entity(source: Source) -> Iterator[Finding]:
    if not source.preset:
        yield ("preset",), "name at least one preset"
    for name in source.preset:
        preset = source.presets[name]
        if preset.entity is None and "entity" not in source.model_fields_set:
            named = f"the preset {name!r}" if source.model_fields_set & {"preset"} else "a source"
            yield ("preset",), f"{named} needs an entity: {', '.join(ENTITIES)}"
        elif preset.entity not in (None, source.entity):
            yield ("entity",), f"the preset {name!r} brings {preset.entity}, not {source.entity}"


def _columns(source: Source) -> Iterator[Finding]:
    raw = _raw(source)
    headers: dict[str, str] = {}
    for header, entry in source.columns.items():
        column = entry.column
        if column is None and entry.secret is None:
            yield ("columns", header), f"say of {header!r} which column it is, or whether a secret"
        elif column is not None and source.withholds(header):
            advice = "remove this line, or add 'secret: false'"
            yield ("columns", header), f"{header!r} is a secret and never lands; {advice}"
        elif column is not None and column not in (*raw, *NAMED):
            known = [*raw, *NAMED]
            yield ("columns", header), f"there is no column {column!r}{did_you_mean(column, known)}"
        if (first := headers.setdefault(squeeze(header), header)) != header:
            yield ("columns", header), f"{header!r} and {first!r} are the same header"
    for column in source.constants:
        if column not in raw:
            yield ("constants", column), f"there is no column {column!r}{did_you_mean(column, raw)}"
        elif column in source.named.values():
            yield ("constants", column), f"{column!r} comes from a header already, in 'columns'"


def _ids(source: Source) -> Iterator[Finding]:
    shapes = source.shapes()
    spelled = {squeeze(header) for shape in shapes for header in shape.columns}
    worded = any(shape.words for shape in shapes)
    columns = _raw(source)
    for index, name in enumerate(source.ids):
        if name not in columns and squeeze(name) not in spelled and not (worded and read(name)):
            hint = "name it in 'columns' too, so that it is known"
            yield ("ids", index), f"no preset of this source knows {name!r}; {hint}"


def _on_bad(source: Source) -> Iterator[Finding]:
    judged = sorted({name for relation in RELATIONS[source.entity] for name in JUDGED[relation]})
    for column in source.on_bad:
        if column not in judged:
            reason = f"no rule finds a value of {column!r} bad{did_you_mean(column, judged)}"
            yield ("on_bad", column), f"{reason}; there are rules of {', '.join(judged)}"


def _parent(
    name: str, source: Source, sources: Mapping[str, Source], declared: set[str]
) -> Iterator[Finding]:
    if source.parent is None:
        return
    parent = source.parent.source
    entity = "contacts" if source.entity == "contacts" else "customers"
    if source.entity not in PARENT_COLUMNS:
        yield ("parent",), "customers have no parent; only contacts, subscribers and orders do"
    elif parent == name:
        yield ("parent", "source"), "a source cannot be its own parent"
    elif parent not in declared:
        yield ("parent", "source"), f"there is no source {parent!r}{did_you_mean(parent, declared)}"
    elif parent in sources and sources[parent].entity != entity:
        yield ("parent", "source"), f"{parent!r} has {sources[parent].entity}, not {entity}"
    elif parent in sources and sources[parent].parent is not None:
        yield ("parent", "source"), f"{parent!r} has a parent itself; name that one"


def _location(source: Source) -> Iterator[Finding]:
    for index, pattern in enumerate(source.location):
        scheme, is_address, _ = pattern.partition("://")
        if is_address:
            advice = "only files are read so far: let them be copied into the inbox"
            yield ("location", index), f"{scheme}:// is not available yet; {advice}"
        elif "{day}" not in pattern:
            advice = "say where the day stands, as in exports/{day}/*.csv"
            yield ("location", index), f"{pattern!r} does not tell one batch from another; {advice}"


def _raw(source: Source) -> list[str]:
    return sorted({column for relation in RELATIONS[source.entity] for column in RAW[relation]})
