"""What a mapping may read: its golden relation, and of a person the account that they belong to.

Which account that is stands in ``account_links``, for ``people`` only say which one they ask for.
A mapping of people names these columns as if they were columns of people, and gets them joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipelines.sync.mapping.wire import quoted

PEOPLE = "people"
LINKS = "account_links"
OF_ACCOUNT = {
    "account_key": "account_key",
    "account_rule": "rule",
    "account_name": "name",
    "account_name_key": "name_key",
}
"""Column that a mapping of people may read → the column of ``account_links`` that it is."""


def readable(golden: str, columns: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The columns that a mapping may read, with their types.

    Args:
        golden: ``people`` or ``accounts``.
        columns: relation → its columns with their types, of the golden relation and
            ``account_links``.
    """
    if golden != PEOPLE:
        return dict(columns[golden])
    links = columns[LINKS]
    return {**columns[golden], **{name: links[column] for name, column in OF_ACCOUNT.items()}}


def origin(golden: str, column: str) -> tuple[str, str]:
    """The relation and the column that a column of a mapping is read from."""
    joined = golden == PEOPLE and column in OF_ACCOUNT
    return (LINKS, OF_ACCOUNT[column]) if joined else (golden, column)


def column_sql(golden: str, column: str) -> str:
    """A column of a mapping as one of ``select``, by the name that the mapping gives it."""
    relation, name = origin(golden, column)
    sql = f"{relation}.{quoted(name)}"
    if name == column:
        return sql
    # Without an account there is no link, and people have always read that as a rule of its own.
    value = f"coalesce({sql}, 'none')" if column == "account_rule" else sql
    return f"{value} as {quoted(column)}"


def joined_sql(golden: str, columns: Iterable[str]) -> str:
    """What stands behind ``from``: the account is joined only where a column is read of it."""
    if all(origin(golden, column)[0] == golden for column in columns):
        return golden
    return f"{golden}\nleft join {LINKS} on {LINKS}.person_key = {golden}.person_key"
