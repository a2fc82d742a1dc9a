"""What files say of consent, in any of their words, is what the org then holds."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

D1, D2, D3 = (date(2026, 11, day) for day in (5, 6, 7))
SOURCES = """
sources:
  crm: {entity: contacts, preset: generic, as: contact, on_bad: {birthdate: reject}}
  list: {entity: contacts, preset: generic, as: lead}
  shop: {entity: customers, preset: generic}
"""


@pytest.fixture
def chain(make_chain: Any) -> Any:
    return make_chain(SOURCES)


def stored(chain: Any, object_name: str = "Contact") -> dict[str, tuple[bool, bool]]:
    """Last name → whether the org mails and calls them no more."""
    fields = ("LastName", "HasOptedOutOfEmail", "DoNotCall")
    return {
        row["LastName"]: (row["HasOptedOutOfEmail"], row["DoNotCall"])
        for row in chain.records(object_name, *fields)
    }


def test_a_no_in_any_column_counts(chain: Any) -> None:
    header = (
        "First Name,Last Name,Email,Email Opt Out,Do Not Call,HASOPTEDOUTOFEMAIL,Unsubscribed\n"
    )
    rows = (
        "Ole,Alpha,ole@cons.example,true,true,1,Yes\n"
        "Pia,Beta,pia@cons.example,false,false,0,No\n"
        "Kai,Gamma,kai@cons.example,0,,,x\n"
    )
    chain.put("crm", D1, "crm.csv", header + rows)
    chain.done(D1)
    assert stored(chain) == {
        "Alpha": (True, True), "Beta": (False, False), "Gamma": (True, False)
    }  # fmt: skip


def test_a_later_zero_is_no_yes_and_an_unclear_cell_opts_nobody_in(chain: Any) -> None:
    header = "Last Name,Email,Newsletter\n"
    chain.put("crm", D1, "crm.csv", header + "One,one@cons.example,no\nTwo,two@cons.example,yes\n")
    chain.done(D1)
    assert stored(chain) == {"One": (True, False), "Two": (False, False)}
    rows = "One,one@cons.example,yes\nTwo,two@cons.example,perhaps\nNew,new@cons.example,perhaps\n"
    chain.put("crm", D2, "crm.csv", header + rows)
    chain.done(D2)
    assert stored(chain) == {"One": (True, False), "Two": (False, False), "New": (True, False)}
    stamps = chain.stamps()
    chain.done(D2)
    assert chain.stamps() == stamps
    shown = chain.causeway("sync", "--batch", str(D2))
    assert "'Newsletter' says 'perhaps'" in shown.stdout


def test_a_yes_with_a_time_turns_back_an_earlier_no_of_its_source_alone(chain: Any) -> None:
    header = "Last Name,Email,Consent status,Unsubscribed at,Opt-in time\n"
    gone = "One,one@cons.example,unsubscribed,2026-10-01 10:00:00,2025-01-01 10:00:00\n"
    back = "One,one@cons.example,subscribed,,2026-10-05 10:00:00\n"
    chain.put("crm", D1, "crm.csv", header + gone)
    chain.done(D1)
    assert stored(chain) == {"One": (True, False)}
    chain.put("crm", D2, "crm.csv", header + back)
    chain.done(D2)
    assert stored(chain) == {"One": (False, False)}
    chain.put("list", D3, "list.csv", "Last Name,Email,Opted Out\nOne,one@cons.example,1\n")
    chain.done(D3)
    assert stored(chain) == {"One": (True, False)}


def test_the_file_itself_may_be_the_statement(chain: Any) -> None:
    header = "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME"
    chain.put("list", D1, "subscribed.csv", f"{header}\na@mc.example,A,In,2,2023-05-01 10:00:00,\n")
    left = 'c@mc.example,C,Left,2,2022-01-01 10:00:00,,"2024-01-01 10:00:00",Spam\n'
    chain.put("list", D1, "unsubscribed.csv", f"{header},UNSUB_TIME,UNSUB_REASON\n{left}")
    chain.put("list", D1, "cleaned.csv", f"{header},CLEAN_TIME\nd@mc.example,D,Bad,2,,,\n")
    chain.done(D1)
    assert stored(chain, "Lead") == {
        "In": (False, False), "Left": (True, False), "Bad": (True, False)
    }  # fmt: skip


def test_customers_speak_as_well_and_sms_is_something_else(chain: Any) -> None:
    header = (
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Accepts SMS Marketing\n"
    )
    rows = "1,Te,No,te@shopc.example,no,no\n2,Ho,Yes,ho@shopc.example,yes,no\n"
    chain.put("shop", D1, "shop.csv", header + rows)
    chain.done(D1)
    assert stored(chain) == {"No": (True, False), "Yes": (False, False)}


def test_what_looks_like_consent_and_is_read_by_nothing_stops_the_plan(chain: Any) -> None:
    chain.put(
        "crm", D1, "crm.csv", "Last Name,Email,GDPR note\nOne,one@cons.example,asked by phone\n"
    )
    blocked = chain.causeway("sync", "--batch", str(D1))
    assert blocked.returncode == 4
    assert '{"GDPR note": ignore}' in blocked.stdout + blocked.stderr
    sources = chain.mappings / "sources.yaml"
    text = sources.read_text().replace(
        "crm: {entity: contacts,", 'crm: {columns: {"GDPR note": ignore}, entity: contacts,'
    )
    sources.write_text(text)
    assert chain.causeway("sync", "--batch", str(D1)).returncode == 0
    assert stored(chain) == {"One": (False, False)}


def test_a_block_stays_while_the_rows_do_whose_file_cannot_be_read_any_more(chain: Any) -> None:
    text = "Last Name,Email,GDPR note\nOne,one@cons.example,asked by phone\n"
    chain.put("crm", D1, "crm.csv", text)
    assert chain.causeway("sync", "--batch", str(D1)).returncode == 4
    chain.put("crm", D1, "crm.csv", b"PK\x03\x04 no workbook")
    blocked = chain.causeway("sync", "--batch", str(D1))
    assert blocked.returncode == 4
    assert "'GDPR note' looks like consent" in blocked.stdout + blocked.stderr
    assert stored(chain) == {}


def test_a_rejected_row_s_no_is_heard_and_brings_nobody(chain: Any) -> None:
    header = "Last Name,Email,Birthdate,Opted Out\n"
    chain.put("crm", D1, "crm.csv", header + "One,one@cons.example,,0\n")
    chain.done(D1)
    assert stored(chain) == {"One": (False, False)}
    bad = "One,one@cons.example,1990-31-31,1\nNew,new@cons.example,1990-31-31,1\n"
    chain.put("crm", D2, "crm.csv", header + bad)
    assert chain.causeway("sync", "--batch", str(D2)).returncode == 1
    assert stored(chain) == {"One": (True, False)}
