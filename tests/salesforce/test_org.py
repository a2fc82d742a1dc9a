"""What an org says of itself, and of rows written in small numbers."""

import datetime
import json
from typing import Any

import pytest

from pipelines.salesforce.errors import AnswerLost, RequestRefused
from pipelines.salesforce.org import COLLECTION, Org
from pipelines.salesforce.rows import Load, RowError, RowResult

INSERT = Load("Contact", "insert")
UPDATE = Load("Contact", "update")
UPSERT = Load("Contact", "upsert", external_id="Causeway_Key__c")
DELETE = Load("Contact", "delete")


def test_an_org_knows_who_it_is_and_who_we_are(org: Org, local: dict[str, Any]) -> None:
    assert org.organization_id == local["organization_id"]
    assert org.username == local["username"]
    assert org.user_id.startswith("005")
    assert len(org.user_id) == 18
    assert org.is_sandbox in (True, False)
    assert abs(org.server_time() - datetime.datetime.now(datetime.UTC)).total_seconds() < 60


def test_describe_names_the_fields(org: Org) -> None:
    fields = {field["name"]: field for field in org.describe("Contact")["fields"]}
    assert fields["LastName"]["length"] == 80
    assert fields["Causeway_Key__c"]["externalId"]


def test_limits_say_what_remains(org: Org) -> None:
    daily = org.limits()["DailyApiRequests"]
    assert 0 < daily["Remaining"] <= daily["Max"]
    assert org.session.api_usage is not None


def test_a_query_yields_plain_records_over_many_pages(org: Org) -> None:
    names = [f"Page {number:05}" for number in range(2_300)]
    results = org.collections(INSERT, [{"LastName": name} for name in names])
    assert all(result.success for result in results)
    stream = org.query("select LastName, Owner.Name from Contact where LastName like 'Page %'")
    records = list(stream)
    assert sorted(record["LastName"] for record in records) == names
    assert set(records[0]) == {"LastName", "Owner"}
    assert set(records[0]["Owner"]) == {"Name"}


def test_a_query_the_org_refuses_says_why(org: Org) -> None:
    with pytest.raises(RequestRefused) as error:
        list(org.query("select Nope__c from Contact"))
    assert error.value.code == "INVALID_FIELD"
    assert "No such column 'Nope__c'" in str(error.value)


def test_rows_are_answered_in_their_order_and_refused_alone(org: Org) -> None:
    rows = [{"LastName": "Ordered"}, {"FirstName": "Nobody"}, {"LastName": "Also ordered"}]
    good, bad, also = org.collections(INSERT, rows)
    assert good.success
    assert good.created
    assert also.success
    assert bad == RowResult(
        id=None,
        success=False,
        created=False,
        errors=(
            RowError(
                "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ("LastName",)
            ),
        ),
    )


def test_an_upsert_creates_once_then_updates(org: Org) -> None:
    row = {"Causeway_Key__c": "p-once", "LastName": "Café", "FirstName": "Zoë"}
    [first] = org.collections(UPSERT, [row])
    [second] = org.collections(UPSERT, [row | {"FirstName": None}])
    assert (first.success, first.created) == (True, True)
    assert (second.success, second.created) == (True, False)
    assert first.id == second.id
    [stored] = org.query("select LastName, FirstName from Contact where Causeway_Key__c='p-once'")
    assert stored == {"LastName": "Café", "FirstName": None}


def test_rows_are_updated_and_deleted_by_id(org: Org) -> None:
    [created] = org.collections(INSERT, [{"LastName": "Before"}])
    [changed] = org.collections(UPDATE, [{"Id": created.id, "LastName": "After"}])
    assert (changed.id, changed.success, changed.created) == (created.id, True, False)
    [stored] = org.query(f"select LastName from Contact where Id = '{created.id}'")
    assert stored["LastName"] == "After"
    [deleted] = org.collections(DELETE, [{"Id": created.id}])
    assert (deleted.id, deleted.success, deleted.created) == (created.id, True, False)
    assert not list(org.query(f"select Id from Contact where Id = '{created.id}'"))
    [buried] = org.query(
        f"select IsDeleted from Contact where Id='{created.id}'", include_deleted=True
    )
    assert buried["IsDeleted"]
    [again] = org.collections(DELETE, [{"Id": created.id}])
    assert again.errors[0].code == "ENTITY_IS_DELETED"


