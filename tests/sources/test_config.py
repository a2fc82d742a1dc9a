"""sources.yaml: what it may say, and what it is told when it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.config import PROJECT
from pipelines.errors import ConfigError
from pipelines.sources.config import (
    CONFIG_SOURCES,
    config_lists_rows,
    config_sources_rows,
    headers,
    read_sources,
)
from pipelines.sources.headers import squeeze
from pipelines.sources.presets import ADDRESSES, RELATIONS, presets
from pipelines.sources.relations import RAW


def test_presets_name_real_columns_and_tell_their_headers_apart() -> None:
    for name, preset in presets().items():
        for shape in preset.shapes:
            raw = set(RAW[shape.relation])
            mandatory = {c for m in shape.mandatory for c in ((m,) if isinstance(m, str) else m)}
            assert {shape.id, *shape.columns.values(), *mandatory} <= raw, name
            assert all(shape.header_of(column) for column in mandatory), name
            assert set((shape.addresses or {}).values()) <= set(RAW[ADDRESSES]), name
            for listed in (shape.columns, shape.addresses or {}):
                assert len({*map(squeeze, listed)}) == len(listed), name
            if preset.entity:
                assert shape.relation in RELATIONS[preset.entity], name
    assert {name for name, preset in presets().items() if preset.invented} == {"winmo", "apptivo"}


def test_the_shipped_sources_are_sound_and_named_as_told() -> None:
    config = read_sources(PROJECT / "mappings" / "sources.yaml")
    entities = {name: source.entity for name, source in config.sources.items()}
    assert entities == {
        "winmo": "contacts",
        "apptivo": "contacts",
        "shop": "customers",
        "newsletter": "subscribers",
        "shop_orders": "orders",
    }
    assert [config.sources[name].list_as for name in ("winmo", "apptivo")] == ["lead", "contact"]


def test_the_examples_in_the_shipped_comments_work(house: Any) -> None:
    """What the comments show is read back: the three lines, and every key on one source."""
    text = (PROJECT / "mappings" / "sources.yaml").read_text(encoding="utf-8")
    comments = [line[1:] for line in text.split("\nsources:\n")[0].splitlines()]
    body = [line[5:] for line in comments if line.startswith("     ")]
    start = body.index("my_list:")
    three, every = body[start : start + 3], body[start + 3 :]
    every = [line.replace("members", "people") for line in every]
    [groups] = [line for line in every if line.startswith("groups:")]  # contacts have none
    every.remove(groups)
    indented = ["  " + line for line in three] + ["  all:"] + ["    " + line for line in every]
    people = ["  people: {entity: contacts, preset: generic}"]
    people += ["  shop:", "    preset: magento_customer", f"    {groups}"]
    config = house.sources(
        "\n".join(["sources:", *people, *indented]).replace("Branch, Number", "Contact ID, Email")
    )
    assert config.sources["my_list"].list_as == "lead"
    every_key = set(type(config.sources["all"]).model_fields)
    assert set(config.sources["all"].model_fields_set) == every_key - {"groups"}
    assert config.sources["shop"].groups == {"1": "General", "2": "Wholesale"}


def test_rows_for_config_tables(house: Any) -> None:
    config = house.sources("""
sources:
  members: {entity: contacts, preset: generic, as: contact, account: source_name}
  offices:
    entity: contacts
    preset: generic
    priority: 7
    parent: {source: members, column: Contact ID}
  fair:
    entity: contacts
    preset: generic
    account: {into: Fair 2026}
    lists: {West: {as: lead}, East: {account: none}}
  shop: {preset: magento_customer}
  gone: {preset: magento_order, enabled: false}
  other: {preset: magento_order, parent: {source: shop, column: buyer}}
