"""What a refusal for duplicates tells beside its message: the `duplicateResult` (api-facts 5.5)."""

from typing import Any

import duckdb

from pipelines.local_org.api.query import select_records
from pipelines.local_org.api.router import Call
from pipelines.local_org.catalog.model import SObject
from pipelines.local_org.dml.outcome import Outcome

MOST = 100


def duplicate_result(
    call: Call, connection: duckdb.DuckDBPyConnection, sobject: SObject, outcome: Outcome
) -> dict[str, Any] | None:
    """The rule that refused a single record and what it found; None when none did.

    Args:
        call: the request, whose header may ask for the fields of what was found.
        connection: inside the transaction of the refused write.
        sobject: the record's object.
        outcome: the record's fate.
    """
    if not any(error.code == "DUPLICATES_DETECTED" for error in outcome.errors):
        return None
    matches = connection.execute(
        "select rule, list(id order by id) from duplicate group by rule order by rule limit 1"
    ).fetchall()
    name, record_ids = matches[0][0], matches[0][1][:MOST]
    rule = next(
        rule
        for rule in call.org.setup.duplicate_rules
        if rule.name == name and rule.object == sobject.name
    )
    matched = call.catalog[rule.against or rule.object]
    detailed = call.option("sforce-duplicate-rule-header").get("includerecorddetails") == "true"
    fields = [field.name for field in matched.fields] if detailed else ["Id"]
    records = select_records(call, matched, fields, record_ids)
    return {
        "allowSave": rule.action == "alert",
        "duplicateRule": rule.name,
        "duplicateRuleEntityType": sobject.name,
        "errorMessage": rule.message,
        "matchResults": [
            {
                "entityType": matched.name,
                "errors": [],
                "matchEngine": "FuzzyMatchEngine" if rule.fuzzy else "ExactMatchEngine",
                "matchRecords": [
                    {
                        "additionalInformation": [],
                        "fieldDiffs": [],
                        "matchConfidence": 100.0,
                        "record": records[record_id],
                    }
                    for record_id in record_ids
                ],
                "rule": rule.name.replace("Duplicate_Rule", "Match_Rule_v1_0"),
                "size": len(record_ids),
                "success": True,
            }
        ],
    }
