"""``causeway org describe`` and ``org switch``: the org that a home is bound to."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.environment import (
    Json,
    choose_home,
    current_project,
    err,
    out,
    print_json,
    readable_path,
)

if TYPE_CHECKING:
    from pipelines.project import Project

Home = Annotated[
    Path | None,
    typer.Option(help="The home it belongs to; one org per home.", show_default=False),
]


def describe(
    home: Home = None,
    save: Annotated[
        bool, typer.Option("--save", help="Write the saved copy beside the mappings.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what the org's fields are otherwise than in the saved copy, or save them.

    With a saved copy, `causeway check` needs no org; commit it together with the mappings.

      causeway org describe            what changed since it was saved
      causeway org describe --save     mappings/org_schema/Contact.json and its siblings
    """
    choose_home(home)
    from pipelines.org import describes
    from pipelines.sync.mapping.fields import org_schema

    project = current_project()
    with project.org() as org:
        folder = project.org_home(org.organization_id) / "describe"
        descriptions = describes.describe(org, folder, project.objects)
        schema = org_schema(row for description in descriptions for row in description.rows)
    before = describes.saved(project.mappings)
    drift = list(describes.drift(before, schema)) if before else []
    written = describes.save(project.mappings, schema) if save else []
    if as_json:
        counts = {name: len(fields) for name, fields in schema.items()}
        print_json({"fields": counts, "drift": drift, "written": written})
        return
    for line in drift:
        out.print(line, markup=False)
    if before is None and not save:
        out.print("There is no saved copy yet; write it with --save.")
    elif not drift:
        out.print("The org's fields are as they were saved." if before else "Saved.")
    for path in written:
        out.print(f"wrote {readable_path(path)}", markup=False)


def switch(
    home: Home = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Bind the home to the org that CAUSEWAY_ORG names, else to the local one.

    Who is who stays. What was read from, planned for and written to the old org, and what it said
    of it, is put aside: nothing of it is shown or used, and it is there again after switching back.

      CAUSEWAY_ORG=uat causeway org switch
    """
    choose_home(home)
    from pipelines import locks
    from pipelines.org.switch import switch as go_over

    project = current_project()
    with project.org() as org:
        facts: dict[str, Any] = {
            "from": project.bound_org,
            "to": org.organization_id,
            "name": org.connection.name,
            "username": org.username,
            "is_sandbox": org.is_sandbox,
        }
    if facts["from"] != facts["to"]:
        if not yes:
            _ask(facts)
        with locks.alone(project.home, project.org_name or "local", f"switch-{uuid.uuid4()}"):
            go_over(project, facts["to"])
    if as_json:
        print_json(facts)
    elif facts["from"] == facts["to"]:
        out.print(f"It is bound to {facts['to']} already.")
    else:
        out.print(f"Bound to {facts['to']}. The next sync reads all of it.")


def bound(project: Project) -> dict[str, Any]:
    """Which org a home is bound to, and how old its mirror is: object → moment."""
    from pipelines.org.mirror import read_manifest
    from pipelines.org.refresh import OVERLAP

    if project.bound_org is None:
        return {"organization_id": None, "read_at": {}}
    mirrors = {name: read_manifest(project.mirror(name)) for name in project.mirrored.values()}
    read = {
        name: (mirror.watermark + OVERLAP).isoformat()
        for name, mirror in mirrors.items()
        if mirror is not None
    }
    return {"organization_id": project.bound_org, "read_at": read}


def _ask(facts: dict[str, Any]) -> None:
    kind = "sandbox" if facts["is_sandbox"] else "production"
    err.print(f"from  {facts['from'] or 'no org yet'}", markup=False)
    to = f"{facts['to']}, {facts['name']}, {kind}, as {facts['username']}"
    err.print(f"to    {to}", markup=False)
    typer.confirm("Go on?", abort=True, err=True)