""")
    names = list(CONFIG_SOURCES)
    rows = [dict(zip(names, row, strict=True)) for row in config_sources_rows(config)]
    assert [{name: value for name, value in row.items() if value} for row in rows] == [
        {"source": "members", "entity": "contacts", "priority": 50, "list_as": "contact",
         "account_mode": "source_name"},
        {"source": "offices", "entity": "contacts", "priority": 7, "parent_source": "members"},
        {"source": "fair", "entity": "contacts", "priority": 50, "account_mode": "into",
         "account_name": "Fair 2026"},
        {"source": "shop", "entity": "customers", "priority": 50},
        {"source": "gone", "entity": "orders", "priority": 50, "customer_source": "shop"},
        {"source": "other", "entity": "orders", "priority": 50, "customer_source": "shop"},
    ]  # fmt: skip
    assert config_lists_rows(config) == [
        ("fair", "West", "lead", None, None),
        ("fair", "East", None, "none", None),
    ]
    assert [name for name, _ in config.enabled()] == ["members", "offices", "fair", "shop", "other"]


def test_every_problem_is_told_with_its_line(house: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        house.sources("""
sources:
  one:
    preset: winmoo
  two:
    preset: generic
  three:
    preset: winmo
    entity: orders
  four:
    preset: winmo
    colums: {a: email}
    columns:
      Mail: e_mail
  five:
    preset: winmo
    columns:
      Mail: e_mail
      MAIL: email
    constants: {email: x, colour: red}
    ids:
      - Email
      - Branch
    parent: {source: six}
  six:
    preset: magento_order
    as: lead
    location: exports/*.csv
  seven:
    preset: winmo
    format: {delimiter: ab, encoding: utf-99}
  Eight:
    preset: winmo
    parent: {source: nine}
  nine:
    preset: winmo
    priority: 0
    extract: some
""")
    problems = {(p.line, p.message) for p in caught.value.problems}
    assert all(p.file.endswith("sources.yaml") for p in caught.value.problems)
    starts = sorted((line, message[:52]) for line, message in problems)
    assert [line for line, _ in starts] == [
        4, 6, 9, 12, 14, 18, 19, 20, 20, 23, 24, 27, 28, 31, 31, 32, 37, 38
    ]  # fmt: skip
    text = "\n".join(message for _, message in starts)
    assert "did you mean 'winmo'?" in "\n".join(message for _, message in problems)
    for part in (
        "two: the preset 'generic' needs an entity",
        "three: the preset 'winmo' brings contacts, not order",
        "unknown key 'colums'; did you mean 'columns'?",
        "four: there is no column 'e_mail'; did you mean",
        "five: there is no column 'e_mail'; did you mean",
        "five: 'MAIL' and 'Mail' are the same header",
        "five: 'email' comes from a header already",
        "five: no preset of this source knows 'Branch'",
        "five: 'six' has orders, not contacts",
        "six: 'as' is for contact lists",
        "six: 'exports/*.csv' does not tell one batch",
        "Eight: a source's name is a folder's name",
    ):
        assert part in text


def test_a_promise_that_is_not_kept_yet_is_refused_with_its_line(house: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        house.sources("""
sources:
  news: {preset: magento_subscriber_table,
    extract: full}
""")
    [problem] = caught.value.problems
    assert "not acted upon yet" in problem.message
    assert problem.line in (2, 3, 4)


def test_headers_bring_exported_rows_back(house: Any) -> None:
    config = house.sources("""
sources:
  offices:
    entity: contacts
    preset: generic
    columns: {Strasse: street}
    ids: [Office ID]
    constants: {country: US}
    parent: {source: members, column: Contact ID}
  members: {entity: contacts, preset: generic, ids: [Email, Phone]}
  shop: {preset: magento_customer_composite}
""")
    header_of = headers(config, "offices", "raw_contacts")
    assert header_of["contact_id"] == "Office ID"
    assert header_of["parent_id"] == "Contact ID"
    assert header_of["street"] == "Strasse"
    assert header_of["first_name"] == "First Name"
    assert "country" not in header_of
    assert "contact_id" not in headers(config, "members", "raw_contacts")
    assert headers(config, "shop", "raw_customers")["birthdate"] == "dob"
    addresses = headers(config, "shop", ADDRESSES)
    assert (addresses["customer_email"], addresses["street"]) == ("email", "_address_street")


def test_a_row_landed_exported_and_landed_again_is_the_same(house: Any) -> None:
    config = house.sources((PROJECT / "mappings" / "sources.yaml").read_text(encoding="utf-8"))
    for name, source in config.sources.items():
        for shape in source.shapes():
            header_of = headers(config, name, shape.relation)
            values = {column: f"{column}-value" for column in header_of}
            path = house.put(
                name,
                "again.csv",
                ",".join(header_of.values()) + "\n" + ",".join(values.values()) + "\n",
            )
            house.land(config)
            [row] = house.rows(shape.relation, *RAW[shape.relation], "_extra")
            assert (
                dict(zip(RAW[shape.relation], row, strict=False))
                == dict.fromkeys(RAW[shape.relation]) | values
            )
            assert row[-1] is None
            path.unlink()
            path.parent.rmdir()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sources\.yaml: this file is missing"):
        read_sources(tmp_path / "sources.yaml")
