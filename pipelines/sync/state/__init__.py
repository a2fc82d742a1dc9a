"""What outlives a batch: ``state.duckdb``, one writer, short transactions.

Nobody but the pipeline opens this file. What others may see of it is published as Parquet below
``<home>/state/`` after each commit, and rebuilt when a crash left it older than the state.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import Busy, ConfigError
from pipelines.files import Damaged, read_text, write
from pipelines.sync.state import migrations
from pipelines.warehouse import Warehouse, literal, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BOUND = "organization"
"""The file of a home that holds the Id of its org."""

ORGANIZATION_ID = re.compile(r"00D[0-9A-Za-z]{12}(?:[0-9A-Za-z]{3})?")

TABLES = ("record", "member", "person", "account_member", "account", "outcome", "sent")
"""What others may see of the state."""

PUBLISHED = {
    "member": """
        select member.record, person_spelling(member.person, person.spelling) as person_key,
            member.rule, member.via, member.component
        from state.member as member
        left join state.person as person on person.person = member.person
    """,
    "person": """
        select person_spelling(person.person, person.spelling) as person_key, person.founder,
            person.minted, person_spelling(survivor.person, survivor.spelling) as alias_of,
            person.batch, person_spelling(whole.person, whole.spelling) as split_from
        from state.person as person
        left join state.person as survivor on survivor.person = person.alias_of
        left join state.person as whole on whole.person = person.split_from
    """,
    "account_member": """
        select person_spelling(member.person, person.spelling) as person_key,
            account_spelling(member.account, account.spelling) as account_key,
            member.rule, member.name
        from state.account_member as member
        left join state.person as person on person.person = member.person
        left join state.account as account on account.account = member.account
    """,
    "account": """
        select account_spelling(account.account, account.spelling) as account_key, account.batch,
            account_spelling(survivor.account, survivor.spelling) as alias_of
        from state.account as account
        left join state.account as survivor on survivor.account = account.alias_of
    """,
}
"""Tables whose keys are spelled for others; the state itself knows them as numbers."""


@dataclass(frozen=True)
class State:
    """The cumulative state of one home."""

    warehouse: Warehouse

    @property
    def path(self) -> Path:
        """The database file; only ever opened through ``attach``."""
        return self.warehouse.home / "state.duckdb"

    @property
    def organization(self) -> str | None:
        """Id of the organization that the home is bound to; none before its first snapshot."""
        path = self.warehouse.home / BOUND
        if not path.exists():
            return None
        organization = read_text(path)
        if not ORGANIZATION_ID.fullmatch(organization):
            raise Damaged(path, f"no Id of an org: {organization[:80]!r}")
        return organization

    @contextmanager
    def attach(
        self,
        connection: DuckDBPyConnection,
        *,
        report: Callable[[str], None] = lambda text: print(text, file=sys.stderr),
        patience: float = 60.0,
    ) -> Iterator[None]:
        """Attach the state as ``state``, with all of its tables, in the version that we know.

        The view ``known_outcomes`` shows what the org said to which the home is bound.

        Raises:
            Busy: another process held the file for ``patience`` seconds.
            ConfigError: it is of a newer version, or of one that was not brought up to ours yet.
        """
        with self.opened(connection, report=report, patience=patience):
            self._make_or_refuse(connection)
            connection.execute(sql("state/known_outcomes"))
            yield

    @contextmanager
    def opened(
        self,
        connection: DuckDBPyConnection,
        *,
        report: Callable[[str], None],
        patience: float = 60.0,
    ) -> Iterator[None]:
        """Attach the state whatever its version, and detach it in any case: no lock leaks."""
        import duckdb

        self.path.parent.mkdir(parents=True, exist_ok=True)
        started = reported_at = time.monotonic()
        while True:
            try:
                connection.execute(f"attach {literal(self.path)} as state")
                break
            except duckdb.IOException as error:
                if "lock" not in str(error):
                    raise
                moment = time.monotonic()
                if moment - started > patience:
                    raise Busy(
                        f"{self.path} is open elsewhere for more than {patience:.0f} s: {error}."
                        " Close that program (people read causeway.duckdb instead) and run again."
                    ) from None
                if moment - reported_at > 5:
                    reported_at = moment
                    report(f"waiting for {self.path.name}: {error}")
                time.sleep(0.1)
        try:
            connection.execute("set variable organization = $1", [self.organization])
            yield
        finally:
            connection.execute("detach state")

    def _make_or_refuse(self, connection: DuckDBPyConnection) -> None:
        version, newest = migrations.version_of(connection), migrations.newest()
        if version is None:
            with transaction(connection):
                connection.execute(sql("state/tables"))
                migrations.write_version(connection, newest)
        elif version != newest:
            migrations.refuse_newer(version, str(self.path))
            raise ConfigError(
                f"{self.path} is of version {version}, and this Causeway reads version {newest};"
                " `causeway status` brings it there"
            )

    @property
    def published_version(self) -> int | None:
        """Of which version everything is that was made from the state; none while it is made."""
        text = read_text(self._version_file) if self._version_file.exists() else ""
        return int(text) if text.isdecimal() else None

    def show_version(self) -> None:
        """Say that all that is made from the state has been made, from this version of it."""
        write(self._version_file, str(migrations.newest()))

    def hide_version(self) -> None:
        """Say that what was made from the state may not be read."""
        self._version_file.unlink(missing_ok=True)

    @property
    def _version_file(self) -> Path:
        return self.warehouse.home / "state" / "version"

    def published(self, table: str) -> Path:
        """Where a table of the state can be read by anybody."""
        return self.warehouse.home / "state" / f"{table}.parquet"

    def publish(self, connection: DuckDBPyConnection, *tables: str) -> None:
        """Write tables of the attached state as Parquet, whole or not at all.

        A table that says what its file says already is left alone, so that what is made from it
        need not be made again.
        """
        for table in tables or TABLES:
            path = self.published(table)
            [(content,)] = connection.execute(_content_sql(table)).fetchall()
            content_file = path.with_suffix(".content")
            if path.exists() and content_file.exists() and read_text(content_file) == content:
                continue
            content_file.unlink(missing_ok=True)
            write_parquet(connection, PUBLISHED.get(table, f"from state.{table}"), path)
            write(content_file, content)


def _content_sql(table: str) -> str:
    """A digest of a table's rows in whatever order; its columns are part of it."""
    return f"""
        select concat_ws(
            ' ', (select string_agg(column_name) from (describe state.{table})),
            count(*), sum(hash(whole_row)::hugeint)
        )
        from state.{table} as whole_row  -- a column may be called as its table is
    """


@contextmanager
def transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    """All or nothing."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def sql(name: str) -> str:
    """The text of a ``.sql`` file of the core, such as ``identity/links``."""
    return files("pipelines.sync").joinpath(f"{name}.sql").read_text(encoding="utf-8")
