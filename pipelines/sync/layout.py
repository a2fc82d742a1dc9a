"""How SQL that is made from a mapping is put together and laid out, for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def indented(text: str, levels: int = 1) -> str:
    """Every line that is not empty four spaces further in, once per level."""
    pad = "    " * levels
    return "\n".join(f"{pad}{line}" if line else line for line in text.split("\n"))


def listed(items: Iterable[str], indent: int) -> str:
    """Items one below the other, each line after the first indented."""
    pad = "\n" + " " * indent
    return f",{pad}".join(item.replace("\n", pad) for item in items)


def select_sql(columns: Iterable[str], source: str) -> str:
    """Columns one below the other, from a relation and its joins."""
    return "select\n{}\nfrom {}".format(indented(",\n".join(columns)), source)


def with_sql(ctes: Mapping[str, str], final: str) -> str:
    """Named work tables, then the select over them."""
    parts = ",\n\n".join(f"{name} as (\n{indented(body)}\n)" for name, body in ctes.items())
    return f"with\n\n{parts}\n\n{final}\n"


def view_sql(name: str, query: str) -> str:
    """A work table that is read once or in part."""
    return f"create or replace temp view {name} as {query}"


def table_sql(name: str, query: str) -> str:
    """A work table that is read several times."""
    return f"create or replace temp table {name} as {query}"
