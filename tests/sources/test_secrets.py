"""What the exports carry and must not stay: no byte of it below the home but in the inbox."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigError
from pipelines.sources.headers import is_secret
from pipelines.sources.presets import presets
from pipelines.sources.relations import SECRETS

SECRET = "hunter2-4711"

SHOP = """
sources:
  shop:
    preset: [magento_customer, magento_customer_composite]
    columns: {tax: tax_number}
"""

HEADER = ["email", "_website", "lastname", "tax", "Colour", *sorted(SECRETS), " RP_Token "]
SPELLED = ["E-Mail", "_website", "lastname", "tax", "Colour", "PASSWORD", "Password Hash"]


def leaks(house: Any) -> list[Path]:
    """Files below the home, but for the inbox, in which the secret can be read.

    Parquet is compressed: its values are looked for as DuckDB reads them.
    """
    paths = []
    for path in house.home.rglob("*"):
        if not path.is_file() or path.is_relative_to(house.inbox):
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            rows = duckdb.execute("select to_json(t)::varchar from read_parquet(?) t", [str(path)])
            content += repr(rows.fetchall()).encode()
        if SECRET.encode() in content:
            paths.append(path)
    return paths


def line(*values: str, delimiter: str = ",") -> str:
    return delimiter.join(values) + "\n"


def person(name: str, header: list[str]) -> list[str]:
    return [f"{name}@example.com", "base", name, "T1", "red", *[SECRET] * (len(header) - 5)]


def test_secrets_do_not_land_whatever_the_format(house: Any) -> None:
    header = [name for name in HEADER if name != " RP_Token "]
    rows = [person(name, header) for name in ("ann", "bob")]
    text = line(*header) + "".join(line(*row) for row in rows)
    house.put("shop", "sound.csv", text)
    house.put("shop", "tabs.tsv", text.replace(",", "\t"))
    house.put("shop", "wide.csv", text.encode("utf-16"))
    house.put("shop", "spelled.csv", line(*SPELLED) + line(*person("cy", SPELLED)))
    objects = [dict(zip(header, row, strict=True)) for row in rows]
    objects.append(objects[0] | {"more": {"kept": [1, {"Password": SECRET}], "rp_token": SECRET}})
    house.put("shop", "lines.jsonl", "".join(json.dumps(one) + "\n" for one in objects))
    parquet = house.put("shop", "columns.parquet", "")
    duckdb.read_csv(str(house.put("shop", "sound.csv", text))).write_parquet(str(parquet))
    landed = house.land(house.sources(SHOP))
    assert sum(count.rows for count in landed.counts) == 2 + 2 + 2 + 1 + 3 + 2
    assert leaks(house) == []
    extra = {row[0] for row in house.rows("raw_customers", "_extra::varchar")}
    assert '{"Colour":"red"}' in extra
    assert all(not is_secret(key) for text in extra for key in json.loads(text))


def test_secrets_of_broken_lines_do_not_land(house: Any) -> None:
    header = HEADER[:-1]
    sound = person("ann", header)
    broken = [
        line(*sound, SECRET, SECRET),
        line(*sound[:-2]),
        line(*sound[:4], f'"{SECRET}"{SECRET}', *sound[5:]),
        line("x\udce9\udcff" + SECRET, *sound[1:]),
        line(*sound[:3], f'"{SECRET}', *sound[4:]),
    ]
    text = line(*header) + line(*sound) + "".join(broken) + line(*sound)
    content = text.encode("utf-8", "surrogateescape")
    house.put("shop", "broken.csv", content)
    house.put(
        "shop",
        "broken.jsonl",
        json.dumps(dict(zip(header, sound, strict=True))) + f'\n{{"password": "{SECRET}",\n',
    )
    config = house.sources(SHOP.replace("columns:", "format: {encoding: utf-8}\n    columns:"))
    landed = house.land(config)
    assert [(count.rows, count.defects) for count in landed.counts] == [(7 + 2, 5 + 1)]
    assert leaks(house) == []


def test_errors_do_not_tell_them(house: Any) -> None:
    house.put("shop", "a.csv", line("password", "password", "x") + line(SECRET, SECRET, "y"))
    house.put("shop", "b.csv", line("email", "password") + line("é", SECRET))
    house.put(
        "shop",
        "c.csv",
        (line(*HEADER[:3], "password") + line("é", "b", "c", SECRET)).encode("latin-1"),
    )
    message = repr(house.land(house.sources(SHOP)).refused)
    assert "a.csv" in message
    assert SECRET not in message


def test_two_spellings_of_a_secret_are_both_dropped(house: Any) -> None:
    house.put("shop", "a.csv", line(*HEADER) + line(*person("ann", HEADER)))
    house.land(house.sources(SHOP))
    assert leaks(house) == []


SPELLINGS = """
 Password| RP TOKEN|rp-token|Password_Hash|ｐassword|userPassword2|passWord|API-Key|api_key|apiKey
