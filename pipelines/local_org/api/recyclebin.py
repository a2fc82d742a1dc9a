"""What REST says of records that were changed or deleted in a span of time."""

import datetime as dt
from typing import Any

from pipelines.local_org.api.discovery import sobject_of
from pipelines.local_org.api.router import Answer, ApiError, Call, Router

router = Router()
DAYS_IN_BIN = 15


@router.route("GET", "/services/data/v{version}/sobjects/{name}/deleted")
def deleted(call: Call) -> Answer:
    """The records that went into the recycle bin between `start` and `end`."""
    changes, end = _touched(call, in_bin=True)
    records = [{"deletedDate": _text(moment), "id": record_id} for record_id, moment in changes]
    earliest = dt.datetime.now(dt.UTC) - dt.timedelta(days=DAYS_IN_BIN)
    return Answer(
        content={
            "deletedRecords": records,
            "earliestDateAvailable": _text(earliest),
            "latestDateCovered": _text(end),
        }
    )


@router.route("GET", "/services/data/v{version}/sobjects/{name}/updated")
def updated(call: Call) -> Answer:
    """The live records that were made or changed between `start` and `end`."""
    changes, end = _touched(call, in_bin=False)
    return Answer(
        content={"ids": [record_id for record_id, _ in changes], "latestDateCovered": _text(end)}
    )


def _touched(call: Call, *, in_bin: bool) -> tuple[list[tuple[str, dt.datetime]], dt.datetime]:
    sobject = sobject_of(call)
    start, end = _moment(call, "start"), _moment(call, "end")
    if start >= end:
        raise ApiError(400, "INVALID_REPLICATION_DATE", "startDate before endDate is required")
    test = '"IsDeleted"' if in_bin else 'not "IsDeleted"'
    with call.org.store.read() as connection:
        changes: list[Any] = connection.execute(
            f'select "Id", "SystemModstamp" from {sobject.table} where {test} '
            'and "SystemModstamp" >= ? and "SystemModstamp" <= ? order by "SystemModstamp", _n',
            [start.replace(tzinfo=None), end.replace(tzinfo=None)],
        ).fetchall()
    return changes, end


def _moment(call: Call, name: str) -> dt.datetime:
    # A plus sign that was not escaped arrives as a blank.
    text = call.query.get(name, "").replace(" ", "+")
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{name} must be a date and time such as 2026-01-31T10:00:00+00:00"
        raise ApiError(400, "INVALID_REPLICATION_DATE", message) from error
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)


def _text(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"
