"""Laws of validation: no row lost, none twice, and order decides nothing but ties."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXT = st.none() | st.text(max_size=8)
CONTACT = st.fixed_dictionaries(
    {
        "contact_id": st.sampled_from([None, "a", "b", "c"]),
        "last_name": TEXT,
        "email": st.sampled_from([None, "a@x.org", "a@@x", "B@x.org"]) | TEXT,
        "phone": st.sampled_from([None, "555-0100", "call me"]),
        "parent_id": st.sampled_from([None, None, "a", "zzz"]),
        "city": TEXT,
        "birthdate": st.sampled_from([None, "1990-01-01", "2990-01-01", "x"]),
        "updated_at": st.sampled_from([None, "2026-11-01", "2026-11-02", "2099-01-01", "x"]),
        "_defect": st.sampled_from([None, None, None, "broken"]),
    }
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(CONTACT, max_size=9))
def test_each_row_gets_one_verdict(home: Any, rows: list[dict[str, Any]]) -> None:
    done = home.judge("contacts", rows)
    valid, rejected = home.read("valid_contacts"), home.read("rejected_contacts")
    lines = sorted(row["_row"] for row in [*valid, *rejected])
    assert lines == list(range(2, len(rows) + 2))
    assert done.staged == len(rows)

    ids = [row["source_id"] for row in valid]
    assert None not in ids
    assert len(set(ids)) == len(ids)
    for row in rejected:
        broken = [(reason["rule"], reason["field"]) for reason in row["reasons"]]
        assert broken
        assert len(set(broken)) == len(broken)
    assert sum(done.broken.values()) == sum(len(row["reasons"]) for row in rejected)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(CONTACT, max_size=7, unique_by=lambda row: row["contact_id"]), data=st.data())
def test_verdicts_do_not_depend_on_the_order_of_rows(
    home: Any, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    numbered = [row | {"_row": number} for number, row in enumerate(rows, start=2)]
    home.judge("contacts", numbered)
    first = home.read("valid_contacts"), home.read("rejected_contacts")
    home.judge("contacts", data.draw(st.permutations(numbered)))
    assert (home.read("valid_contacts"), home.read("rejected_contacts")) == first
