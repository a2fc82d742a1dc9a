"""An org as the rest of Causeway sees it: who we are there, what it holds, and how to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from pipelines.salesforce import bulk, bulk_query, rest_query, singly, soap
from pipelines.salesforce.connection import Connection
from pipelines.salesforce.rows import Load, RowError, RowResult, json_text

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

UNCHANGED = 304  # HTTP's word for: as you know it
COLLECTION = 200  # rows in one sObject Collections call


class Org:
    """One org, connected at first use; a context manager that closes its connections.

    What the org or the network does wrong is a `pipelines.salesforce.errors.SalesforceError`,
    never an exception of the libraries below. It may be used from several threads.
    """

    def __init__(self, connection: Connection) -> None:
        # requests costs 0.1 s and simple-salesforce 0.3 s: whoever only names an Org pays neither
        from pipelines.salesforce.session import Session

        self.connection = connection
        self.session = Session(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.session.close()

    def __repr__(self) -> str:
        return f"<Org {self.connection.name} at {self.connection.login_url}>"

    @property
    def organization_id(self) -> str:
        """Id of the organization, 18 characters."""
        return self.session.token.organization_id

    @property
    def user_id(self) -> str:
        """Id of the user we act as, 18 characters."""
        return self.session.token.user_id

    @cached_property
    def username(self) -> str:
        """Name of the user we act as."""
        [user] = self.query(f"select Username from User where Id = '{self.user_id}'")
        return str(user["Username"])

    @cached_property
    def is_sandbox(self) -> bool:
        """Whether the org calls itself a sandbox; scratch orgs do."""
        [organization] = self.query("select IsSandbox from Organization")
        return bool(organization["IsSandbox"])

    @cached_property
    def rest(self) -> Salesforce:
        """The simple-salesforce client, on our session; it takes 0.2 s to load."""
        from simple_salesforce.api import Salesforce

        return Salesforce(
            session_id="held by the session",
            instance_url=self.session.token.instance_url,
            version=self.connection.api_version,
            session=self.session,
            object_pairs_hook=None,
        )

    def describe(self, object_name: str) -> dict[str, Any]:
        """Describe an sObject (``fields``, ``recordTypeInfos`` …) as the user we act as sees it."""
        return cast(dict[str, Any], self.session.get(f"sobjects/{object_name}/describe").json())

    def describe_since(
        self, object_name: str, last_modified: str | None
    ) -> tuple[dict[str, Any], str | None] | None:
        """Describe an sObject, unless it is as it was; returns it with its ``Last-Modified``.

        Args:
            object_name: API name.
            last_modified: what the describe that we have came with, an HTTP date.
        """
        headers = {"If-Modified-Since": last_modified} if last_modified else {}
        answer = self.session.get(f"sobjects/{object_name}/describe", headers=headers)
        if answer.status_code == UNCHANGED:
            return None
        return answer.json(), answer.headers.get("Last-Modified")

    def limits(self) -> dict[str, dict[str, int]]:
        """Get the org's limits (``DailyApiRequests`` …), each with ``Max`` and ``Remaining``."""
        return cast(dict[str, dict[str, int]], self.session.get("limits").json())

    def server_time(self) -> datetime:
        """Read the org's clock, in UTC, to the second."""
        return parsedate_to_datetime(self.session.get("/services/data").headers["Date"])

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the records of a query, page by page, as plain mappings.

        The query travels in a URL of at most 16 KB: about 400 Ids in an ``in`` list.
        """
        for record in rest_query.query(self.session, soql, include_deleted=include_deleted):
            yield _plain(record)

    def count(self, soql: str, *, include_deleted: bool = False) -> int:
        """Ask how many records a query without fields finds."""
        return rest_query.count(self.session, soql, include_deleted=include_deleted)

    def page(
        self, soql: str, fields: Sequence[str], file: Path, *, include_deleted: bool = False
    ) -> Path:
        """Write few records to a CSV file; see `pipelines.salesforce.rest_query.page`."""
        return rest_query.page(self.session, soql, fields, file, include_deleted=include_deleted)

    @property
    def pause(self) -> float:
        """Seconds that the first pause before another try takes at most."""
        return self.session.pause

    @property
    def clock_ahead(self) -> timedelta:
        """How far the org's clock is before ours; up to a second too low."""
        return self.session.clock_ahead

    @property
    def api_usage(self) -> tuple[int, int] | None:
        """API calls used and allowed in 24 hours, by anybody; none before the first answer."""
        return self.session.api_usage

    def collections(self, load: Load, records: Sequence[Mapping[str, Any]]) -> list[RowResult]:
        """Write `records` in calls of up to 200 rows; one result per record, in their order.

        A refused row never stops the others. None clears a field; a field that is not there is
        left alone; a `Decimal` keeps its digits. When a call fails, the error is raised and the
        rows behind it are not sent. After `AnswerLost` its 200 are in doubt.
        """
        starts = range(0, len(records), COLLECTION)
        chunks = [records[start : start + COLLECTION] for start in starts]
        return [result for chunk in chunks for result in self._write_chunk(load, chunk)]

    def singly(self, load: Load, records: Sequence[Mapping[str, Any]]) -> list[RowResult]:
        """Write up to 25 records, each on its own; see `pipelines.salesforce.singly`."""
        return singly.write_singly(self.session, load, records, _headers(load))

    def _write_chunk(self, load: Load, records: Sequence[Mapping[str, Any]]) -> list[RowResult]:
        url, headers = "composite/sobjects", _headers(load)
        if load.operation == "delete":
            params = {"ids": ",".join(record["Id"] for record in records), "allOrNone": "false"}
            answer = self.session.delete(url, params=params, headers=headers)
        else:
            kind = {"attributes": {"type": load.object}}
            listed = json_text([kind | dict(record) for record in records])
            method = "POST" if load.operation == "insert" else "PATCH"
            if load.operation == "upsert":
                url = f"{url}/{load.object}/{load.external_id}"
            body = f'{{"allOrNone": false, "records": {listed}}}'.encode()
            headers["Content-Type"] = "application/json"
            answer = self.session.request(method, url, data=body, headers=headers)
        return [_row_result(load, row) for row in answer.json()]

    def undelete(self, ids: Sequence[str]) -> list[RowResult]:
        """Bring up to 200 records back; see `pipelines.salesforce.soap.undelete`."""
        return soap.undelete(self.session, ids)

    def ingest(
        self,
        load: Load,
        files: Sequence[Path],
        *,
        results: Path,
        on_job: bulk.OnJob | None = None,
        in_flight: int = bulk.IN_FLIGHT,
    ) -> list[bulk.JobResult]:
        """Load CSV files by Bulk API 2.0; see `pipelines.salesforce.bulk.ingest`."""
        return bulk.ingest(
            self.session, load, files, results=results, on_job=on_job, in_flight=in_flight
        )

    def resume(self, job_id: str, *, results: Path, start: bool = True) -> bulk.JobResult:
        """Go on with a job of `ingest`; see `pipelines.salesforce.bulk.resume`."""
        return bulk.resume(self.session, job_id, results=results, start=start)

    def bulk_query(self, soql: str, folder: Path, *, include_deleted: bool = False) -> list[Path]:
        """Stream a query of any size to CSV pages; see `pipelines.salesforce.bulk_query.query`."""
        return bulk_query.query(self.session, soql, folder, include_deleted=include_deleted)


def _headers(load: Load) -> dict[str, str]:
    """Make REST do what Bulk API 2.0 does: no assignment rule unless one is named."""
    headers = {"Sforce-Auto-Assign": load.assignment_rule or "FALSE"}
    if load.allow_duplicates:
        headers["Sforce-Duplicate-Rule-Header"] = "allowSave=true"
    return headers


def _row_result(load: Load, row: Mapping[str, Any]) -> RowResult:
    success = bool(row["success"])
    return RowResult(
        id=row.get("id"),
        success=success,
        created=success and bool(row.get("created", load.operation == "insert")),
        errors=tuple(RowError.from_rest(error) for error in row.get("errors", ())),
    )


def _plain(value: Any) -> Any:
    """Drop ``attributes`` from a record, its parents and its children."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items() if key != "attributes"}
    return [_plain(part) for part in value] if isinstance(value, list) else value
