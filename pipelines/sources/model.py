"""What one source is, as ``sources.yaml`` declares it."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field, PrivateAttr, field_validator, model_validator

from pipelines.config import Frozen, TimeZone
from pipelines.sources.headers import is_secret, squeeze, undistinguished
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

ListAs = Literal["lead", "contact"]


class Format(Frozen):
    """How a source's files are written, where that is not what one expects.

    Attributes:
        delimiter: between the columns of a text file; by default a comma, a tab in ``.tsv``.
        encoding: of a text file; by default UTF-8, or UTF-16 where the file says so.
        null_markers: texts that stand for "no value".
        dates: whether 03/04/2025 is the 3rd of April (dmy) or March 4th (mdy); without it such a
            date is refused.
        numbers: how an amount is written; without it what could be two numbers is refused.
        timezone: whose time it is where no offset stands behind it; by default as the policy says.
        sheet: which sheet of an Excel file, or list of a JSON file; needed where several fit.
        header: the line of the header, or none; by default the first, or where one fits far better.
        escape: whether a backslash stands before a quote inside quotes; by default where only so
            all lines are whole.
    """

    delimiter: str | None = None
    encoding: str | None = None
    null_markers: tuple[str, ...] = ("NULL", r"\N", "#N/A")
    sheet: str | None = None
    header: Annotated[int, Field(ge=1)] | Literal["none"] | None = None
    escape: Literal["backslash"] | None = None
    dates: Literal["dmy", "mdy"] | None = None
    numbers: Literal["1,234.50", "1.234,50"] | None = None
    timezone: TimeZone | None = None

    @property
    def day_first(self) -> bool | None:
        """Whether the day stands before the month; None where nobody says."""
        return None if self.dates is None else self.dates == "dmy"

    @property
    def decimal_comma(self) -> bool | None:
        """Whether a comma stands before the decimals; None where nobody says."""
        return None if self.numbers is None else self.numbers == "1.234,50"

    @field_validator("delimiter")
    @classmethod
    def _one_sign(cls, value: str | None) -> str | None:
        value = "\t" if value in ("tab", r"\t") else value
        if value is not None and (len(value) != 1 or value in '"\r\n' or not value.isascii()):
            raise ValueError("one ASCII character between columns, or 'tab'")
        return value

    @field_validator("encoding")
    @classmethod
    def _codec(cls, value: str | None) -> str | None:
        try:
            if value is None:
                return None
            "".encode(value)  # what encodes bytes, or nothing, is looked up as well
            name = codecs.lookup(value).name.replace("_", "-")
        except (LookupError, UnicodeError):
            name = None
        if name is None or name in _NOT_OF_FILES:
            raise ValueError("no encoding of text; try utf-8, utf-16, latin-1 or cp1252")
        return name


_NOT_OF_FILES = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"}
"""Encodings of Python's own: of names of hosts, and of its source."""


class Column(Frozen):
    """What a source says of one header of its files.

    Attributes:
        column: the raw column it is; none leaves that to the preset.
        secret: whether its values never land; by default as the header's words say.
    """

    column: str | None = None
    secret: bool | None = None


class Into(Frozen):
    """One account for everybody of a list."""

    into: str = Field(min_length=1)


Account = Literal["source_name", "none"] | Into


class ListRule(Frozen):
    """What differs for one list of a source; what is left out follows the source.

    Attributes:
        list_as: who is on the list becomes a Lead or a Contact; none: nobody is written for it.
    """

    list_as: ListAs | Literal["none"] | None = Field(None, alias="as")
    account: Account | None = None


class Select(Frozen):
    """Of which rows of a source somebody is written; all others land and are resolved as ever.

    Attributes:
        lists: names or ids of contact lists.
        ids: ids of rows, as the source gives them.
    """

    lists: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @field_validator("lists", "ids", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """A number means its digits."""
        return tuple(map(_text, value)) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _names_somebody(self) -> Select:
        if not (self.lists or self.ids):
            raise ValueError("names no row: give lists or ids, or remove it")
        return self


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
        return {_text(key): _text(entry) for key, entry in value.items()}

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
        return {name: one.column for name, one in self.columns.items() if one.column is not None}

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
    renamed = {squeeze(header) for header in own}

    def with_own(columns: dict[str, str], raw: set[str]) -> dict[str, str]:
        added = {header: column for header, column in own.items() if column in raw}
        return added | {h: column for h, column in columns.items() if squeeze(h) not in renamed}

    first = set(RAW[shape.relation])
    columns = with_own(shape.columns, first)
    if shape.addresses is None:
        return shape.model_copy(update={"columns": columns})
    addresses = with_own(shape.addresses, set(RAW[ADDRESSES]) - first)
    return shape.model_copy(update={"columns": columns, "addresses": addresses})


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
