"""What the web pages share: templates, values as people read them, names in place of ids, pages."""

import base64
import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.local_org import ids
from pipelines.local_org.api.router import Answer, Call
from pipelines.local_org.catalog.model import Catalog, Field, SObject

NAV = (("/", "Objects"), ("/lightning/jobs", "Bulk jobs"), ("/lightning/usage", "API usage"))
FOLDER = Path(__file__).with_name("web")
PAGE = 50
SEARCH = "/lightning/search"


@dataclass(frozen=True)
class Cell:
    """A value as a page shows it, and where it leads."""

    text: str
    url: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a page of a list stands in it."""

    total: str
    range: str
    before: str | None
    after: str | None


def page(call: Call, template: str, title: str, status: int = 200, **facts: Any) -> Answer:
    """An HTML page made of a template of the folder `web`."""
    html = (
        _templates()
        .get_template(f"{template}.html")
        .render(
            title=title,
            style=_style(),
            org_name=call.org.setup.organization.name,
            nav=NAV,
            searched=call.query.get("q", "") if call.path == SEARCH else "",
            section=next((u for u, _ in reversed(NAV) if call.path.startswith(u)), "/"),
            **facts,
        )
    )
    return Answer(
        status, headers=_guards(), raw=html.encode(), media_type="text/html;charset=UTF-8"
    )


@cache
def _style() -> str:
    return (FOLDER / "style.css").read_text(encoding="utf-8")


@cache
def _guards() -> dict[str, str]:
    """What a browser must not do with a page, whatever a record's text makes of it.

    No script, nothing from elsewhere, no style but ours, known by its hash; no frame around it.
    """
    style = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{style}'",
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=False,
    )


def missing(call: Call) -> Answer:
    """The page that is shown where there is none."""
    return page(call, "missing", "Not found", 404)


def catalog_of(call: Call) -> Catalog:
    """Everything that the org has: people who look are nobody's user."""
    return call.org.custom_fields.complete()


def record_url(sobject: SObject, record_id: str) -> str:
    """Where a record is shown, in the real org too."""
    return f"/lightning/r/{sobject.name}/{record_id}/view"


def cell(field: Field | None, value: Any, names: "Names | None" = None) -> Cell | None:
    """A value for people; ids become links to their records, with their names."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return Cell("Yes" if value else "No")
    if isinstance(value, dt.datetime):
        return Cell(moment(value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if names is not None and field is not None and field.type == "reference":
        return names.link(str(value))
    return Cell(str(value))


def label(field: Field) -> str:
    """What a field is called on a page, where a reference shows the record itself."""
    return field.label.removesuffix(" ID") if field.type == "reference" else field.label


def moment(value: dt.datetime) -> str:
    """A point in time, to the second."""
    return f"{value:%Y-%m-%d %H:%M:%S} UTC"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number of things in words."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def place_of(call: Call, total: int, what: str) -> tuple[int, Place]:
    """The number of the first line of the page asked for, and where that page stands."""
    text = call.query.get("page", "1")
    last = max(1, -(-total // PAGE))
    number = min(int(text), last) if text.isdecimal() and int(text) else 1
    first = (number - 1) * PAGE
    end = min(first + PAGE, total)

    def url(other: int) -> str:
        return "?" + urlencode({**call.query, "page": other})

    return first, Place(
        plural(total, what),
        f"{first + 1:,} to {end:,} of {total:,}" if last > 1 else "",
        url(number - 1) if number > 1 else None,
        url(number + 1) if number < last else None,
    )


class Names:
    """The names of records that a page speaks of, looked up together."""

    def __init__(self, call: Call, values: Iterable[Any]) -> None:
        self._catalog = catalog_of(call)
        by_object: dict[str, set[str]] = defaultdict(set)
        for value in values:
            sobject = self._object(value)
            if sobject is not None:
                by_object[sobject.name].add(value)
        self._names: dict[str, str] = {}
        with call.org.store.read() as connection:
            for name, record_ids in by_object.items():
                sobject = self._catalog[name]
                if sobject.name_field is None:
                    continue
                self._names |= dict(
                    connection.execute(
                        f'select t."Id", {sobject.name_field.read_sql("t")}::varchar '
                        f'from {sobject.table} t where t."Id" in (select unnest(?))',
                        [list(record_ids)],
                    ).fetchall()
                )

    def link(self, record_id: str) -> Cell:
        """A link to a record, in its name."""
        sobject = self._object(record_id)
        if sobject is None:
            return Cell(record_id)
        return Cell(self._names.get(record_id) or record_id, record_url(sobject, record_id))

    def _object(self, value: Any) -> SObject | None:
        is_full_id = isinstance(value, str) and len(value) == 18 and ids.is_id(value)
        return self._catalog.of_id(value) if is_full_id else None


def limits_used(call: Call, records: int) -> list[dict[str, Any]]:
    """Each limit of the org: what is used, what is left; most used first."""
    limits = []
    for name, limit in call.org.usage.remaining(records).items():
        used = limit["Max"] - limit["Remaining"]
        limits.append(
            {
                "name": name,
                "used": f"{used:,}",
                "left": f"{limit['Remaining']:,}",
                "most": f"{limit['Max']:,}",
                "share": round(100 * used / limit["Max"], 1) if limit["Max"] else 100,
                "any": used > 0,
            }
        )
    return sorted(limits, key=lambda limit: (-limit["share"], not limit["any"]))


def cells(row: Sequence[Any], fields: Sequence[Field | None], names: Names) -> list[Cell | None]:
    """The values of one line of a list."""
    return [cell(field, value, names) for field, value in zip(fields, row, strict=True)]
