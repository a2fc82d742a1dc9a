"""A digest of the rules that tell people apart: when it changes, everybody is told apart anew."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PARTS = ("edges.sql", "contested.sql", "names.py", "rules.py", "settle.py")
LIBRARIES = ("nicknames", "anyascii")
MACROS = ("called", "norm_company", "norm_text", "words")


def rules_digest(connection: DuckDBPyConnection) -> str:
    """Changes with the rules themselves, the macros that normalise, and what knows names."""
    macros = connection.execute(_MACROS_SQL, [list(MACROS)]).fetchall()
    return hashlib.sha256(f"{_texts()} {macros}".encode()).hexdigest()


_MACROS_SQL = """
    select function_name, macro_definition
    from duckdb_functions()
    where function_name in (select unnest($1))
    order by all
"""


@lru_cache(maxsize=1)
def _texts() -> str:
    folder = files("pipelines.sync.identity")
    parts = [folder.joinpath(name).read_text(encoding="utf-8") for name in PARTS]
    return "\n".join((*parts, *(f"{name} {version(name)}" for name in LIBRARIES)))
