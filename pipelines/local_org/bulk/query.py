"""Runs query jobs: one CSV file per job, read by clients page by page."""

import base64
import time
from pathlib import Path

import duckdb

from pipelines.local_org.bulk.csvfile import DELIMITERS
from pipelines.local_org.bulk.jobs import Job, Jobs
from pipelines.local_org.soql.compile import compile_query
from pipelines.local_org.soql.parser import parse
from pipelines.local_org.soql.run import copy_csv_sql
from pipelines.local_org.soql.tree import QueryError

PAGE = 250_000


def run_query(jobs: Jobs, job: Job) -> None:
    """Write a query job's result file."""
    started = time.monotonic()
    jobs.change(job.id, state="InProgress")
    if jobs.ended_by_fault(job):
        return
    file = result_file(jobs, job)
    part = file.with_suffix(".part")
    try:
        catalog = jobs.writer_for(job.created_by).catalog
        query = parse(job.spec["query"])
        compiled = compile_query(catalog, query, deleted=job.operation == "queryAll")
        sql = copy_csv_sql(
            compiled,
            part,
            delimiter=DELIMITERS[job.spec["columnDelimiter"]],
            line_ending=job.spec["lineEnding"],
        )
        with jobs.store.read() as connection:
            count = connection.execute(sql).fetchall()[0][0]
    except QueryError as error:
        jobs.change(job.id, state="Failed", error=f"{error.code} : {error.message}")
        return
    except duckdb.Error as error:
        jobs.change(job.id, state="Failed", error=f"InternalServerError : {error}")
        return
    part.replace(file)
    elapsed = int((time.monotonic() - started) * 1000)
    jobs.change(job.id, state="JobComplete", rows_done=count, milliseconds=elapsed)


def result_file(jobs: Jobs, job: Job) -> Path:
    """Where a query job's result lies once it is complete."""
    return jobs.folder(job.id) / "result.csv"


def page_bounds(file: Path, locator: str | None, most: int) -> tuple[int, int, int, str]:
    """One page of a result file.

    Args:
        file: the whole result, every value quoted.
        locator: what the last page gave, None for the first.
        most: rows of a page.

    Returns:
        first byte, number of bytes, number of rows, and the next locator (`null` at the end).

    Raises:
        ValueError: the locator is not one of ours.
    """
    size = file.stat().st_size
    with file.open("rb") as lines:
        header = len(lines.readline())
        start = int(base64.b64decode(locator or "", validate=True)) if locator else header
        if not header <= start <= size:
            raise ValueError(f"locator {locator} points outside the result")
        lines.seek(start)
        rows, end, quotes = 0, start, 0
        for line in lines:
            end += len(line)
            # A record ends where its quotes are balanced; new lines inside values are not ends.
            quotes += line.count(b'"')
            if quotes % 2 == 0:
                rows += 1
                if rows == most:
                    break
    following = base64.b64encode(str(end).encode()).decode() if end < size else "null"
    return start, end - start, rows, following
