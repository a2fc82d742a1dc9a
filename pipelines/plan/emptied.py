"""Which blanks of ours empty a field (``blank: clear``): those of cells that a file left empty.

A value that staging or a rule left out (``_blanked``) and a column that the file does not have are
no value given: whoever keeps the org's record by hand must not lose a number because a new export
lacks its column, or because somebody typed "ask the desk" into it. A field that comes from no cell,
such as one made of all of a customer's addresses, is emptied whenever there is nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pipelines.describe.lineage import raw_columns
from pipelines.sources.land import file_columns
from pipelines.sources.presets import ADDRESSES
from pipelines.sources.relations import RAW
from pipelines.sync.layout import table_sql
from pipelines.sync.mapping.model import relation
from pipelines.sync.mapping.values import mapping_columns
from pipelines.warehouse import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pipelines.batch import Batch
    from pipelines.sync.mapping.model import ObjectMapping

_PARENTS = {ADDRESSES: "customer_source_id", "raw_order_addresses": "order_source_id"}
"""Raw relation whose rows are parts of other records → the column that names these."""


def keep_emptied(batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping) -> None:
    """Take from ``differences_<mapping>`` the blanks that no empty cell stands behind."""
    differences = relation("differences", mapping.stem)
    clearing = [name for name, rule in mapping.enabled().items() if rule.blank == "clear"]
    if not clearing:
        return
    units = {name: mapping.group(name) or name for name in mapping.enabled()}
    connection.execute(table_sql("unit_of", _units_sql(units)))
    connection.execute(table_sql("blank_units", _blank_units_sql(differences)))
    if not connection.execute("select 1 from blank_units limit 1").fetchall():
        return
    cells = _cells(batch, mapping, clearing)
    _bind_rows(batch, connection, mapping, {name for ends in cells.values() for name in ends})
    emptied = [_always_sql(name) for name, ends in cells.items() if not ends]
    emptied += [
        _emptied_sql(name, raw, columns)
        for name, ends in cells.items()
        for raw, columns in ends.items()
    ]
    connection.execute(table_sql("emptied", "\nunion\n".join(emptied)))
    connection.execute(_delete_sql(differences))


def _cells(
    batch: Batch, mapping: ObjectMapping, fields: Iterable[str]
) -> dict[str, dict[str, list[str]]]:
    """Field → raw relation → its columns that the field comes from."""
    golden, read = raw_columns(batch.project)[mapping.from_], mapping_columns(mapping)
    found: dict[str, dict[str, list[str]]] = {}
    for field in fields:
        ends = (end.split(".") for column in read[field] for end in golden.get(column, ()))
        cells = found.setdefault(field, {})
        for raw, column in ends:
            if column in RAW[raw]:
                cells.setdefault(raw, []).append(column)
    return found


def _bind_rows(
    batch: Batch, connection: DuckDBPyConnection, mapping: ObjectMapping, raws: Iterable[str]
) -> None:
    """Bind the raw relations, ``file_columns``, and ``behind``: the rows behind the blanks."""
    warehouse = batch.project.warehouse
    for name in ("person_links", "account_links"):
        batch.bind_table(connection, name)
    batches = connection.execute("select distinct batch from person_links").fetchall()
    warehouse.bind(connection, "person_records", [day for (day,) in batches])
    days = sorted({day for raw in RAW for day in warehouse.days(raw)})
    connection.execute(table_sql("own_rows", _own_rows_sql(mapping)))
    rows = ["select * from own_rows"]
    for raw in raws:
        warehouse.bind(connection, raw, warehouse.days(raw))
        if raw in _PARENTS:
            valid = raw.replace("raw_", "valid_")
            warehouse.bind(connection, valid, warehouse.days(valid))
            rows.append(_part_rows_sql(valid, _PARENTS[raw]))
    connection.execute(table_sql("behind", "\nunion\n".join(rows)))
    columns = {name: ends for day in days for name, ends in file_columns(warehouse, day).items()}
    connection.execute("create or replace temp table file_columns (file varchar, ends varchar[])")
    if columns:
        connection.executemany("insert into file_columns values ($1, $2)", list(columns.items()))


def _units_sql(units: Mapping[str, str]) -> str:
    rows = ", ".join(f"({literal(field)}, {literal(unit)})" for field, unit in units.items())
    return f"select * from (values {rows}) as units (field, unit)"


def _blank_units_sql(differences: str) -> str:
    """The fields and blocks of which nothing is left, of each record."""
    return f"""\
select key, unit
from {differences}
join unit_of using (field)
group by key, unit
having count(after) = 0"""


def _own_rows_sql(mapping: ObjectMapping) -> str:
    """The rows that the records with blanks come from."""
    of_people = mapping.from_ == "people"
    key = "links.person_key" if of_people else "account_links.account_key"
    account = (
        "" if of_people else "join account_links on account_links.person_key = links.person_key"
    )
    return f"""\
select
    {key} as key,
    records.source,
    records.source_id,
    records._file as file,
    records._row as line
from person_links as links
{account}
join person_records as records on records.record = links.record and records.batch = links.batch
semi join blank_units on blank_units.key = {key}"""


def _part_rows_sql(valid: str, parent: str) -> str:
    """The rows of their addresses."""
    return f"""\
select own.key, own.source, own.source_id, parts._file, parts._row
from own_rows as own
join {valid} as parts on parts.source = own.source and parts.{parent} = own.source_id"""


def _always_sql(field: str) -> str:
    return (
        "select key, unit from blank_units join unit_of using (unit)"
        f" where field = {literal(field)}"
    )


def _emptied_sql(field: str, raw: str, columns: Iterable[str]) -> str:
    """Records of which a row has nothing in the columns of the field, of which its file has one."""
    listed = ", ".join(columns)
    ends = ", ".join(literal(f"{raw}.{column}") for column in columns)
    return f"""\
select behind.key, unit_of.unit
from behind
join {raw} as raw
    on raw._source = behind.source and raw._file = behind.file and raw._row = behind.line
join file_columns on file_columns.file = behind.file and list_has_any(ends, [{ends}])
join unit_of on unit_of.field = {literal(field)}
where coalesce({listed}, null) is null"""


def _delete_sql(differences: str) -> str:
    return f"""\
delete from {differences}
using unit_of, (select * from blank_units anti join emptied using (key, unit)) as kept
where unit_of.field = {differences}.field
    and kept.unit = unit_of.unit
    and kept.key = {differences}.key"""
