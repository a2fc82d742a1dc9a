"""Files of rejected rows that people repaired and brought back.

They carry one more column, which says why the rows were rejected, and cells that were made
harmless for spreadsheets. Both is undone here; ``pipelines.validate.rejects`` did it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.sources.headers import plain

REASONS = "causeway_reasons"

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # what spreadsheets run: OWASP, CSV Injection
_PHONE = re.compile(r"\+?[\d(][\d ().,/x-]*|-[\d][\d.,]*")  # phones and numbers are no danger


def is_reasons(header: str) -> bool:
    """Whether a column only says why a row was rejected."""
    return plain(header) == REASONS


def defuse(value: str) -> str:
    """Make a cell harmless for spreadsheets: what starts like a formula gets an apostrophe.

    Phone numbers stay as they are. ``restore`` undoes it exactly, for every text.
    """
    if value.startswith("'") and value.lstrip("'").startswith(_FORMULA):
        return f"'{value}"
    if value.startswith(_FORMULA) and not _PHONE.fullmatch(value):
        return f"'{value}"
    return value


def restore(value: str) -> str:
    """What ``defuse`` was given."""
    if value.startswith("'") and value.lstrip("'").startswith(_FORMULA):
        return value[1:]
    return value


def rows_as_meant_sql(view: str, header: Sequence[str], places: Sequence[int]) -> str:
    """What to select from: ``view``, or its rows restored where the file is a repaired one."""
    if not places or not any(map(is_reasons, header)):
        return view
    cells = ", ".join(f"{_restored_sql(f'c{place}')} as c{place}" for place in places)
    return f"(select * replace ({cells}) from {view})"


def _restored_sql(column: str) -> str:
    signs = "".join(_FORMULA).replace("-", r"\-")
    return f"if(regexp_matches({column}, '^''+[{signs}]'), {column}[2:], {column})"
