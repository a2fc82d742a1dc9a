"""The options by which people choose what is written, checked before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.errors import ConfigError
from pipelines.sync.plan.choice import Choice

if TYPE_CHECKING:
    from pipelines.project import Project

Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="WHO", help="Write only SOURCE:ID or an e-mail address. Repeatable."
    ),
]
OfSource = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="NAME", help="Write only people of this source. Repeatable."),
]
OfObject = Annotated[
    list[str] | None,
    typer.Option(
        "--object", metavar="NAME", help="Write only this object, or one mapping. Repeatable."
    ),
]


def chosen(
    project: Project,
    *,
    only: Sequence[str] | None = None,
    source: Sequence[str] | None = None,
    objects: Sequence[str] | None = None,
) -> Choice:
    """The choice that options make.

    Raises:
        ConfigError: one names no source or object, or neither a row of a source nor an address.
    """
    options = {"only": only or (), "source": source or (), "object": objects or ()}
    choice = Choice.of(options)
    if choice:
        from pipelines.sync.plan.skips import wrong_options

        wrong = wrong_options(choice, project.sources.sources, project.object_mappings)
        if wrong:
            raise ConfigError("\n".join(wrong))
    return choice
