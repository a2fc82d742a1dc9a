"""``mappings/sources.yaml``: which systems are read, and how their files are written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.config import Frozen, Lines, parse_model, parse_partly, read_yaml
from pipelines.errors import ConfigError, Problem
from pipelines.sources.config_checks import check_sources
from pipelines.sources.lists import Account, Into
from pipelines.sources.model import GROUPED, Source, Sources
from pipelines.sources.presets import Preset, own_presets, presets
from pipelines.sources.relations import RAW

CONFIG_SOURCES = {
    "source": "varchar",
    "entity": "varchar",
    "priority": "integer",
    "parent_source": "varchar",
    "customer_source": "varchar",
    "list_as": "varchar",
    "account_mode": "varchar",
    "account_name": "varchar",
    "trust_id": "boolean",
    "selects": "boolean",
}
"""The columns of the table ``config_sources``, in the order of ``config_sources_rows``."""

CONFIG_FORMATS = {
    "source": "varchar",
    "day_first": "boolean",
    "decimal_comma": "boolean",
    "timezone": "varchar",
}
"""The columns of the table ``config_formats``: how a source's dates and numbers are read."""


def read_sources(path: Path) -> Sources:
    """Read and check ``sources.yaml``.

    Raises:
        ConfigError: with every problem of every source, each with its line.
    """
    document, lines = read_yaml(path)
    top = parse_model(document, lines, path, _Document)
    problems: list[Problem] = []
    own: dict[str, Preset] = {}
    try:
        own = own_presets(path.with_name("presets"))
    except ConfigError as error:
        problems += error.problems
    sources: dict[str, Source] = {}
    for name, entry in top.sources.items():
        below = _lines_below(lines, ("sources", name))
        source, further = parse_partly(_with_entity(entry, own), below, path, Source, set())
        sources |= {} if source is None else {name: source.knows(own)}
        problems += further
    problems += check_sources(sources, tuple(top.sources), lines, path)
    if problems:
        raise ConfigError(problems)
    return Sources(sources=sources, own_presets=own)


def headers(config: Sources, source: str, relation: str) -> dict[str, str]:
    """Raw column → the header under which this source's files bring it.

    With these headers, and the keys of ``_extra``, a row can be exported and landed again through
    the same source. A column that only a constant fills is left out, and so is an id made of
    several columns, which are there themselves.
    """
    entry = config.sources[source]
    shape = next(shape for shape in entry.shapes() if shape.relation == relation)
    header_of = {column: header for column in RAW[relation] if (header := shape.header_of(column))}
    filled = {*entry.constants, *((shape.id,) if len(entry.ids_of(shape)) > 1 else ())}
    return {column: header for column, header in header_of.items() if column not in filled}


def config_sources_rows(config: Sources) -> list[tuple[str | int | None, ...]]:
    """The rows of the table ``config_sources``: see ``CONFIG_SOURCES`` for its columns."""
    shops = [name for name, source in config.enabled() if source.entity == "customers"]
    return [
        (
            name,
            source.entity,
            source.priority,
            source.parent.source if source.parent and source.entity == "contacts" else None,
            _shop_of(source, shops),
            source.list_as,
            *_account(source.account),
            source.trust_id,
            source.select is not None,
        )
        for name, source in config.sources.items()
    ]


def config_formats_rows(
    config: Sources, timezone: str
) -> list[tuple[str, bool | None, bool | None, str]]:
    """The rows of ``config_formats``; ``timezone`` is that of sources that name none."""
    return [
        (name, form.day_first, form.decimal_comma, form.timezone or timezone)
        for name, source in config.sources.items()
        for form in (source.format,)
    ]


def groups_of(config: Sources) -> dict[str, dict[str, str]]:
    """Source → number of a customer group → its name, of every source whose rows have groups."""
    shops = [name for name, source in config.enabled() if source.entity == "customers"]
    named = {}
    for name, source in config.sources.items():
        if source.entity in GROUPED:
            shop = config.sources.get(_shop_of(source, shops) or name, source)
            named[name] = dict(source.groups or shop.groups)
    return named


def config_groups_rows(config: Sources) -> list[tuple[str, str, str]]:
    """(source, number, name) of every customer group that has a name."""
    return [
        (source, number, name)
        for source, names in groups_of(config).items()
        for number, name in names.items()
    ]


def config_lists_rows(config: Sources) -> list[tuple[str | None, ...]]:
    """(source, list, list_as, account_mode, account_name): what lists say that sources do not."""
    return [
        (name, listed, rule.list_as, *_account(rule.account))
        for name, source in config.sources.items()
        for listed, rule in source.lists.items()
    ]


def config_selections_rows(config: Sources) -> list[tuple[str | None, ...]]:
    """(source, list, id): each list or id that the ``select`` of a source names, once."""
    named = [(name, source.select) for name, source in config.sources.items() if source.select]
    lists = [(name, one, None) for name, select in named for one in dict.fromkeys(select.lists)]
    ids = [(name, None, one) for name, select in named for one in dict.fromkeys(select.ids)]
    return [*lists, *ids]


def _shop_of(source: Source, shops: list[str]) -> str | None:
    """Whose customer ids a source's rows carry: its parent's, else those of the only shop."""
    if source.entity not in ("subscribers", "orders"):
        return None
    if source.parent:
        return source.parent.source
    return shops[0] if len(shops) == 1 else None


class _Document(Frozen):
    """The outermost keys; each source is read on its own, so that one does not hide another."""

    sources: dict[str, dict[str, Any]]


def _with_entity(entry: dict[str, Any], own: Mapping[str, Preset]) -> dict[str, Any]:
    """The entity is the preset's where the source does not say it."""
    names = entry.get("preset")
    first = names[0] if isinstance(names, list) and names else names
    preset = {**own, **presets()}.get(first) if isinstance(first, str) else None
    if "entity" in entry or preset is None or preset.entity is None:
        return entry
    return {**entry, "entity": preset.entity}


def _lines_below(lines: Lines, root: tuple[str, ...]) -> Lines:
    cut = len(root)
    return {loc[cut:]: line for loc, line in lines.items() if loc[:cut] == root}


def _account(account: Account | None) -> tuple[str | None, str | None]:
    return ("into", account.into) if isinstance(account, Into) else (account, None)
