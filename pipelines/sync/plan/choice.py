"""What one run is to write: some people, those of some sources, some objects; nothing is lost.

Everything lands, is resolved and planned as ever. A row that would be written, and that the choice
of the run leaves out, is a *skip*: it waits in the state, as held rows do, and every later plan has
it again. Opt-outs know no choice.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """The options of one run; where a kind is empty it leaves nobody out.

    Attributes:
        people: ``--only``, each ``source:source_id`` or an e-mail address.
        sources: ``--source``, names of sources.
        objects: ``--object``, names of objects or mappings.
    """

    people: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    @classmethod
    def of(cls, kinds: Mapping[str, Sequence[str]]) -> Choice:
        """From the lists of a plan's header, or of what people typed; order makes no difference."""
        return cls(*(tuple(sorted(set(kinds.get(kind, ())))) for kind in KINDS))

    @property
    def kinds(self) -> dict[str, tuple[str, ...]]:
        """Option → its values, of those that were given."""
        values = (self.people, self.sources, self.objects)
        return {kind: given for kind, given in zip(KINDS, values, strict=True) if given}

    @property
    def options(self) -> str:
        """As one types it behind a command, with a blank before it; nothing where all is chosen."""
        given = ((kind, value) for kind, values in self.kinds.items() for value in values)
        return "".join(f" --{kind} {shlex.quote(value)}" for kind, value in given)

    def __bool__(self) -> bool:
        return bool(self.kinds)


EVERYTHING = Choice()

KINDS = ("only", "source", "object")
"""The options, without their hyphens, in the order of the attributes."""
