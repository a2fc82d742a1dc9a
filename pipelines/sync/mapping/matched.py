"""What ``rule`` of ``org_match_<mapping>`` says where no record is matched, though there is one."""

from __future__ import annotations

from pipelines.sync.mapping.policies import Policies
from pipelines.warehouse import literal

AMBIGUOUS, DELETED, MERGED, CONVERTED = "ambiguous", "deleted", "merged", "converted"

UNCLEAR = "unclear"
"""A record may be an entity's, and only a human can say."""


PERSON = "person_account"
"""The record is a person account, or the Contact behind one."""


def open_sql(object_name: str, policies: Policies) -> str:
    """Why nobody can say yet which record an entity is; null where one can, over ``org_match_``.

    What looks such an entity up cannot be written: it might go to the wrong record.
    """
    several = ""
    if policies.duplicates.of(object_name) == "review":
        reason = literal("the org has more than one")
        several = f"\n    when len(others) > 0 and decision is null then {reason}"
    doubt = literal("it is not clear which record of the org it is")
    rules = ", ".join(map(literal, (AMBIGUOUS, UNCLEAR, PERSON)))
    unknown = f"when wrong is not null then wrong\n    when rule in ({rules}) then {doubt}"
    return f"case\n    {unknown}{several}\nend"
