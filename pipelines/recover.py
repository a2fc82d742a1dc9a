"""What a command that died left half-way is finished, or taken back, by the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines import changes

if TYPE_CHECKING:
    from pipelines.project import Project


def recover(project: Project) -> None:
    """Finish every change of the home that a dead process left. Reads one folder where none did.

    To be called by whoever opens a home: before it looks at anything, and again when it has the
    lock under which it writes.

    Raises:
        ConfigError: a note cannot be read, or what it needs is damaged.
        Busy: somebody is making a change, and did not end in time.
    """
    from pipelines.org.switch import is_stranded

    if not (changes.any_noted(project.home) or is_stranded(project)):
        return
    from pipelines.apply.objects import RETRY
    from pipelines.org.switch import SWITCH, put_back
    from pipelines.plan.sweep import SWEEP

    for change in (SWITCH, SWEEP, RETRY):
        change.finish_pending(project)
    put_back(project)
