"""What the org's own automation changes after we have read back: it counts as stored, not as drift.

A flow or a trigger may take its time. When a record changes between two readings, our user was
the last to touch it both times, and a value of ours stood as we knew it, then nobody but the
org's automation has changed it. The ledger takes note, so that the next plan does not write it
again, for ever, and the proof of the plan that wrote it names the field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.apply.proofs import add_later
from pipelines.batch import Batch
from pipelines.org import describes
from pipelines.sync import ledger
from pipelines.sync.automation import later_sql
from pipelines.sync.ledger import Ledger
from pipelines.sync.mapping.addresses import fit
from pipelines.sync.mapping.folder import of_object
from pipelines.warehouse import parquet_sql

if TYPE_CHECKING:
    from pipelines.org.mirror import Manifest
    from pipelines.org.refresh import Refreshed
    from pipelines.project import Project


def notice(
    project: Project, object_name: str, before: Manifest | None, refreshed: Refreshed
) -> int:
    """Let the ledger know what the org's automation did between two readings of one object.

    Args:
        project: whose ledger.
        object_name: one that has a mapping; others have no ledger.
        before: the mirror as it was before the reading; none on the first.
        refreshed: what the reading found.

    Returns:
        how many values the org changed. None are found after a full read, nor when the mirror was
        folded meanwhile: what changed then stays a difference, which a plan shows and by default
        keeps.
    """
    own = {mapping.stem: mapping for mapping in of_object(project.object_mappings, object_name)}
    if not own or before is None or refreshed.full or not refreshed.records:
        return 0
    home = project.org_home(refreshed.mirror.organization_id)
    book = Ledger.of(home, object_name)
    if not book.segments() or not all(before.path(file).exists() for file in before.files):
        return 0
    fields = describes.last_described(home / "describe", object_name)
    mappings = fit(own, {object_name: fields}).values()
    schema = {
        name: fields[name] for mapping in mappings for name in mapping.enabled() if name in fields
    }
    key = next(iter(mappings)).key
    with Batch.none_of(project).connect() as connection:
        connection.execute(f"create temp view after as {_delta_sql(refreshed)}")
        connection.execute(f"create temp table before as {_before_sql(before)}")
        connection.execute(f'create temp table keys as select "{key}" as key from after')
        query = later_sql(schema, key, entries=book.sql("keys"), user_id=refreshed.mirror.user_id)
        connection.execute(f"create temp table later as {query}")
        ledger.correct(connection, book, "later")
        add_later(project, connection, object_name, refreshed.mirror.user_id)
        [(count,)] = connection.execute("select count(*) from later").fetchall()
    return int(count)


def _delta_sql(refreshed: Refreshed) -> str:
    return f"select * from {parquet_sql(refreshed.delta)}"


def _before_sql(before: Manifest) -> str:
    return f'select * from ({before.view_sql()}) semi join after using ("Id")'