APIKEY|Customer API Keys|sessionId|SESSION_ID|pwd|PassWD hash|Client.Secret|TOKENS|access/token
"""
ALIKE = "secretary|Secretary's Phone|tokenized|Session|Session Identity|key|API|Passport|Keynote"


@pytest.mark.parametrize("spelled", SPELLINGS.replace("\n", "|").strip("|").split("|"))
def test_spelling_hides_no_secret(spelled: str) -> None:
    assert is_secret(spelled)


@pytest.mark.parametrize("header", ALIKE.split("|"))
def test_words_that_only_begin_alike_are_no_secrets(header: str) -> None:
    assert not is_secret(header)


def test_no_preset_reads_a_secret() -> None:
    shapes = [shape for preset in presets().values() for shape in preset.shapes]
    headers = {header for shape in shapes for header in (*shape.columns, *(shape.addresses or {}))}
    assert {header for header in headers if is_secret(header)} == set()


@given(
    words=st.lists(
        st.sampled_from(["my", "password", "api", "key", "note"]), min_size=1, max_size=3
    ),
    style=st.sampled_from(["{}_{}", "{}-{}", "{} {}", "{}.{}", "camel", "Title"]),
    upper=st.booleans(),
)
def test_a_style_of_writing_makes_no_difference(words: list[str], style: str, upper: bool) -> None:
    if style == "camel":
        header = words[0] + "".join(word.title() for word in words[1:])
    elif style == "Title":
        header = " ".join(word.title() for word in words)
    else:
        header = style[2:-2].join(word.upper() if upper else word for word in words)
    wanted = "password" in words or ("api", "key") in pairwise(words)
    assert is_secret(header) == wanted


def test_withheld_cells_are_counted_and_a_source_may_say_otherwise(house: Any) -> None:
    columns = "{Token: {secret: false}, Ring: {secret: true}, Key Pwd: {secret: false}}"
    text = "sources: {lists: {entity: contacts, preset: generic, columns: COLUMNS}}"
    header = ["Email", "Token", "apiKey", "Ring", "Key Pwd", "Note"]
    rows = [
        ["a@b.example", "T1", SECRET, SECRET, "K1", "n"],
        ["b@b.example", "", "NULL", "", "", ""],
    ]
    house.put("lists", "a.csv", "".join(line(*row) for row in (header, *rows)))
    house.put("lists", "b.csv", "".join(line(*row) for row in (header, *rows)).encode("utf-16"))
    objects = [dict(zip(header, row, strict=True)) for row in rows]
    nested = objects[0] | {"more": {"session_id": SECRET, "token": "T2"}}
    house.put("lists", "c.jsonl", "".join(json.dumps(one) + "\n" for one in (*objects, nested)))
    table = pa.table([list(cells) for cells in zip(*rows, strict=True)], header)
    pq.write_table(table, house.put("lists", "d.parquet", ""))
    landed = house.land(house.sources(text.replace("COLUMNS", columns)))
    assert landed.refused == ()
    assert landed.withheld == {"lists": {"Ring": 5, "apiKey": 5, "session_id": 1}}
    assert leaks(house) == []
    extra = [json.loads(row) for (row,) in house.rows("raw_contacts", "_extra") if row]
    assert all((one["Token"], one["Key Pwd"]) == ("T1", "K1") for one in extra)
    assert len(extra) == 5
    assert [one["more.token"] for one in extra if one.get("more.token")] == ["T2"]
    again = house.land(house.sources(text.replace("COLUMNS", columns)))
    assert again.withheld == landed.withheld


def test_no_source_may_rename_a_secret(house: Any) -> None:
    with pytest.raises(ConfigError, match=r"sources\.yaml:5: shop: 'Password Hash' is a secret"):
        house.sources(SHOP.replace("tax: tax_number", "Password Hash: tax_number"))
