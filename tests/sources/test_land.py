"""A day's files become the raw relations: which relation, which columns, which errors."""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.sources.relations import RAW, columns

DAY = date(2026, 11, 5)

CONGRESS = Path(__file__).parents[3] / "shared/data/congress"

CONTACTS = "sources: {lists: {entity: contacts, preset: generic}}\n"

COMPOSITE = "sources: {shop: {preset: magento_customer_composite}}\n"

SAMPLES = {
    "winmo": (
        "contacts",
        "Contact ID,List,First Name,Last Name,Title,Company,Company Type,Brand,Email,Direct Phone,"
        "Main Phone,Address 1,Address 2,City,State,Zip Code,Country,LinkedIn,Last Updated",
        {"raw_contacts"},
    ),
    "apptivo": (
        "contacts",
        "First Name,Last Name,Job Title,Customer,Category,Phone Number,Email Address,"
        "Address Line 1,City,State,Zip Code,Country,Assignee,Tags",
        {"raw_contacts"},
    ),
    "magento_customer": (
        "customers",
        "email,_website,_store,confirmation,created_at,created_in,disable_auto_group_change,dob,"
        "firstname,gender,group_id,lastname,middlename,password_hash,prefix,"
        "reward_update_notification,reward_warning_notification,rp_token,rp_token_created_at,"
        "store_id,suffix,taxvat,updated_at,website_id,password",
        {"raw_customers"},
    ),
    "magento_customer_address": (
        "customers",
        "_website,_email,_entity_id,city,company,country_id,fax,firstname,lastname,middlename,"
        "postcode,prefix,region,region_id,street,suffix,telephone,vat_id,vat_is_valid,"
        "vat_request_date,vat_request_id,vat_request_success,_address_default_billing_,"
        "_address_default_shipping_",
        {"raw_customer_addresses"},
    ),
    "magento_customer_composite": (
        "customers",
        "email,_website,_store,confirmation,created_at,created_in,disable_auto_group_change,dob,"
        "firstname,gender,group_id,lastname,middlename,password_hash,prefix,rp_token,"
        "rp_token_created_at,store_id,suffix,taxvat,website_id,password,_address_city,"
        "_address_company,_address_country_id,_address_fax,_address_firstname,_address_lastname,"
        "_address_middlename,_address_postcode,_address_prefix,_address_region,_address_street,"
        "_address_suffix,_address_telephone,_address_vat_id,_address_default_billing_,"
        "_address_default_shipping_",
        {"raw_customers", "raw_customer_addresses"},
    ),
    "magento_subscriber_table": (
        "subscribers",
        "subscriber_id,store_id,change_status_at,customer_id,subscriber_email,subscriber_status,"
        "subscriber_confirm_code",
        {"raw_subscribers"},
    ),
    "magento_subscriber_grid": (
        "subscribers",
        "ID,Email,Type,Customer First Name,Customer Last Name,Status,Web Site,Store,Store View",
        {"raw_subscribers"},
    ),
    "magento_order": (
        "orders",
        "entity_id,increment_id,state,status,customer_id,customer_is_guest,customer_email,"
        "customer_firstname,customer_lastname,customer_group_id,grand_total,created_at,updated_at",
        {"raw_orders"},
    ),
}


@pytest.mark.parametrize("preset", SAMPLES)
def test_presets_know_their_export(house: Any, preset: str) -> None:
    """Every column of the export finds its place, or is known to have none."""
    _, header, relations = SAMPLES[preset]
    names = header.split(",")
    house.put(
        "it", "file.csv", header + "\n" + ",".join(f"v{at}" for at in range(len(names))) + "\n"
    )
    landed = house.land(house.sources(f"sources: {{it: {{preset: {preset}}}}}\n"))
    assert {count.relation for count in landed.counts} == relations
    values = set()
    for relation in relations:
        [row] = house.rows(relation, *RAW[relation], "_extra::varchar")
        values |= {value for value in row[:-1] if value}
        unused = set(json.loads(row[-1] or "{}"))
        assert unused <= {
            "disable_auto_group_change", "reward_update_notification",
            "reward_warning_notification", "region_id", "vat_is_valid", "vat_request_date",
            "vat_request_id", "vat_request_success",
        }  # fmt: skip
        values |= set(json.loads(row[-1] or "{}").values())
    secrets = {
        "password",
        "password_hash",
        "rp_token",
        "rp_token_created_at",
        "subscriber_confirm_code",
    }
    assert values == {f"v{at}" for at, name in enumerate(names) if name not in secrets}


