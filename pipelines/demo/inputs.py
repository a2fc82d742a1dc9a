"""Writes the demo's inputs into an inbox."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from pipelines.demo import days as story
from pipelines.files import draft


def demo_days(inbox: Path, today: date) -> tuple[date, date]:
    """The days of the samples that lie in ``inbox``, else yesterday and today.

    Both are partitions, and a demo of another day is found again instead of written anew.
    """
    source, name = story.WINMO
    landed = sorted(path.parent.name for path in inbox.glob(f"{source}/????-??-??/{name}"))
    if len(landed) == 2:
        return date.fromisoformat(landed[0]), date.fromisoformat(landed[1])
    return today - timedelta(days=1), today


def write_inputs(inbox: Path, days: tuple[date, date]) -> list[Path]:
    """Write both days to ``inbox/<source>/<day>/``; a file that is there stays as it is.

    Returns:
        the files that were written, in order.
    """
    written = []
    for (source, day, name), content in _files(days):
        path = inbox / source / day.isoformat() / name
        if not path.exists():
            with draft(path) as temporary:
                temporary.write_bytes(content)
            written.append(path)
    return written


def _files(days: tuple[date, date]) -> Iterator[tuple[tuple[str, date, str], bytes]]:
    for day, rows_of_day in zip(days, (story.first_day, story.second_day), strict=True):
        for (source, name), rows in rows_of_day(day).items():
            text = _csv(story.HEADERS[source, name], rows)
            if (source, name) == story.APPTIVO and rows_of_day is story.first_day:
                text += f"{story.BROKEN_LINE}\n"
            yield (source, day, name), _bytes(text, source)


def _csv(header: tuple[str, ...], rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _bytes(text: str, source: str) -> bytes:
    """Winmo's list goes through Excel, which leaves a byte-order mark and CRLF line ends."""
    if source == "winmo":
        return text.replace("\n", "\r\n").encode("utf-8-sig")
    return text.encode("utf-8")
