"""Whom the choice of a run means, found among the people of its batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.batch import Batch
from pipelines.errors import ConfigError
from pipelines.nearest import alike_sql, did_you_mean
from pipelines.sync.layout import table_sql
from pipelines.sync.mapping.model import relation
from pipelines.sync.plan.skips import (
    CHOSEN,
    MATCHES,
    SOUGHT,
    chosen_sql,
    matches_sql,
    skips_sql,
    sought_sql,
)
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.sync.mapping.model import ObjectMapping
    from pipelines.sync.plan.choice import Choice


def check_somebody(batch: Batch) -> None:
    """Make sure that each ``--only`` of the run means somebody of its batch.

    Raises:
        ConfigError: every one that means nobody, with what is near and where else it came from.
    """
    choice = batch.project.choice
    if not choice.people:
        return
    with batch.connect() as connection, batch.project.state.attach(connection):
        _bind_matches(batch, connection, choice)
        unmatched = connection.execute(_unmatched_sql()).fetchall()
        texts = [
            f"--only {text}: {_nobody(batch, connection, *named)}" for text, *named in unmatched
        ]
    if texts:
        raise ConfigError("\n".join([*texts, "Nothing was written."]))


def bind_skips(batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping) -> None:
    """Make ``skips_<mapping>``: whom the choice of the run leaves out; of a plain run nobody."""
    choice = batch.project.choice
    if choice.people or choice.sources:
        _bind_matches(batch, connection, choice)
        batch.bind_table(connection, "account_links")
        connection.execute(table_sql(CHOSEN, chosen_sql(choice)))
    query = skips_sql(choice, mapping, batch.mappings)
    connection.execute(table_sql(relation("skips", mapping.stem), query))


def keys_of(batch: Batch, connection: DuckDBPyConnection, choice: Choice) -> list[str]:
    """The keys of all whom a choice of people means among those of a batch, and their accounts'.

    Raises:
        ConfigError: it means nobody.
    """
    _bind_matches(batch, connection, choice)
    batch.bind_table(connection, "account_links")
    keys = [key for [key] in connection.execute(chosen_sql(choice)).fetchall()]
    if not keys:
        raise ConfigError(f"nobody of batch {batch.day} is meant by{choice.options}")
    return keys


def _bind_matches(batch: Batch, connection: DuckDBPyConnection, choice: Choice) -> None:
    """Make the tables ``sought`` and ``matches``."""
    batch.bind_table(connection, "person_links")
    days = connection.execute("select distinct batch from person_links").fetchall()
    batch.project.warehouse.bind(connection, "person_records", [day for [day] in days])
    connection.execute(table_sql(SOUGHT, sought_sql(choice.people)))
    connection.execute(table_sql(MATCHES, matches_sql()))


def _nobody(
    batch: Batch,
    connection: DuckDBPyConnection,
    source: str | None,
    source_id: str | None,
    email: str | None,
) -> str:
    """Why an option means nobody: another batch brought the row, or it is spelled otherwise."""
    by_id = source is not None
    what = f"no valid row of {source} with the id {source_id!r}" if by_id else f"no {email!r}"
    query, values = (_days_of_id_sql(), [source, source_id]) if by_id else (_days_sql(), [email])
    [(day,)] = connection.execute(query, values).fetchall()
    where = f"there is {what} in batch {batch.day}"
    if day is not None:
        return f"{where}, but in batch {day}: choose that by --batch {day}"
    query = _ids_sql(source) if source is not None else _EMAILS
    word = source_id if source is not None else email
    alike = [one for [one] in connection.execute(alike_sql(query), [word]).fetchall()]
    return f"{where}{did_you_mean(word or '', alike)}"


def _unmatched_sql() -> str:
    return (
        f"select text, source, source_id, email from {SOUGHT} anti join {MATCHES} using (text)"
        " order by text"
    )


def _days_of_id_sql() -> str:
    return "select max(batch) from state.record where record = record_key($1, $2)"


def _days_sql() -> str:
    return "select max(batch) from state.record_key where key = record_key('email', $1)"


def _ids_sql(source: str) -> str:
    return f"select source_id from person_links where source = {literal(source)}"


_EMAILS = """
    select records.email
    from person_links as links
    join person_records as records
        on records.record = links.record and records.batch = links.batch
    where records.email is not null
"""
