import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.salesforce.rows import ROW_CODES, Load, RowError, Verdict


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "STRING_TOO_LONG:ShortTextField: data value too large: ££ (max length=10)"
            ":ShortTextField__c --",
            RowError(
                "STRING_TOO_LONG",
                "ShortTextField: data value too large: ££ (max length=10)",
                ("ShortTextField__c",),
            ),
        ),
        (
            "UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 200 records: "
            "001xxx,001yyy,...:--",
            RowError(
                "UNABLE_TO_LOCK_ROW",
                "unable to obtain exclusive access to this record or 200 records: "
                "001xxx,001yyy,...",
            ),
        ),
        (
            "INVALID_FIELD:Failed to deserialize field at col 3. Due to, 'x' is not a valid value "
            "for the type xsd:date:Birthdate --",
            RowError(
                "INVALID_FIELD",
                "Failed to deserialize field at col 3. Due to, 'x' is not a valid value "
                "for the type xsd:date",
                ("Birthdate",),
            ),
        ),
        (
            "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName, Company]"
            ":LastName Company --",
            RowError(
                "REQUIRED_FIELD_MISSING",
                "Required fields are missing: [LastName, Company]",
                ("LastName", "Company"),
            ),
        ),
        ("Something else", RowError("Something else", "")),
    ],
)
def test_bulk_errors_are_read(text: str, error: RowError) -> None:
    assert RowError.from_bulk(text) == error


@given(
    st.sampled_from(sorted(ROW_CODES)),
    st.text(),
    st.lists(st.from_regex(r"[A-Z][A-Za-z_]{0,20}", fullmatch=True)),
)
def test_any_bulk_error_comes_back_whole(code: str, message: str, fields: list[str]) -> None:
    text = f"{code}:{message}:{' '.join(fields)}{' ' if fields else ''}--"
    assert RowError.from_bulk(text) == RowError(code, message, tuple(fields))


@pytest.mark.parametrize(
    ("code", "message", "verdict"),
    [
        ("UNABLE_TO_LOCK_ROW", "exclusive access to this record or 1 records: 003", "transient"),
        ("UNABLE_TO_LOCK_ROW", "exclusive access to this record or 200 records: 003", "suspect"),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Trigger: execution of", "suspect"),
        ("SOME_CODE", "System.LimitException: Apex CPU time limit exceeded", "suspect"),
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", "permanent"),
        ("A_CODE_NOBODY_KNOWS", "", "permanent"),
    ],
)
def test_the_table_judges_an_error(code: str, message: str, verdict: str) -> None:
    assert RowError(code, message).verdict is Verdict(verdict)


def test_rest_errors_are_read_under_both_names() -> None:
    expected = RowError("MALFORMED_ID", "bad id", ("Id",))
    body = {"message": "bad id", "fields": ["Id"]}
    assert RowError.from_rest({"statusCode": "MALFORMED_ID", **body}) == expected
    assert RowError.from_rest({"errorCode": "MALFORMED_ID", **body}) == expected


def test_an_external_id_belongs_to_upsert_alone() -> None:
    with pytest.raises(ValueError, match="upsert of Contact"):
        Load("Contact", "upsert")
    with pytest.raises(ValueError, match="update of Contact"):
        Load("Contact", "update", external_id="Causeway_Key__c")
