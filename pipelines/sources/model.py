"""What one source is, as ``sources.yaml`` declares it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, PrivateAttr, field_validator

from pipelines.config import Frozen
from pipelines.sources.consent import NAMED, Reading
from pipelines.sources.format import Format
from pipelines.sources.headers import is_secret, squeeze, undistinguished
from pipelines.sources.lists import Account, ListAs, ListRule, Select, as_text
from pipelines.sources.presets import (
    ADDRESSES,
    GENERIC,
    RELATIONS,
    Entity,
    Preset,
    Shape,
    presets,
)
from pipelines.sources.relations import RAW


class Column(Frozen):
    """What a source says of one header of its files.

    Attributes:
        column: the raw column it is, what it says of consent, or ``ignore``, which leaves it to
            nobody; none leaves that to the preset.
        secret: whether its values never land; by default as the header's words say.
    """

    column: str | None = None
    secret: bool | None = None


PARENT_COLUMNS: dict[Entity, str] = {
    "contacts": "parent_id",
    "subscribers": "customer_id",
    "orders": "customer_id",
}
"""Entity → the raw column that holds the id of a person of the source's parent."""


class Parent(Frozen):
    """Rows that say more of a person of another source, and the header of that person's id.

    Contacts may be further addresses of other contacts; subscribers and orders name customers.
    """

    source: str
    column: str | None = None


def _changes_only(extract: str) -> str:
    if extract == "full":
        raise ValueError("that a row is gone is not acted upon yet; remove the line")
    return extract


GROUPED: tuple[Entity, ...] = ("customers", "orders")
"""The entities whose rows have a customer group."""

GroupName = Annotated[str, Field(min_length=1)]


class Kind(NamedTuple):
    """A kind of file: a shape, and the preset that it is of."""

    preset: str
    about: str
    shape: Shape


