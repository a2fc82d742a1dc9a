"""When a plan is too much to be carried out unseen."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.mapping.policies import Guards, Limit

RENAME = "rename"
"""Counted as an action: rows that change first and last name, whatever else they do."""

SPLIT = "split"
"""Counted as one, too: rows that wait because their person was one with another until now."""

GUARDED = {
    "create": "max_create",
    "adopt": "max_adopt",
    "undelete": "max_undelete",
    "move": "max_move",
    "reassign": "max_reassign",
    "update": "max_update",
    "delete": "max_delete",
    RENAME: "max_rename",
    SPLIT: "max_split",
}
"""Action → the guard that watches it."""


def blocked_by(
    counts: Mapping[str, Mapping[str, int]], snapshot: Mapping[str, int], guards: Guards
) -> list[str]:
    """Why a plan must not be applied without being released; empty when it may.

    Args:
        counts: object → rows of the plan by action.
        snapshot: object → records of the org that carry a key of ours; 0 is a first load.
        guards: the limits of ``policies.yaml``.
    """
    reasons = []
    for name, actions in counts.items():
        managed = snapshot.get(name, 0)
        if managed == 0 and guards.first_load == "allow":
            continue
        for action, guard in GUARDED.items():
            limit: Limit | None = getattr(guards, guard)
            rows = actions.get(action, 0)
            if limit is not None and rows > limit.above and rows > limit.share * managed:
                reasons.append(
                    f"{name}: {rows} to {action}, with {managed} of ours in the org; "
                    f"guards.{guard} stops above {limit.above} and {limit.share:.0%}"
                )
    return reasons
