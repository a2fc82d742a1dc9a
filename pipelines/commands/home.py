"""``causeway home``: the folder of all data and state itself."""

from __future__ import annotations

import typer

from pipelines.commands.environment import Json, current_project, out, print_json, readable_path
from pipelines.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="The folder of all data and state.")


@app.callback()
def home() -> None:
    """The folder of all data and state."""


@app.command()
def secure(as_json: Json = False) -> None:
    """Let nobody but its owner read the home, or with `home.share: group` the group, too.

    A new home is made so; this is for one that is older, or that was copied. Its inbox keeps the
    rights it has, but others reach it through the home no more: where they put files into it, let
    CAUSEWAY_INBOX name a folder elsewhere.

      causeway home secure
    """
    from pipelines.rights import secure as secure_home

    project = current_project()
    if not project.state.path.exists():
        raise ConfigError.at(project.home, None, "no home of Causeway; nothing was changed")
    changed = secure_home(project)
    if as_json:
        print_json({"home": str(project.home), "changed": changed})
    elif changed:
        out.print(
            f"{changed:,} files and folders changed in {readable_path(project.home)}", markup=False
        )
    else:
        out.print(f"All well: {readable_path(project.home)}", markup=False)