def test_a_token_revoked_meanwhile_is_replaced(org: Org) -> None:
    before = org.session.token
    org.session.post(
        "/services/oauth2/revoke", data={"token": before.access_token.get_secret_value()}
    )
    [created] = org.collections(INSERT, [{"LastName": "Revoked"}])
    assert created.success
    assert org.session.token is not before


def test_what_was_deleted_comes_back_unless_it_is_no_longer_there(org: Org) -> None:
    ids = [row.id or "" for row in org.collections(INSERT, [{"LastName": "Back & forth"}] * 2)]
    org.collections(DELETE, [{"Id": ids[0]}])
    org.session.post(
        "/services/oauth2/revoke", data={"token": org.session.token.access_token.get_secret_value()}
    )
    back, never = org.undelete(ids)  # a token inside the envelope is replaced, too
    assert (back.success, back.id) == (True, ids[0])
    assert never.errors == (RowError("UNDELETE_FAILED", "Entity is not in the recycle bin"),)
    with pytest.raises(RequestRefused) as refused:
        org.undelete([ids[0]] * 201)
    assert refused.value.code == "EXCEEDED_ID_LIMIT"


def test_a_single_record_names_its_duplicates(wire: Any) -> None:
    duplicate_result = {
        "duplicateRule": "Standard_Rule",
        "matchResults": [
            {"matchRecords": [{"record": {"Id": "003A"}}, {"record": {"Id": "003A"}}]}
        ],
    }
    error = {
        "errorCode": "DUPLICATES_DETECTED",
        "message": "Use one?",
        "duplicateResult": duplicate_result,
    }
    parts = [
        {"httpStatusCode": 400, "body": [error]},
        {"httpStatusCode": 201, "body": {"id": "003B", "success": True, "created": True}},
    ]
    wire.log_in()
    wire.say(200, {"compositeResponse": parts})
    rows = [{"Causeway_Key__c": "p 1", "LastName": "A"}, {"Causeway_Key__c": "p-2"}]
    with Org(wire.connection()) as org:
        refused, created = org.singly(UPSERT, rows)
    expected = RowError("DUPLICATES_DETECTED", "Use one?", (), "Standard_Rule", ("003A",))
    assert refused.errors == (expected,)
    assert (created.id, created.created) == ("003B", True)
    sent = json.loads(wire.requests[-1].body)["compositeRequest"][0]
    assert sent["url"].endswith("/sobjects/Contact/Causeway_Key__c/p%201")
    assert sent["body"] == {"LastName": "A"}


def test_many_rows_go_in_calls_of_200_and_end_at_a_lost_answer(wire: Any) -> None:
    def answered(count: int) -> list[dict[str, object]]:
        return [{"id": f"003{n}", "success": True, "errors": []} for n in range(count)]

    wire.log_in()
    wire.say(200, answered(COLLECTION))
    wire.hang_up()
    rows = [{"LastName": str(number)} for number in range(2 * COLLECTION + 1)]
    with Org(wire.connection()) as org, pytest.raises(AnswerLost):
        org.collections(INSERT, rows)
    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("load", "sent"),
    [
        (INSERT, ("FALSE", None)),
        (
            Load("Lead", "insert", assignment_rule="01Q000000000001AAA"),
            ("01Q000000000001AAA", None),
        ),
        (Load("Lead", "insert", allow_duplicates=True), ("FALSE", "allowSave=true")),
    ],
)
def test_rules_run_only_where_they_are_asked_for(
    wire: Any, load: Load, sent: tuple[str, str]
) -> None:
    wire.log_in()
    wire.say(200, [{"id": "00Q1", "success": True, "errors": []}])
    with Org(wire.connection()) as org:
        org.collections(load, [{"LastName": "Lovelace"}])
    headers = wire.requests[-1].headers
    assert (headers["Sforce-Auto-Assign"], headers.get("Sforce-Duplicate-Rule-Header")) == sent


def test_an_org_shows_no_secret(org: Org, local: dict[str, Any]) -> None:
    org.session.get("limits")
    texts = repr(org) + repr(org.session) + repr(org.rest) + repr(org.connection)
    for secret in (local["client_secret"], org.session.token.access_token.get_secret_value()):
        assert secret not in texts
        assert secret not in str(vars(org.rest))


def test_the_client_is_cheap_to_import() -> None:
    import subprocess
    import sys

    code = (
        "import sys, pipelines.salesforce.org, pipelines.salesforce.connection;"
        "assert not {'requests', 'simple_salesforce', 'jwt'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