def test_each_file_goes_to_the_shape_its_header_fits(house: Any) -> None:
    config = house.sources("""
sources:
  shop: {preset: [magento_customer, magento_customer_address]}
  orders: {preset: magento_order}
""")
    for preset, name in (("magento_customer", "a.csv"), ("magento_customer_address", "b.csv")):
        header = SAMPLES[preset][1]
        house.put("shop", name, header + "\n" + "," * header.count(",") + "1\n")
    house.put("orders", "1.csv", SAMPLES["magento_order"][1] + "\n" + "1," * 12 + "2\n")
    house.put(
        "orders",
        "2.csv",
        "parent_id,address_type,firstname,lastname,company,street,city,region,postcode,country_id,telephone,email\n1,billing,a,b,c,d,e,f,g,h,i,j\n",
    )
    landed = house.land(config)
    assert [(count.source, count.relation, count.rows) for count in landed.counts] == [
        ("shop", "raw_customers", 1),
        ("shop", "raw_customer_addresses", 1),
        ("orders", "raw_orders", 1),
        ("orders", "raw_order_addresses", 1),
    ]


def test_rows_without_an_email_are_addresses_of_the_customer_above(house: Any) -> None:
    header = (
        "email,_website,lastname,colour,_address_street,_address_city,_address_default_billing_"
    )
    house.put("shop", "file.csv", "\n".join([
        header,
        ",,,,Nobody's,Nowhere,",
        "ann@example.com,base,Ann,red,1 First St,Rome,1",
        ',,,blue,"2 Second St\nBack",Bern,',
        "bob@example.com,base,Bob,,,,",
        "broken,line",
        ",,,,3 Third St,Oslo,",
        "cy@example.com,base,Cy,,4 Fourth St,,",
        ",,,,,,",
    ]) + "\n")  # fmt: skip
    house.land(house.sources(COMPOSITE))
    assert house.rows("raw_customers", "_row", "email", "_extra::varchar", "_defect is null") == [
        (3, "ann@example.com", '{"colour":"red"}', True),
        (6, "bob@example.com", None, True),
        (7, None, None, False),
        (9, "cy@example.com", None, True),
    ]
    columns = ("_row", "customer_email", "website", "street", "city", "is_default_billing")
    assert house.rows("raw_customer_addresses", *columns, "_extra::varchar") == [
        (2, None, None, "Nobody's", "Nowhere", None, None),
        (3, "ann@example.com", "base", "1 First St", "Rome", "1", None),
        (4, "ann@example.com", "base", "2 Second St\nBack", "Bern", None, '{"colour":"blue"}'),
        (8, None, None, "3 Third St", "Oslo", None, None),
        (9, "cy@example.com", "base", "4 Fourth St", None, None, None),
    ]


def test_repaired_addresses_of_a_single_file_come_back_alone(house: Any) -> None:
    house.put(
        "shop", "file.csv", "email,_website,_address_street\nann@example.com,base,1 First St\n"
    )
    landed = house.land(house.sources(COMPOSITE))
    assert [count.relation for count in landed.counts] == ["raw_customer_addresses"]


def test_all_relations_are_written_with_their_columns_even_without_rows(house: Any) -> None:
    config = house.sources(CONTACTS)
    landed = house.land(config)
    assert list(landed.written) == list(RAW)
    for relation, written in landed.written.items():
        kinds = {
            n: k.upper().replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")
            for n, k in columns(relation).items()
        }
        assert (written.rows, dict(written.columns)) == (0, kinds)
    assert landed.counts == ()


