"""What is known of an org's fields without asking it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.config import PROJECT
from pipelines.memo import version
from pipelines.org import describes
from pipelines.sync.mapping.fields import schema_rows
from pipelines.sync.mapping.places import Listed, listed, together

if TYPE_CHECKING:
    from pipelines.project import Project

CATALOG = PROJECT / "pipelines" / "local_org" / "catalog"

VERSION = "64.0"
"""The API version that the catalog answers in; no field depends on it."""


Read = tuple[list[dict[str, Any]], Listed]
"""The rows of ``org_schema``, and the countries and states that the picklists of addresses list."""


@dataclass(frozen=True)
class OrgFields:
    """The fields of an org.

    Attributes:
        origin: how they are known, in words.
        files: what they are read from.
        read: reads them.
    """

    origin: str
    files: tuple[Path, ...]
    read: Callable[[], Read]

    @property
    def digest(self) -> str:
        """Another one where they may be others."""
        return f"{self.origin} {' '.join(map(version, self.files))}"


def org_fields(project: Project) -> OrgFields:
    """As the org of the home said last, else as the saved copy has them, else as new orgs do."""
    objects, catalog = project.objects, tuple(sorted(CATALOG.glob("*.*")))
    if project.bound_org is not None:
        folder = project.org_home(project.bound_org) / "describe"
        files = tuple(folder / f"{name}.json" for name in objects)
        if all(file.exists() for file in files):
            origin = f"as the org {project.bound_org} said last"
            return OrgFields(origin, files, lambda: _described(folder, objects))
    files = tuple(project.mappings / describes.SAVED / f"{name}.json" for name in objects)
    if all(file.exists() for file in files):
        origin = "as the copy beside the mappings has them"
        return OrgFields(origin, (*files, *catalog), lambda: _saved(project))
    return OrgFields("as a new org has them", catalog, lambda: _new(project))


def _described(folder: Path, objects: Iterable[str]) -> Read:
    known = [one for name in objects if (one := describes.last(folder, name)) is not None]
    rows = [row for one in known for row in one.rows]
    return rows, together(Listed(**one.places) for one in known)


def _saved(project: Project) -> Read:
    saved = describes.saved(project.mappings) or {}
    rows = [vars(field) for name in project.objects for field in saved[name].values()]
    return rows, _places(_standard(project.objects))


def _new(project: Project) -> Read:
    standard = list(_standard(project.objects))
    rows = [row for document in standard for row in schema_rows(document)]
    rows += [_key_row(name, key) for name, key in project.keys.items()]
    return rows, _places(standard)


def _standard(objects: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The describes of a new local org, of the objects that it knows."""
    from pipelines.local_org.catalog.describe import describe
    from pipelines.local_org.catalog.load import TEMPLATE, load_catalog
    from pipelines.local_org.catalog.setup_file import read_setup

    catalog = load_catalog(read_setup(TEMPLATE))
    for name in objects:
        if (sobject := catalog.get(name)) is not None:
            yield describe(catalog, sobject, VERSION, [])


def _places(documents: Iterable[dict[str, Any]]) -> Listed:
    return together(listed([document]) for document in documents)


def _key_row(object_name: str, key: str) -> dict[str, Any]:
    """The External Id field as ``causeway org setup`` makes it."""
    from pipelines.org.setup import KEY_LENGTH
    from pipelines.sync.mapping.fields import Field

    return vars(
        Field(
            object_name, key, "Causeway Key", "string", KEY_LENGTH,
            unique=True, external_id=True, id_lookup=True,
        )
    )  # fmt: skip
