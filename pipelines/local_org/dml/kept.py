"""The statements that write one row, made once for every shape that rows come in.

They read a table only where they look something up, so that their plans can be kept: see `single`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby

from pipelines.local_org.catalog.model import Catalog
from pipelines.local_org.dml.addresses import PLACES
from pipelines.local_org.dml.changes import changing_fields, insert_sql, update_sql
from pipelines.local_org.dml.lookups import Join, joins_of
from pipelines.local_org.dml.request import WriteRequest, columns_of
from pipelines.local_org.dml.work import keys_sql, one_sql

SHAPES = 500
WORK_STAMPS = {
    "_row": "bigint",
    "_n": "bigint",
    "_id": "varchar",
    "_created": "boolean",
    "_user": "varchar",
    "_now": "timestamp",
}
"""What every row of `work` has, who writes it when among it, with the types of its parameters."""
_BY_ID = re.compile(r'(\w)\."Id" in \(\{keys\}\)')


@dataclass(frozen=True)
class Filled:
    """A statement about one row of `work w`, and whose values its parameters `$1`, … are."""

    sql: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class LookUp:
    """How the line that a join gives one row is found.

    Attributes:
        join: the join.
        sql: finds the line; `$1` is the key, `$2` the record's number where it is found by id.
        several: the same where several lines hold one key.
        by_id: whether the key is a record's id.
        place: whether the line is a country's or a state's, which the store knows by heart.
    """

    join: Join
    sql: str
    several: str
    by_id: bool
    place: bool


@dataclass(frozen=True)
class Round:
    """Look-ups whose keys are known at the same time, and SQL for their keys."""

    look_ups: tuple[LookUp, ...]
    keys: str
    id_at: int | None
    """The column whose text is the key as it stands, once it is a long id."""


@dataclass(frozen=True)
class Shape:
    """One kind of row to write: its request and everything that is said of such a row."""

    catalog: Catalog
    request: WriteRequest
    lower_case_email: bool

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The DuckDB types of the names in `work`."""
        columns = self.request.columns
        values = {column.value: column.field.column_type for column in columns}
        return WORK_STAMPS | values | {f"g{column.position}": "boolean" for column in columns}

    @cached_property
    def changing(self) -> list[str]:
        """The fields that such a row may change."""
        return changing_fields(self.request)

    @cached_property
    def judge(self) -> str:
        """SQL of `one_sql`."""
        return one_sql(self.catalog, self.request, lower_case_email=self.lower_case_email)

    @cached_property
    def rounds(self) -> tuple[Round, ...]:
        """What is looked up before the row is judged, in order."""
        joins, rounds, joined = joins_of(self.catalog, self.request), [], 0
        for _, group in groupby(joins, key=lambda join: join.round):
            group_joins = list(group)
            keys = keys_sql(
                self.request, group_joins, joins[:joined], lower_case_email=self.lower_case_email
            )
            column = self.request.key_column
            by_id = column is not None and column.field.name == "Id"
            only_target = by_id and [join.name for join in group_joins] == ["target"]
            id_at = column.position if column is not None and only_target else None
            rounds.append(Round(tuple(map(self._look_up, group_joins)), keys, id_at))
            joined += len(group_joins)
        return tuple(rounds)

    @cached_property
    def insert(self) -> Filled:
        """Makes the record of the row."""
        return filled(insert_sql(self.request).partition(" from work w")[0], self.kinds)

    @cached_property
    def update(self) -> Filled:
        """Changes the record of the row."""
        changes = update_sql(self.request).partition(" from work w")[0]
        return filled(f"{changes} where t._n = w._n", self.kinds)

    def _look_up(self, join: Join) -> LookUp:
        kind, selected = join.columns[join.key_column], join.select
        several = join.lines(f"$1::{kind}")
        if join.whole:
            sql = f"select * from ({selected}) where {join.key_column} = $1::{kind}"
            return LookUp(join, sql, several, by_id=False, place=selected == PLACES)
        if join.name == "target":
            # What stood in the fields that may change, as it is and as text: for the history.
            columns = [self.request.sobject[name].column for name in self.changing]
            olds = [f"t.{c}" for c in columns] + [f"t.{c}::varchar" for c in columns]
            table = f" from {self.request.sobject.table} t where "
            selected = selected.replace(table, "".join(f", {old}" for old in olds) + table, 1)
        if _BY_ID.search(selected):
            # Numbers grow with the table, so they lead to the few blocks that may hold the record.
            sql = _BY_ID.sub(r'\1._n = $2::bigint and \1."Id" in ($1::varchar)', selected)
            return LookUp(join, sql, several, by_id=True, place=False)
        # An equation finds its way through an index, a list of one does not.
        sql = selected.replace("in ({keys})", f"= $1::{kind}")
        return LookUp(join, sql, several, by_id=False, place=False)


def shape_of(catalog: Catalog, request: WriteRequest, *, lower_case_email: bool) -> Shape:
    """The shape of a request's rows; its request stands for every request of that shape."""
    key = None if request.key is None else request.key.name
    names = tuple(column.name for column in request.columns)
    return _shape(catalog, request.sobject.name, request.operation, names, key, lower_case_email)


@lru_cache(maxsize=SHAPES)
def _shape(
    catalog: Catalog,
    name: str,
    operation: str,
    names: tuple[str, ...],
    key: str | None,
    lower_case_email: bool,
) -> Shape:
    sobject = catalog[name]
    columns = columns_of(catalog, sobject, list(names))
    key_field = None if key is None else sobject[key]
    return Shape(catalog, WriteRequest(sobject, operation, columns, key_field), lower_case_email)


def filled(sql: str, kinds: Mapping[str, str]) -> Filled:
    """A statement that speaks of rows of `work w`, as one that speaks of a single row."""
    used: list[str] = []

    def parameter(match: re.Match[str]) -> str:
        name = match[1]
        if name not in used:
            used.append(name)
        return f"${used.index(name) + 1}::{kinds[name]}"

    stamped = re.sub(r"\$(user|now)\b", r"w._\1", sql)
    names = "|".join(map(re.escape, kinds))
    return Filled(re.sub(rf"\bw\.({names})\b", parameter, stamped), tuple(used))
