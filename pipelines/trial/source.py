"""Which source a file would be: as ``sources.yaml`` names it, or as its header says."""

from __future__ import annotations

import glob
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipelines.errors import ConfigError
from pipelines.nearest import did_you_mean
from pipelines.sources.headers import distinct
from pipelines.sources.inbox import irregular
from pipelines.sources.layout import Layout, layout
from pipelines.sources.lists import ListAs
from pipelines.sources.model import Source
from pipelines.sources.presets import ENTITIES, GENERIC, Entity
from pipelines.sources.readers.archive import is_archive, members
from pipelines.sources.readers.choice import parts
from pipelines.sources.readers.reader import Unreadable
from pipelines.sources.shapes import Unfit, fit

if TYPE_CHECKING:
    from pipelines.project import Project


@dataclass(frozen=True)
class Request:
    """What somebody says of a file that is tried.

    Attributes:
        path: where it lies.
        name: a source of ``sources.yaml`` that it is of.
        entity: what its rows are; by default as its header says.
        list_as: what a contact list becomes; by default as the policy says.
    """

    path: Path
    name: str | None = None
    entity: Entity | None = None
    list_as: ListAs | None = None


@dataclass(frozen=True)
class Chosen:
    """The source that a file is tried as.

    Attributes:
        name: what it is called.
        source: reads this file, and no other.
        layout: of the file; of an archive that of its first file that can be read.
        lines: of ``sources.yaml``, to bring the file in; none where it is declared already.
    """

    name: str
    source: Source
    layout: Layout
    lines: tuple[str, ...] = field(default=())


def chosen(own: Project, request: Request) -> Chosen:
    """The source of a file.

    Raises:
        Unreadable: no source can read it.
        ConfigError: there is no such source, or what is asked is not for its rows.
    """
    path = request.path.resolve()
    if (reason := irregular(path, path.parent)) is not None:
        raise Unreadable(reason)
    found = (
        _declared(own, request, path) if request.name is not None else _known(own, request, path)
    )
    # As a pattern that matches this file alone.
    location = glob.escape(str(path)).replace("{", "[{]")
    changes = {"location": (location,), "enabled": True}
    if request.list_as is not None:
        if found.source.entity != "contacts":
            entity = found.source.entity
            raise ConfigError(f"--as is for contact lists; the rows of this file are {entity}")
        changes["list_as"] = request.list_as
    return replace(found, source=found.source.model_copy(update=changes))


def _declared(own: Project, request: Request, path: Path) -> Chosen:
    sources, name = own.sources.sources, str(request.name)
    if name not in sources:
        raise ConfigError(f"there is no source {name!r}{did_you_mean(name, sources)}")
    source = sources[name]
    if request.entity not in (None, source.entity):
        raise ConfigError(f"--entity {request.entity}: the source {name} has {source.entity}")
    return Chosen(name, source, _layout(path, source))


def _known(own: Project, request: Request, path: Path) -> Chosen:
    """By the header: a known export before the words of any, then what knows most columns."""
    reasons: list[Unreadable] = []
    fitting: list[tuple[Source, Layout]] = []
    candidates = list(_candidates(own, request))
    # Only where no first line fits it is worth to look for a header further down.
    for source in [one for one in candidates if _fits_at_once(path, one)] or candidates:
        try:
            found = _layout(path, source)
        except Unreadable as error:
            reasons.append(error)
        else:
            if source.preset == (GENERIC,) or found.known == len(found.fit.places):
                fitting.append((source, found))
    if not fitting:
        raise reasons[0]
    source, found = max(fitting, key=_preference)
    preset = found.fit.kind.preset
    name = _name(path, own.sources.sources)
    lines = [f"  {name}:", f"    preset: {preset}"]
    if source.presets[preset].entity is None:
        lines.insert(1, f"    entity: {source.entity}")
    if source.entity == "contacts":
        lines.append(f"    as: {request.list_as or own.policies.contacts.as_}")
    return Chosen(name, source.model_copy(update={"preset": (preset,)}), found, tuple(lines))


def _preference(one: tuple[Source, Layout]) -> tuple[bool, int, int]:
    source, found = one
    return found.fit.kind.preset != GENERIC, found.known, -ENTITIES.index(source.entity)


def _candidates(own: Project, request: Request) -> Iterator[Source]:
    """A source that reads any file, for each kind of rows; and those that bear no signature."""
    known = own.sources.own_presets
    entities = ENTITIES if request.entity is None else (request.entity,)
    for entity in entities:
        yield Source(entity=entity).knows(known)
    for name, preset in Source(entity="contacts").knows(known).presets.items():
        unsigned = not any(shape.signature for shape in preset.shapes)
        if name != GENERIC and unsigned and preset.entity in entities:
            yield Source(entity=preset.entity, preset=(name,)).knows(known)


def _fits_at_once(path: Path, source: Source) -> bool:
    if is_archive(path):
        return False
    for part in parts(path, source):
        with suppress(Unreadable, Unfit):
            fit(distinct(part.header()), source)
            return True
    return False


def _layout(path: Path, source: Source) -> Layout:
    if not is_archive(path):
        return layout(parts(path, source), source)
    reason = Unreadable("the archive holds no file that can be read")
    for _, member in members(path):
        try:
            # A member is opened and named as a file is, and that is all that readers do with one.
            return layout(parts(cast(Path, member), source), source)
        except Unreadable as error:
            reason = error
    raise reason


def _name(path: Path, taken: Collection[str]) -> str:
    """A name for the source, made of the file's; sources are called in small letters and digits."""
    stem = path.name.partition(".")[0].lower()
    words = "_".join(re.findall(r"[a-z0-9]+", stem)) or "my_list"
    words = re.sub(r"(_?\d{2,})+$", "", words) or words  # the day is no part of it
    name, number = words, 2
    while name in taken:
        name, number = f"{words}_{number}", number + 1
    return name
