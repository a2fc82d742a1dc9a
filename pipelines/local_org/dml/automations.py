"""What the org does to records that were saved: gives them owners, sets fields, now or later.

What is to happen later is kept in the store, in the transaction of the write itself, and done by a
thread of its own; so an automation is done exactly once, whenever the process ends.
"""

import datetime as dt
import logging
import threading
from dataclasses import replace

import duckdb

from pipelines.local_org.catalog.setup import AutomationSetup
from pipelines.local_org.dml.orgrules import OrgRules, WriteOptions
from pipelines.local_org.dml.request import WriteRequest
from pipelines.local_org.ids import to18
from pipelines.local_org.moments import now
from pipelines.local_org.store.history import doing, update
from pipelines.local_org.store.store import Store

LOOK_SECONDS = 0.2
log = logging.getLogger(__name__)


def automate(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    rules: OrgRules,
    request: WriteRequest,
    options: WriteOptions,
    user: str,
) -> None:
    """Assign owners and set fields of the rows of `work` that were written, now or later."""
    sobject = request.sobject
    assignment = rules.assignment(sobject, _with_rule_name(connection, options))
    if assignment is not None and "OwnerId" not in request.by_field:
        with doing("Assignment rule"):
            update(store, assignment, "update", user)
    for automation in rules.automations(sobject):
        if automation.after_seconds:
            connection.execute(
                "insert into org.later select ?, _n, _created, ?, ? from work where _error is null",
                [automation.name, user, _moment() + dt.timedelta(seconds=automation.after_seconds)],
            )
        else:
            written_sql = (
                "(select _n as record_number, _created as is_new from work where _error is null) w"
            )
            _run(store, rules, automation, written_sql, user)


class Later:
    """Does what automations put off, also what an earlier process left undone."""

    def __init__(self, store: Store, rules: OrgRules) -> None:
        self._store, self._rules = store, rules
        self._stopping = threading.Event()
        self._delayed = {a.name: a for a in rules.delayed()}
        self._thread = threading.Thread(target=self._work, name="later", daemon=True)
        self._forget_unknown()
        if self._delayed:
            self._thread.start()

    def close(self) -> None:
        """End the thread; what is left is done after the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self._run_due()
            except duckdb.Error:
                # An expression that fails on some value must not end the other automations.
                log.exception("an automation failed; its records stay as they are")
                with self._store.write() as connection:
                    connection.execute("delete from org.later where due <= ?", [_moment()])

    def _run_due(self) -> None:
        moment = _moment()
        with self._store.read() as connection:
            due = connection.execute(
                "select distinct automation, user_id from org.later where due <= ? order by all",
                [moment],
            ).fetchall()
        for name, user in due:
            with self._store.write() as connection:
                connection.execute(
                    "create or replace temp table late as select record as record_number, is_new "
                    "from org.later where automation = ? and user_id = ? and due <= ?",
                    [name, user, moment],
                )
                _run(self._store, self._rules, self._delayed[name], "late w", user)
                connection.execute(
                    "delete from org.later where automation = ? and user_id = ? and due <= ?",
                    [name, user, moment],
                )

    def _forget_unknown(self) -> None:
        with self._store.write() as connection:
            connection.execute(
                "delete from org.later where automation not in (select unnest(?::varchar[]))",
                [list(self._delayed)],
            )


def _run(
    store: Store, rules: OrgRules, automation: AutomationSetup, written_sql: str, user: str
) -> None:
    with doing(f"Automation {automation.name}"):
        update(store, rules.automation(automation, written_sql), "update", user, {"now": now()})


def _moment() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def _with_rule_name(connection: duckdb.DuckDBPyConnection, options: WriteOptions) -> WriteOptions:
    """The options with the rule's name in place of its id."""
    if options.assignment_rule is None:
        return options
    names = connection.execute(
        'select "Name" from records."AssignmentRule" where "Id" = ?',
        [to18(options.assignment_rule)],
    ).fetchall()
    return replace(options, assignment_rule=names[0][0] if names else "")
