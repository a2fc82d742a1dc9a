"""Files as other programs export them arrive in the org with no word about their columns."""

from __future__ import annotations

from datetime import date
from typing import Any

DAY = date(2026, 11, 5)
SOURCES = """
sources:
  phone: {entity: contacts, as: contact}
  desk: {entity: contacts, as: contact}
  kartei: {entity: contacts, as: lead}
"""
GOOGLE = """\
First Name,Last Name,Phonetic First Name,File As,Organization Name,Organization Title,Labels,\
E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value,\
Address 1 - Street,Address 1 - City,Address 1 - Region,Address 1 - Postal Code,\
Address 1 - Country,Address 1 - Extended Address
Orla,Quist,,,Kelp Works,Diver,* myContacts,* Work,orla@kelp.example ::: oq@home.example,Mobile,\
+1 415 555 0161,Work,+1 415 555 0162,3 Quay St,Reno,NV,89501,US,Floor 2
"""
OUTLOOK = """\
Title,First Name,Last Name,Company,Job Title,Business Street,Business City,Business Postal Code,\
Business Country/Region,Home Street,Home City,Home Postal Code,Home Country/Region,Home Phone,\
E-mail Address,E-mail Display Name,Web Page
Ms.,Perla,Voss,Voss Ltd,Buyer,1 Mill Rd,Oslo,0150,Norway,2 Hill Rd,Bergen,5003,Norway,\
+47 55 55 01 01,perla@voss.example,,https://www.linkedin.com/in/perla
"""
KARTEI = """\
Vorname,Name,Firma,Funktion,Straße Firma,PLZ,Ort,Telefon geschäftlich,Handy,E-Mail,Webseite
Ilka,Brahms,Brahms AG,Leitung,Ring 4,80331,München,089 555 010,0171 555 010,\
ilka@brahms.example,https://www.linkedin.com/in/ilka
"""


def test_exports_arrive_without_a_word_about_their_columns(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    for source, text in (("phone", GOOGLE), ("desk", OUTLOOK), ("kartei", KARTEI)):
        chain.put(source, DAY, "export.csv", text)
    chain.done(DAY)
    fields = (
        "FirstName", "Salutation", "Title", "Email", "Phone", "MobilePhone", "HomePhone",
        "MailingStreet", "MailingCity", "OtherStreet", "OtherCity",
    )  # fmt: skip
    contacts = {
        row["FirstName"]: [row[name] for name in fields[1:]]
        for row in chain.records("Contact", *fields)
    }
    assert contacts == {
        "Orla": [
            None, "Diver", "orla@kelp.example", "+1 415 555 0162", "+1 415 555 0161", None,
            "3 Quay St\nFloor 2", "Reno", None, None,
        ],
        "Perla": [
            "Ms.", "Buyer", "perla@voss.example", None, None, "+47 55 55 01 01",
            "1 Mill Rd", "Oslo", "2 Hill Rd", "Bergen",
        ],
    }  # fmt: skip
    fields = ("LastName", "Company", "Title", "Street", "City", "Phone", "MobilePhone", "Website")
    [lead] = chain.records("Lead", *fields)
    assert [lead[name] for name in fields] == [
        "Brahms", "Brahms AG", "Leitung", "Ring 4", "München", "089 555 010", "0171 555 010", None,
    ]  # fmt: skip
