"""Queries: the first page, the next pages, and reading records by their ids."""

import json
import re
import secrets
import string
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pipelines.local_org import ids
from pipelines.local_org.api.router import Answer, ApiError, Call, Router
from pipelines.local_org.catalog.model import Catalog, SObject, literal
from pipelines.local_org.files import matching
from pipelines.local_org.soql.columns import column_metadata
from pipelines.local_org.soql.compile import compile_query
from pipelines.local_org.soql.compiled import Compiled
from pipelines.local_org.soql.parser import parse
from pipelines.local_org.soql.run import Shaper, copy_parquet_sql
from pipelines.local_org.soql.scope import Scope
from pipelines.local_org.soql.tree import Query, QueryError, plain_query

router = Router()
PAGE, SMALLEST_PAGE = 2000, 200
_LOCATOR = re.compile(r"(01g[A-Za-z0-9]{15})-(\d+)")


@router.route("GET", "/services/data/v{version}/query")
def query(call: Call) -> Answer:
    """Run a query over live records."""
    return _first_page(call, deleted=False)


@router.route("GET", "/services/data/v{version}/queryAll")
def query_all(call: Call) -> Answer:
    """Run a query that also sees deleted records."""
    return _first_page(call, deleted=True)


@router.route("GET", "/services/data/v{version}/query/{locator}")
@router.route("GET", "/services/data/v{version}/queryAll/{locator}")
def more(call: Call) -> Answer:
    """The next page of a query."""
    match = _LOCATOR.fullmatch(call["locator"])
    folder = call.org.home.cursors / match[1] if match else None
    if match is None or folder is None or not (folder / "rows.parquet").exists():
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    saved = json.loads((folder / "query.json").read_text())
    compiled = compiled_query(call, saved["soql"], deleted=saved["deleted"])
    start, size = int(match[2]), page_size(call)
    with call.org.store.read() as connection:
        lines = connection.execute(
            "select * exclude (file_row_number)"
            " from read_parquet(?, file_row_number = true, hive_partitioning = false)"
            " where file_row_number >= ? and file_row_number < ? order by file_row_number",
            [matching(folder / "rows.parquet"), start, start + size],
        ).fetchall()
        records = Shaper(compiled, call.version).records(connection, lines)
    return Answer(content=_page(call, saved["total"], records, match[1], start + len(lines)))


def compiled_query(call: Call, query: str | Query, *, deleted: bool) -> Compiled:
    """Parse a query, unless it comes as values, and compile it.

    Raises:
        ApiError: 400 with Salesforce's text.
    """
    try:
        parsed = parse(query) if isinstance(query, str) else query
        return compile_query(call.catalog, parsed, deleted=deleted)
    except QueryError as error:
        raise ApiError(400, error.code, error.message) from error


def wants_columns(call: Call) -> bool:
    """Whether a query is asked for its columns in place of its records."""
    return call.query.get("columns", "").lower() == "true"


def page_size(call: Call) -> int:
    """Rows per page: 2000, or what `Sforce-Query-Options: batchSize=` asks for."""
    size = call.option("sforce-query-options").get("batchsize", "")
    return min(PAGE, max(SMALLEST_PAGE, int(size))) if size.isdigit() else PAGE


def select_records(
    call: Call, sobject: SObject, names: Sequence[str], record_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Read fields of records by their 18-character ids; ids without a live record are left out.

    Raises:
        ApiError: 400, a name stands for no field.
    """
    try:
        compiled = _plain(call.catalog, sobject.name, tuple(names))
    except QueryError as error:
        raise ApiError(400, error.code, error.message) from error
    shaper = Shaper(compiled, call.version)
    # Objects that have a recycle bin are asked for what is not in it.
    conjunction = "where" if sobject.get("IsDeleted") is None else "and"
    tests = f"{compiled.sql} {conjunction} {Scope.alias}"
    if len(record_ids) == 1:
        number = ids.record_number(record_ids[0])
        sql = f'{tests}._n = $1::bigint and {Scope.alias}."Id" = $2::varchar'
        lines = call.org.store.run_kept(sql, f"{number}::bigint, {literal(record_ids[0])}::varchar")
        return {row[0]: shaper.record(row) for row in lines}
    numbers = ", ".join(str(ids.record_number(record_id)) for record_id in record_ids)
    quoted_ids = ", ".join(map(literal, record_ids))
    with call.org.store.read() as connection:
        lines = connection.execute(
            f'{tests}._n in ({numbers}) and {Scope.alias}."Id" in ({quoted_ids})'
        ).fetchall()
    return {row[0]: shaper.record(row) for row in lines}


@lru_cache(maxsize=200)
def _plain(catalog: Catalog, source: str, names: tuple[str, ...]) -> Compiled:
    """`SELECT names FROM source`, whose SQL ends where more tests can be added.

    Raises:
        QueryError: a name stands for no field.
    """
    return compile_query(catalog, plain_query(names, source))


def _first_page(call: Call, *, deleted: bool) -> Answer:
    soql = call.query.get("q")
    if soql is None:
        raise ApiError(400, "MALFORMED_QUERY", "SOQL statement not specified")
    compiled = compiled_query(call, soql, deleted=deleted)
    if wants_columns(call):
        return Answer(content=column_metadata(compiled))
    size = page_size(call)
    with call.org.store.read() as connection:
        if compiled.kind == "count":
            total = connection.execute(compiled.sql).fetchall()[0][0]
            return Answer(content={"totalSize": total, "done": True, "records": []})
        result = connection.execute(compiled.sql)
        lines = result.fetchmany(size)
        over = result.fetchmany(1)
        records = Shaper(compiled, call.version).records(connection, lines)
        if not over:
            return Answer(content=_page(call, len(lines), records, "", len(lines)))
        if compiled.kind == "aggregate":
            raise ApiError(
                400,
                "EXCEEDED_ID_LIMIT",
                "Aggregate query does not support queryMore(), use LIMIT to restrict the results "
                "to a single batch",
            )
        locator = "01g" + "".join(
            secrets.choice(string.ascii_letters + string.digits) for _ in range(15)
        )
        folder = call.org.home.cursors / locator
        folder.mkdir(parents=True)
        copied = connection.execute(copy_parquet_sql(compiled, folder / "rows.parquet"))
        total = copied.fetchall()[0][0]
    saved = {"soql": soql, "deleted": deleted, "total": total}
    (folder / "query.json").write_text(json.dumps(saved))
    return Answer(content=_page(call, total, records, locator, len(lines)))


def _page(
    call: Call, total: int, records: list[dict[str, Any]], locator: str, end: int
) -> dict[str, Any]:
    done = end >= total
    page: dict[str, Any] = {"totalSize": total, "done": done}
    if not done:
        page["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{locator}-{end}"
    return page | {"records": records}
