"""What others have hung on records that we made: deleting these would take it along."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

WORK = frozenset(
    {
        "Account", "Asset", "Attachment", "CampaignMember", "Case", "Contact",
        "ContentDocumentLink", "Contract", "Event", "Note", "Opportunity",
        "OpportunityContactRole", "Order", "Task",
    }
)  # fmt: skip
"""Standard objects in which people work; custom ones (``…__c``) count, too. Others, such as
histories and shares, belong to the record itself."""

IDS_PER_QUERY = 150  # Ids of 18 characters, quoted, in a URL of at most 16 KB
PAGE = 2_000  # records that an answer holds


class OrgQueries(Protocol):
    """What looking for children needs of an org; ``pipelines.salesforce.org.Org`` has it."""

    def describe(self, object_name: str) -> dict[str, Any]:
        """Describe an sObject."""

    def query(self, soql: str, *, include_deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the records of a query."""

    def count(self, soql: str, *, include_deleted: bool = False) -> int:
        """Count the records of a query."""


def children_of_records(
    org: OrgQueries, object_name: str, ids: Sequence[str], deleted: Collection[str]
) -> dict[str, str]:
    """Id of a record → what hangs on it, in words; records without children are left out.

    Args:
        org: to be asked: of 150 records at a time, or of all children there are where that takes
            fewer calls.
        object_name: of the records.
        ids: of the records.
        deleted: Ids of children that do not count, as they go before.
    """
    if not ids:
        return {}
    counts_by_parent: dict[str, Counter[str]] = defaultdict(Counter)
    parents = {*ids}
    own = parents | {*deleted}
    for child, field in _relations(org.describe(object_name)):
        for record in _children(org, child, field, ids):
            if record[field] in parents and record["Id"] not in own:
                counts_by_parent[record[field]][child] += 1
    return {sf_id: _describe_children(counts) for sf_id, counts in counts_by_parent.items()}


def _children(
    org: OrgQueries, child: str, field: str, ids: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The children of some records, perhaps among those of others."""
    if len(ids) > IDS_PER_QUERY:
        child_count = org.count(f"select count() from {child} where {field} != null")
        if child_count == 0:
            return
        if child_count / PAGE < len(ids) / IDS_PER_QUERY:
            yield from org.query(f"select Id, {field} from {child} where {field} != null")
            return
    for some in _batched(ids):
        listed = ", ".join(f"'{sf_id}'" for sf_id in some)
        yield from org.query(f"select Id, {field} from {child} where {field} in ({listed})")


def _relations(describe: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted(
        {
            (relation["childSObject"], relation["field"])
            for relation in describe["childRelationships"]
            if relation["childSObject"] in WORK or relation["childSObject"].endswith("__c")
        }
    )


def _describe_children(counts: Mapping[str, int]) -> str:
    listed = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return f"others have hung things on it: {listed}"


def _batched(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), IDS_PER_QUERY):
        yield ids[start : start + IDS_PER_QUERY]
