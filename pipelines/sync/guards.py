"""When a plan is too much to be carried out unseen."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.sync.policies import Guards, Limit


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
        ours = snapshot[name]
        if ours == 0 and guards.first_load == "allow":
            continue
        for action, limit in (("create", guards.max_create), ("adopt", guards.max_adopt)):
            if limit is not None and _exceeded(actions[action], ours, limit):
                reasons.append(
                    f"{name}: {actions[action]} to {action}, with {ours} of ours in the org; "
                    f"guards.max_{action} stops above {limit.above} and {limit.share:.0%}"
                )
    return reasons


def _exceeded(rows: int, ours: int, limit: Limit) -> bool:
    return rows > limit.above and rows > limit.share * ours
