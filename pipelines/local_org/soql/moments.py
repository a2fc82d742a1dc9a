"""Date literals (`TODAY`, `LAST_N_DAYS:7`) as the span of time they mean."""

import datetime as dt

_WEEK = dt.timedelta(days=7)


def span(name: str, today: dt.date) -> tuple[dt.date, dt.date] | None:
    """First day and the day after the last day of a date literal; None when it is none."""
    word, _, count = name.partition(":")
    days = dt.timedelta(days=1)
    n = int(count) if count else 0
    week = today - dt.timedelta(days=(today.weekday() + 1) % 7)
    month, quarter, year = _month(today, 0), _quarter(today, 0), dt.date(today.year, 1, 1)
    fixed = {
        "YESTERDAY": (today - days, today),
        "TODAY": (today, today + days),
        "TOMORROW": (today + days, today + 2 * days),
        "LAST_WEEK": (week - _WEEK, week),
        "THIS_WEEK": (week, week + _WEEK),
        "NEXT_WEEK": (week + _WEEK, week + 2 * _WEEK),
        "LAST_MONTH": (_month(today, -1), month),
        "THIS_MONTH": (month, _month(today, 1)),
        "NEXT_MONTH": (_month(today, 1), _month(today, 2)),
        "LAST_90_DAYS": (today - 90 * days, today + days),
        "NEXT_90_DAYS": (today + days, today + 91 * days),
        "LAST_QUARTER": (_quarter(today, -1), quarter),
        "THIS_QUARTER": (quarter, _quarter(today, 1)),
        "NEXT_QUARTER": (_quarter(today, 1), _quarter(today, 2)),
        "LAST_YEAR": (_year(year, -1), year),
        "THIS_YEAR": (year, _year(year, 1)),
        "NEXT_YEAR": (_year(year, 1), _year(year, 2)),
    }
    counted = {
        "LAST_N_DAYS": (today - n * days, today + days),
        "NEXT_N_DAYS": (today + days, today + (n + 1) * days),
        "N_DAYS_AGO": (today - n * days, today - (n - 1) * days),
        "LAST_N_WEEKS": (week - n * _WEEK, week),
        "NEXT_N_WEEKS": (week + _WEEK, week + (n + 1) * _WEEK),
        "LAST_N_MONTHS": (_month(today, -n), month),
        "NEXT_N_MONTHS": (_month(today, 1), _month(today, n + 1)),
        "LAST_N_QUARTERS": (_quarter(today, -n), quarter),
        "NEXT_N_QUARTERS": (_quarter(today, 1), _quarter(today, n + 1)),
        "LAST_N_YEARS": (_year(year, -n), year),
        "NEXT_N_YEARS": (_year(year, 1), _year(year, n + 1)),
    }
    return counted.get(word) if count else fixed.get(word)


def _month(day: dt.date, step: int) -> dt.date:
    months = day.year * 12 + day.month - 1 + step
    return dt.date(months // 12, months % 12 + 1, 1)


def _quarter(day: dt.date, step: int) -> dt.date:
    return _month(dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1), 3 * step)


def _year(day: dt.date, step: int) -> dt.date:
    return day.replace(year=day.year + step)
