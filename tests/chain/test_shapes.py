"""Files whose columns stand elsewhere than one expects reach the org whole, and it is told."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from typing import Any

DAY = date(2026, 11, 5)
SOURCES = "sources: {people: {entity: contacts, preset: generic, as: contact}}"

TITLED = (
    "Notes:\nSome addresses are missing.\n\nFirst Name;Last Name;Email\nAda;Tarn;ada@s.example\n"
)
REPORT = (
    'First Name,Last Name,Email\n"Bea","Moor","bea@s.example"\n\n'
    '"All Visitors"\n"Confidential Information - Do Not Distribute"\n"Grand Totals (1 records)"\n'
)
CARD = "BEGIN:VCARD\nVERSION:3.0\nN:Dell;Cy;;;\nEMAIL;TYPE=WORK:cy@s.example\nEND:VCARD\n"
PAGE = (
    "<table><tr><th>First Name</th><th>Last Name</th><th>Email</th></tr>"
    "<tr><td>Di</td><td>Fell</td><td>di@s.example</td></tr></table>"
)


def test_files_of_many_shapes_reach_the_org(make_chain: Any) -> None:
    chain = make_chain(SOURCES)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("titled.csv", TITLED)
        archive.writestr("report.csv", REPORT)
    chain.put("people", DAY, "all.zip", stream.getvalue())
    chain.put("people", DAY, "cards.vcf", CARD)
    chain.put("people", DAY, "page.xls", PAGE)
    result = chain.causeway("sync", "--json")
    assert result.returncode == 0, result.stderr + result.stdout
    remarks = " ".join(one["message"] for one in json.loads(result.stdout)["remarks"])
    for part in ("the header is in line 4", "separated by ';'", "a footer", "a page of HTML"):
        assert part in remarks
    found = {
        (row["FirstName"], row["LastName"], row["Email"])
        for row in chain.records("Contact", "FirstName", "LastName", "Email")
    }
    assert found == {
        ("Ada", "Tarn", "ada@s.example"),
        ("Bea", "Moor", "bea@s.example"),
        ("Cy", "Dell", "cy@s.example"),
        ("Di", "Fell", "di@s.example"),
    }
