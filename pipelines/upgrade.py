"""A home that an older program made becomes one of this program, before anything of it is read.

Its state is migrated in one transaction while nobody else works on the home; then all that is made
from the state is made anew: the Parquet files that commands read, the relations' schemas and
``causeway.duckdb``. Memos need no word, as they count the program among what things are made from.
``<home>/state/version`` goes before the transaction and comes back after the last file, so that a
kill in between lets the next command do it all once more.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from pipelines import locks
from pipelines.relations import forget, prepare
from pipelines.sync.state import migrations, transaction

if TYPE_CHECKING:
    from pipelines.project import Project


def upgrade(project: Project) -> None:
    """Bring a home up to this program. To be called before any lock of the home is taken.

    Costs a look at one small file where nothing is to do.

    Raises:
        ConfigError: a newer program has written the home.
        Busy: somebody works on it, and did not end in time.
    """
    if _is_current(project):
        return
    with locks.alone(project.home, project.org_name or "local", f"upgrade-{uuid.uuid4()}"):
        if _is_current(project):  # somebody else did it while we waited
            return
        state = project.state
        with (
            project.warehouse.connect() as connection,
            state.opened(connection, report=locks.tell),
        ):
            version = migrations.version_of(connection)
            migrations.refuse_newer(version or 0, str(project.home))
            state.hide_version()
            forget(project)
            if version is not None:  # else its first opening was killed, and the next makes it
                with transaction(connection):
                    migrations.migrate(connection, project.warehouse, version, locks.tell)
        prepare(project)


def _is_current(project: Project) -> bool:
    """Whether all of the home is of our version, or nothing of it is there yet."""
    if not project.state.path.exists():
        return True
    published = project.state.published_version
    migrations.refuse_newer(published or 0, str(project.home))
    return published == migrations.newest()