class Source(Frozen):
    """One system we read.

    Attributes:
        entity: what its rows are; may be left out where the preset says it.
        preset: the known exports its files may be, by name; by default whatever their headers say.
        location: globs with ``{day}``, from the inbox or absolute; by default
            ``<source>/{day}/*`` in the inbox.
        format: how the files are written.
        columns: header → what it is, before the preset's own.
        ids: headers or raw columns whose values together make the record's id.
        parent: the person of another source that a row belongs to.
        constants: raw column → its value in every row.
        priority: whose values count where sources disagree; 1 counts most.
        extract: a day's files hold what changed, or everything there is.
        list_as: whether a contact list becomes Leads or Contacts; by default as the policy says.
        lists: list name or id → what differs for it.
        account: which account a list's contacts belong to; by default as the policy says.
        groups: number of a customer group, as the shop exports it → its name; orders have those of
            their shop where they name none.
        select: of which rows somebody is written; by default of all.
        on_bad: column → what a value of it that is none costs, the value or the row; by default as
            the schema of the entity says.
        trust_id: whether an id is the same person for ever, whatever name its row takes; else a
            record of the org is not renamed into somebody else without a decision.
        enabled: whether its files are landed.
    """

    entity: Entity = "contacts"
    preset: tuple[str, ...] = (GENERIC,)
    location: tuple[str, ...] = ()
    format: Format = Format()
    columns: dict[str, Column] = Field({})
    ids: tuple[str, ...] = ()
    parent: Parent | None = None
    constants: dict[str, str] = Field({})
    priority: int = Field(50, ge=1, le=1000)
    extract: Annotated[Literal["changes", "full"], AfterValidator(_changes_only)] = "changes"
    list_as: ListAs | None = Field(None, alias="as")
    lists: dict[str, ListRule] = Field({})
    account: Account | None = None
    groups: dict[str, GroupName] = Field({})
    select: Select | None = None
    on_bad: dict[str, Literal["blank", "reject"]] = Field({})
    trust_id: bool = False
    enabled: bool = True

    _own_presets: Mapping[str, Preset] = PrivateAttr({})

    @field_validator("preset", "location", "ids", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("columns", "constants", "groups", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """A number as header or constant means its digits."""
        if not isinstance(value, dict):
            return value
        return {as_text(key): as_text(entry) for key, entry in value.items()}

    @field_validator("columns", mode="before")
    @classmethod
    def _at_length(cls, value: Any) -> Any:
        """A raw column alone is all that most headers need."""
        if not isinstance(value, dict):
            return value
        return {
            key: entry if isinstance(entry, dict | Column) else {"column": entry}
            for key, entry in value.items()
        }

    @property
    def named(self) -> dict[str, str]:
        """Header → raw column, of those it says it of."""
        return {
            name: one.column
            for name, one in self.columns.items()
            if one.column is not None and one.column not in NAMED
        }

    def consent(self, header: str) -> Reading | None:
        """What a header is declared to say of consent; none where nobody declared it."""
        squeezed = squeeze(header)
        named = (
            Reading(NAMED[one.column])
            for name, one in self.columns.items()
            if one.column in NAMED and squeeze(name) == squeezed
        )
        return next(named, None)

    def withholds(self, header: str) -> bool:
        """Whether the values of a header must never reach disk."""
        name = undistinguished(header)
        spellings = map(squeeze, (header, name, name.rpartition(".")[2]))  # of JSON a.token
        secret = {squeeze(name): one.secret for name, one in self.columns.items()}
        decided = (said for one in spellings if (said := secret.get(one)) is not None)
        return next(decided, is_secret(header))

    def knows(self, own_presets: Mapping[str, Preset]) -> Source:
        """The same source where these presets of people are known besides ours."""
        source = self.model_copy()
        source._own_presets = own_presets
        return source

    @property
    def presets(self) -> Mapping[str, Preset]:
        """Every preset there is, by name; people's own come first."""
        return {**self._own_presets, **presets()}

    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of files that its presets know, with its own columns before theirs."""
        return self._kinds(self.preset)

    def signed(self) -> tuple[Kind, ...]:
        """The kinds of files that are known by a signature, if any file may be one of them."""
        if GENERIC not in self.preset:
            return ()
        return tuple(kind for kind in self._kinds(self.presets) if kind.shape.signature)

    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of ``kinds``."""
        return tuple(kind.shape for kind in self.kinds())

    def _kinds(self, names: Iterable[str]) -> tuple[Kind, ...]:
        return tuple(
            Kind(name, self.presets[name].about, _reshaped(shape, self))
            for name in names
            for shape in self.presets[name].shapes_of(self.entity)
        )

    def ids_of(self, shape: Shape) -> tuple[str, ...]:
        """What makes the id of a row of ``shape``; addresses keep the ids they come with."""
        return self.ids if shape.relation == RELATIONS[self.entity][0] else ()


class Sources(Frozen):
    """The whole of ``mappings/sources.yaml``, in its order.

    Attributes:
        sources: each by name.
        own_presets: people's presets that stand beside it, by name.
    """

    sources: dict[str, Source]
    own_presets: dict[str, Preset] = Field({})

    def enabled(self) -> Iterator[tuple[str, Source]]:
        """The sources whose files are landed, by name."""
        return ((name, source) for name, source in self.sources.items() if source.enabled)


def _reshaped(shape: Shape, source: Source) -> Shape:
    """The shape with the source's own headers first, in place of what the preset made of them."""
    own = source.named
    if source.parent and source.parent.column not in (None, *RAW[shape.relation]):
        own[str(source.parent.column)] = PARENT_COLUMNS[source.entity]
    if len(ids := source.ids_of(shape)) == 1 and ids[0] not in RAW[shape.relation]:
        own[ids[0]] = shape.id
    said = (name for name, one in source.columns.items() if one.column in NAMED)
    renamed = {squeeze(header) for header in (*own, *said)}

    def with_own(columns: dict[str, str], raw: set[str]) -> dict[str, str]:
        added = {header: column for header, column in own.items() if column in raw}
        return added | {h: column for h, column in columns.items() if squeeze(h) not in renamed}

    first = set(RAW[shape.relation])
    columns = with_own(shape.columns, first)
    if shape.addresses is None:
        return shape.model_copy(update={"columns": columns})
    addresses = with_own(shape.addresses, set(RAW[ADDRESSES]) - first)
    return shape.model_copy(update={"columns": columns, "addresses": addresses})