def test_origin_constants_and_ids(house: Any) -> None:
    config = house.sources(
        """
sources:
  lists:
    entity: contacts
    preset: generic
    columns: {Strasse: street, 7: tags}
    ids: [Branch No, Email]
    constants: {country: DE, note: "o'clock"}
    location: "drop/{day}-*.csv"
""".replace("ids: [Branch No, Email]", "ids: [Contact ID, email]")
    )
    (house.inbox / "drop").mkdir()
    (house.inbox / "drop/2026-11-05-a.csv").write_text(
        "Contact ID,E-mail,Strasse,7,Country,Note\n"
        "1,a@example.com,Weg 1,t,AT,\n,b@example.com,,,,\n,,,,,\nbad\n"
    )
    house.land(config)
    columns = (
        "contact_id",
        "street",
        "tags",
        "country",
        "note",
        "_extra::varchar",
        "_source",
        "_file",
        "_row",
        "_batch",
    )
    file = "drop/2026-11-05-a.csv"
    assert house.rows("raw_contacts", *columns) == [
        (
            "1|a@example.com",
            "Weg 1",
            "t",
            "DE",
            "o'clock",
            '{"Country":"AT","Note":null}',
            "lists",
            file,
            2,
            DAY,
        ),
        ("|b@example.com", None, None, "DE", "o'clock", None, "lists", file, 3, DAY),
        (None, None, None, None, None, None, "lists", file, 5, DAY),
    ]
    [(loaded,)] = set(house.rows("raw_contacts", "_loaded_at::timestamp"))
    assert abs((loaded - datetime.utcnow()).total_seconds()) < 60  # noqa: DTZ003


def test_several_headers_for_a_column_are_an_order_of_preference_in_each_row(house: Any) -> None:
    house.put(
        "lists",
        "a.csv",
        "Phone,Direct Phone,email,E-MAIL ADDRESS\n1,2,a@example.com,b\n3,,,c\n4,4,d,d\n",
    )
    house.land(house.sources(CONTACTS))
    assert house.rows("raw_contacts", "phone", "email", "_extra::varchar") == [
        ("2", "a@example.com", '{"phone_2":"1","email_2":"b"}'),
        ("3", "c", None),
        ("4", "d", None),
    ]


