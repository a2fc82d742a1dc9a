"""How SQL that is made from a mapping is laid out, so that people can read it."""

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
