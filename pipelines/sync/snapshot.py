"""What the org holds now: which fields to ask for, and Bulk query pages as a relation."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipelines.sync.mapping import ObjectMapping
from pipelines.sync.match import NEEDS
from pipelines.sync.wire import quoted
from pipelines.warehouse import literal

USER_FIELDS = ("Id", "Username", "Name", "IsActive")
_ALWAYS = ("Id", "IsDeleted", "CreatedDate", "SystemModstamp")
_OF_OBJECT = {
    "Contact": ("AccountId",),
    "Lead": ("IsConverted", "ConvertedContactId", "ConvertedAccountId"),
}


def fields_needed(mappings: Mapping[str, ObjectMapping]) -> dict[str, list[str]]:
    """Each sObject and the fields its snapshot needs: for the plan, for matching, for look-ups."""
    needed = {name: _needed(mapping) for name, mapping in mappings.items()}
    return needed | {"User": list(USER_FIELDS)}


def snapshot_soql(object_name: str, fields: Iterable[str]) -> str:
    """The query whose pages ``snapshot_sql`` reads; to be asked with deleted records included."""
    return f"select {', '.join(fields)} from {object_name}"


def snapshot_sql(fields: Sequence[str], pages: Sequence[Path]) -> str:
    """The relation ``org_<object>`` from Bulk query pages: all text, byte for byte; blank is null.

    Args:
        fields: the columns wanted, in their order; the pages have them, in any order.
        pages: at least one; an empty result is a page with only its header.
    """
    listed = ",\n    ".join(map(quoted, fields))
    return f"select\n    {listed}\nfrom {pages_sql(pages)}"


def pages_sql(pages: Sequence[Path]) -> str:
    """CSV files of one shape as Salesforce writes them, as a table of text columns."""
    with pages[0].open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    columns = ", ".join(f"{literal(name)}: 'varchar'" for name in header)
    files = ", ".join(literal(page) for page in pages)
    # Nothing is sniffed: a guessed dialect or type could change or lose a value.
    return (
        f"read_csv([{files}], columns = {{{columns}}}, auto_detect = false, header = true,\n"
        "    delim = ',', quote = '\"', escape = '\"', nullstr = '', max_line_size = 16777216)"
    )


def _needed(mapping: ObjectMapping) -> list[str]:
    matched = [field for rule in mapping.match for field in NEEDS[rule]]
    mapped = mapping.enabled()
    own = _OF_OBJECT.get(mapping.object, ())
    return list(dict.fromkeys((*_ALWAYS, mapping.key, *own, *mapped, *matched)))