@pytest.mark.parametrize(
    ("name", "content", "line", "message"),
    [
        ("a.csv", "", None, "the file is empty"),
        ("a.csv", "\nColour\n", 1, "the first line is blank"),
        ("a.csv", ",,\n", 1, "the first line is blank"),
        ("a.csv", "Colour,Size\n", 1, "the header misses 'Contact ID' or 'Email' or 'Last Name'"),
        ("a.csv", '"Colour"x;Size\n', 1, "the quotes of the header do not close"),
        ("a.csv", 'Colour,;"Size"x\n', 1, "the header misses"),
        ("a.csv", '"Email,Name\n', 1, "the quotes of the header do not close"),
        ("a.csv", b"Email,\xe9\n", 1, "byte 6 is no utf-8"),
        ("a.csv", b"PK\x03\x04\x00\x01binary", None, "an archive of files, called .csv"),
        ("b.csv", b"Email\0,Name", 1, "this is not a text file"),
        ("a.csv.gz", b"no archive", None, "the archive is damaged"),
        ("a.jsonl", "[1]\n", 1, "no line of the file is a JSON object"),
        ("a.xlsx", b"PK\x03\x04no workbook", None, "not a workbook"),
        ("a.parquet", b"no parquet", None, "not a Parquet file"),
        ("a.pdf", b"%PDF", None, "not a kind of file Causeway reads"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_say_why_and_what_to_do(
    house: Any, name: str, content: str | bytes, line: int | None, message: str
) -> None:
    path = house.put("lists", name, content)
    [problem] = house.land(house.sources(CONTACTS)).refused
    assert (problem.file, problem.line) == (str(path), line)
    assert message in problem.message
    assert house.rows("raw_contacts", "*") == []


def test_all_problems_of_all_files_are_told_at_once(house: Any) -> None:
    house.put("lists", "a.csv", "")
    house.put("lists", "b.csv", "Colour\nred\n")
    house.put("lists", "c.csv", "Email\nann@example.com\n")
    refused = house.land(house.sources(CONTACTS)).refused
    assert [Path(problem.file).name for problem in refused] == ["a.csv", "b.csv"]
    assert house.rows("raw_contacts", "email") == [("ann@example.com",)]


def test_a_file_that_was_edited_and_given_its_old_time_lands_anew(house: Any) -> None:
    path = house.put("lists", "a.csv", "Email\nann@example.com\n")
    config = house.sources(CONTACTS)
    house.land(config)
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"Email\nbob")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (
        before.st_ino, before.st_size, before.st_mtime_ns,
    )  # fmt: skip
    house.land(config)
    assert house.rows("raw_contacts", "email") == [("bob@example.com",)]


def test_parquet(house: Any) -> None:
    path = house.put("lists", "people.parquet", "")
    duckdb.execute(f"""
        copy (
            select * from (values
                (1.0::double, 'Ann', date '1990-02-01', true, 1.5::double, 'NULL'),
                (null, 'Bob', null, false, null, '')
            ) t("Contact ID", "Last Name", Birthday, Tags, Score, City)
        ) to '{path}'""")
    house.land(house.sources(CONTACTS))
    assert house.rows(
        "raw_contacts",
        "_row",
        "contact_id",
        "last_name",
        "birthdate",
        "tags",
        "city",
        "_extra::varchar",
    ) == [
        (1, "1", "Ann", "1990-02-01", "true", None, '{"Score":"1.5"}'),
        (2, None, "Bob", None, "false", None, None),
    ]


def test_nested_parquet_is_refused(house: Any) -> None:
    path = house.put("lists", "people.parquet", "")
    duckdb.execute(f"copy (select 'a' as email, {{'password': 'x'}} as more) to '{path}'")
    [problem] = house.land(house.sources(CONTACTS)).refused
    assert "'more' holds nested values" in problem.message


def test_json_lines(house: Any) -> None:
    house.put("lists", "people.jsonl", "\n".join([
        '{"First Name": "Ann", "Zip Code": 501, "tags": ["a", "b"]}',
        "",
        '{"First Name": "Bob", "email": "bob@example.com", "score": 1.50, "vip": true}',
        '{"First Name": "Cy", "First Name": "Cyd"}',
        '["a list"]',
        "{broken",
        '{"First Name": null}',
    ]))  # fmt: skip
    house.land(house.sources(CONTACTS))
    columns = ("_row", "first_name", "postal_code", "email", "tags", "_extra::varchar", "_defect")
    assert house.rows("raw_contacts", *columns) == [
        (1, "Ann", "501", None, "a; b", None, None),
        (3, "Bob", None, "bob@example.com", None, '{"score":"1.50","vip":"true"}', None),
        (4, None, None, None, None, None, "a key that stands twice (bytes 138-180)"),
        (5, None, None, None, None, None, "not a JSON object (bytes 180-191)"),
        (6, None, None, None, None, None, "not valid JSON (bytes 191-199)"),
    ]


@pytest.mark.skipif(not CONGRESS.is_dir(), reason="the files do not lie beside the project here")
def test_members_of_congress_and_their_offices(house: Any) -> None:
    house.put("members", "members.csv", (CONGRESS / "members.csv").read_bytes())
    house.put("offices", "offices.csv", (CONGRESS / "district_offices.csv").read_bytes())
    landed = house.land(
        house.sources("""
sources:
  members: {entity: contacts, preset: generic, as: contact}
  offices:
    entity: contacts
    preset: generic
    ids: [Office ID]
    parent: {source: members, column: Contact ID}
""")
    )
    counts = [(count.source, count.rows, count.defects) for count in landed.counts]
    assert counts == [("members", 537, 0), ("offices", 1312, 0)]
    columns = ("contact_id", "parent_id", "street", "street2", "postal_code")
    assert house.rows("raw_contacts", *columns)[537] == (
        "A000055-cullman", "A000055", "205 4th Ave. NE", "Suite 104", "35055",
    )  # fmt: skip
    ids = house.rows("raw_contacts", "contact_id", "parent_id")
    members = {row[0] for row in ids if row[1] is None}
    assert len(members) == 537
    assert {row[1] for row in ids if row[1]} <= members
    assert len({row[0] for row in ids}) == 537 + 1312
