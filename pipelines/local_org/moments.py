"""The time, as Salesforce keeps it."""

import datetime as dt


def now() -> dt.datetime:
    """The moment in UTC, in whole seconds, without a time zone."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0, tzinfo=None)
