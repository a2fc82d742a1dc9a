"""``causeway release``: let the next sync write again what was undone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.environment import OBJECT, Json, command, current_project, out, print_json
from pipelines.commands.undo import org_lock

if TYPE_CHECKING:
    from pipelines.project import Project
    from pipelines.undo.released import Release


def release(
    object_name: Annotated[
        str | None,
        typer.Argument(metavar="[OBJECT", help=f"{OBJECT} By default all."),
    ] = None,
    record: Annotated[
        str | None, typer.Argument(metavar="[RECORD]]", help="Its Id, e-mail address, key or name.")
    ] = None,
    *,
    field: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this field of them.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Show what stays undone, and change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let the next sync write again what was undone.

    What was undone stays so until its source value changes. This ends that: for everything, for
    one object, for one record, or for one field.

      causeway release                                        everything
      causeway release --list                                 what stays undone
      causeway release Contact oscar.vandenberg@acme.example  one record
      causeway release Contact --field Title                  one field of all of them
    """
    from pipelines.undo.released import release as release_it
    from pipelines.undo.released import undone

    project = current_project()
    if listed:
        _list(undone(project), as_json=as_json)
        return
    which = _which(project, object_name, record, field)
    with org_lock(project):
        count = release_it(project, which)
    if as_json:
        print_json({"released": count})
    elif count:
        out.print(f"{count:,} values and records released; the next sync writes them again.")
    else:
        out.print(f"Nothing was released: `{command()} release --list` shows what stays undone.")


def _which(
    project: Project, object_name: str | None, record: str | None, field: str | None
) -> Release:
    from pipelines.sync.mapping.folder import object_named
    from pipelines.undo.released import Release

    if object_name is None:
        return Release(field=field)
    name = object_named(project.object_mappings, object_name)
    if record is None:
        return Release(name, None, field)
    from pipelines.explain.find import find

    return Release(name, find(project, name, record).key, field)


def _list(undone_values: list[tuple[str, str, str | None, str]], *, as_json: bool) -> None:
    if as_json:
        names = ("object", "key", "field", "undo")
        print_json([dict(zip(names, row, strict=True)) for row in undone_values])
        return
    if not undone_values:
        out.print("Nothing stays undone.")
    counts = Counter(
        (object_name, field or "the record") for object_name, _, field, _ in undone_values
    )
    for (object_name, scope), count in sorted(counts.items()):
        out.print(f"{count:>7,}  {object_name}  {scope}", markup=False)
