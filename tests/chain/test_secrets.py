"""What must never land is nowhere but in the file somebody brought: looked for byte by byte."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.exports import CUSTOMER, SUBSCRIBER

DAY = date(2026, 11, 5)
SECRET = re.compile(rb"zecret-\d+")

SOURCES = """
sources:
  list: {entity: contacts, preset: generic, as: contact, format: {encoding: utf-8}}
  shop: {preset: magento_customer, priority: 10}
  news: {preset: magento_subscriber_table}
"""

LIST = b"""\
First Name,Last Name,Email,Password_Hash, RP_TOKEN ,Subscriber_Confirm_Code,Note,PassWord
Ada,Okafor,ada@acme.example,zecret-1,zecret-2,zecret-3,hello,zecret-4
Ben,Voss,ben@acme.example,zecret-5,zecret-6,zecret-7,one,too,many,zecret-8
Cy,Roux,cy@acme.example,zecret-9
Di,Marsh,di@acme.example,"zecret-10 opens and never closes,zecret-11,zecret-12,x,zecret-13
Ed,Holt,ed@acme.example,zecret-14,zecret-15,zecret-16,\xff\xfe,zecret-17
Flo,,not an address,zecret-18,zecret-19,zecret-20,bad row,zecret-21
"""

JSON = """\
{"First Name": "Gil", "Last Name": "Abrams", "Email": "gil@acme.example"}
{"First Name": "Hal", "Last Name": "Drake", "Email": "hal@acme.example", "RP_Token": "zecret-30"}
{"First Name": "Ida", "Last Name": "Neri", "password_hash": "zecret-31"
"""


def _row(header: tuple[str, ...], **values: str) -> str:
    return ",".join(values.get(name, "") for name in header) + "\n"


@pytest.fixture(scope="module")
def chain(make_chain: Any) -> Any:
    new_chain = make_chain(SOURCES)
    new_chain.put("list", DAY, "list.csv", LIST)
    new_chain.put("list", DAY, "more.jsonl", JSON)
    customer = {
        "_website": "base",
        "firstname": "Kai",
        "lastname": "Lis",
        "created_at": "2026-11-01 09:30:00",
    }
    secrets = {
        "password_hash": "zecret-40",
        "rp_token": "zecret-41",
        "rp_token_created_at": "zecret-42",
        "password": "zecret-43",
    }
    rows = [
        _row(CUSTOMER, email="kai@example.com", **customer, **secrets),
        _row(CUSTOMER, email="no address", **customer, **secrets),
        "zecret-44,zecret-45\n",
    ]
    new_chain.put("shop", DAY, "customer.csv", ",".join(CUSTOMER) + "\n" + "".join(rows))
    reader = {"subscriber_email": "kai@example.com", "subscriber_confirm_code": "zecret-50"}
    rows = [
        _row(SUBSCRIBER, subscriber_id="1", subscriber_status="1", **reader),
        _row(SUBSCRIBER, subscriber_id="2", subscriber_status="7", **reader),
    ]
    new_chain.put("news", DAY, "subscribers.csv", ",".join(SUBSCRIBER) + "\n" + "".join(rows))
    new_chain.done(DAY)
    new_chain.stop_org()  # its file can be read once it is closed
    return new_chain


def test_the_rows_around_the_secrets_landed(chain: Any) -> None:
    contacts = chain.read("raw_contacts", DAY)
    assert sum(row["_defect"] is not None for row in contacts) == 5
    assert {row["first_name"] for row in contacts} == {"Ada", "Flo", "Gil", "Hal", None}
    assert {row["email"] for row in chain.read("valid_customers", DAY)} == {"kai@example.com"}
    assert len(chain.read("rejected_customers", DAY)) == 2
    assert len(chain.read("rejected_subscribers", DAY)) == 1


def test_no_byte_of_any_file_holds_a_secret(chain: Any) -> None:
    brought, hits_of = set(), {}
    for path in chain.home.rglob("*"):
        if path.is_file():
            hits = {hit for text in _texts(path) for hit in SECRET.findall(text)}
            if path.is_relative_to(chain.inbox):
                brought |= hits
            elif hits:
                hits_of[path] = hits
    assert len(brought) > 25  # the search finds what is there
    assert hits_of == {}


def test_the_search_sees_what_is_compressed(chain: Any) -> None:
    ada = b"ada@acme.example"
    where = {
        path.suffix
        for path in chain.home.rglob("*")
        if path.is_file() and any(ada in text for text in _texts(path))
    }
    assert {".csv", ".parquet", ".duckdb"} <= where


def _texts(path: Path) -> Iterator[bytes]:
    """A file's bytes, and what it holds once it is unpacked."""
    yield path.read_bytes()
    if path.suffix == ".parquet":
        yield from _parquet(path)
    elif path.suffix == ".duckdb":
        yield from _duckdb(path)
    elif path.suffix == ".db":
        yield from _sqlite(path)


def _parquet(path: Path) -> Iterator[bytes]:
    import duckdb

    with duckdb.connect() as connection:
        for row in connection.execute("from read_parquet($1)", [str(path)]).fetchall():
            yield repr(row).encode()


def _duckdb(path: Path) -> Iterator[bytes]:
    import duckdb

    with duckdb.connect(path, read_only=True) as connection:
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall():
            for row in connection.execute(f'from "{schema}"."{table}"').fetchall():
                yield repr(row).encode()


def _sqlite(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(path)) as connection:
        for [table] in connection.execute(
            "select name from sqlite_master where type = 'table'"
        ).fetchall():
            for row in connection.execute(f'select * from "{table}"'):
                yield repr(row).encode()
