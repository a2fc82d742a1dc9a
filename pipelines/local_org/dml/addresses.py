"""State and Country picklists: text and code of a country or a state always say the same.

In an org that has them every address has code fields beside its text fields. A write may give
either, and the other follows; what is on no list is refused with `FIELD_INTEGRITY_EXCEPTION`.

Source: Salesforce Help, *State and Country/Territory Picklist Field-Syncing Logic*: a new record
whose text and code differ takes the code, an old one is refused; whoever removes the country
removes the state with it; a state must belong to the country. The texts of the errors are quoted
by users of real orgs, except the one of a mismatch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from pipelines.local_org import unconfirmed
from pipelines.local_org.catalog.model import SObject, literal
from pipelines.local_org.dml.outcome import error_sql
from pipelines.local_org.dml.request import Column, WriteRequest

PLACES = "select k, code, name from org.place"
"""By code `us:c:ca`, by text `us:t:california`; countries stand under nothing: `:c:us`."""


@dataclass(frozen=True)
class Part:
    """Country or state of an address: its text field, its code field, and its line in a look-up."""

    text: str
    code: str
    line: str

    @property
    def names(self) -> tuple[str, str]:
        """Both fields."""
        return (self.text, self.code)


@dataclass(frozen=True)
class Block:
    """The parts of one address that hang together."""

    country: Part
    state: Part

    @property
    def names(self) -> tuple[str, ...]:
        """All four fields."""
        return (*self.country.names, *self.state.names)


def blocks(sobject: SObject) -> Iterator[Block]:
    """The addresses of an object that have code fields."""
    for number, stem in enumerate(sobject.coded_addresses):
        country = Part(f"{stem}Country", f"{stem}CountryCode", f"country{number}")
        yield Block(country, Part(f"{stem}State", f"{stem}StateCode", f"state{number}"))


def touched(request: WriteRequest) -> Iterator["Address"]:
    """The addresses that a request writes something of; it must have all their columns."""
    for block in blocks(request.sobject):
        if any(name in request.by_field for name in block.names):
            yield Address(request, block)


def address_of(request: WriteRequest, column: Column) -> "Address | None":
    """The address whose country or state a column gives."""
    return next((a for a in touched(request) if column.field.name in a.block.names), None)


def with_siblings(request: WriteRequest) -> WriteRequest:
    """The request with all four fields of each address that it touches, the new ones empty."""
    missing = [n for a in touched(request) for n in a.block.names if n not in request.by_field]
    added = [
        Column(name, position, request.sobject[name])
        for position, name in enumerate(missing, start=len(request.columns))
    ]
    return replace(request, columns=(*request.columns, *added)) if added else request


def padded(request: WriteRequest, texts: pa.Table) -> pa.Table:
    """The texts with an empty column for each that `with_siblings` added."""
    for column in request.columns:
        if column.raw not in texts.column_names:
            nothing = pa.nulls(texts.num_rows, pa.string())
            texts = texts.append_column(column.raw, nothing)
    return texts


@dataclass(frozen=True)
class Address:
    """One address of a request as SQL, over `typed`, `target` and the lines of its parts."""

    request: WriteRequest
    block: Block

    @property
    def touched(self) -> str:
        """Does the row say anything about country or state?"""
        return f"({self._is_named(self.block.country)} or {self._is_named(self.block.state)})"

    def value(self, column: Column) -> str:
        """What a column stores: whatever was given, text and code of what was found."""
        of_country = column.field.name in self.block.country.names
        part = self.block.country if of_country else self.block.state
        member = "code" if column.field.name == part.code else "name"
        return f"case when {self.touched} then {part.line}.{member} end"

    @property
    def country_key(self) -> str:
        """Where to find the country that the row wants; null when it wants none."""
        return self._key(self.block.country, "''", "false")

    @property
    def state_key(self) -> str:
        """Where to find the state that the row wants, in its country."""
        country = self.block.country
        removed = f"{self._is_named(country)} and {self._value(country)} is null"
        return self._key(self.block.state, f"coalesce(lower({country.line}.code), '-')", removed)

    @property
    def error(self) -> str:
        """The packed error of an address that cannot be, else null."""
        country, state = self.block.country, self.block.state
        state_value, country_key = self._value(state), self.country_key
        lost = f"{self.state_key} is not null and {state.line}.code is null"
        checks = [
            *self._unknown(country, "country", "country/territory", "countries"),
            self._mismatch(country),
            f"when {state_value} is not null and {country_key} is null then {self._state_alone()}",
            # Only a country that the row leaves as it is, or a state that it does, is existing.
            f"when {lost} and not ({self._is_named(country)} and {self._is_named(state)}) "
            f"then {self._unrecognized()}",
            *self._unknown(state, "state", "state", "states"),
            self._mismatch(state),
        ]
        return f"case when not {self.touched} then null {' '.join(checks)} end"

    def old(self) -> dict[str, str]:
        """What the line of the target must carry: name → field."""
        return {self._old_name(name): name for name in self.block.names}

    def _key(self, part: Part, country: str, removed: str) -> str:
        old_code, old_text = (self._old(name) for name in (part.code, part.text))
        return (
            f"case when {self._typed(part.code)} is not null "
            f"then {country} || ':c:' || lower({self._typed(part.code)}) "
            f"when {self._typed(part.text)} is not null "
            f"then {country} || ':t:' || lower({self._typed(part.text)}) "
            f"when {self._is_named(part)} or {removed} then null "
            f"when {old_code} is not null then {country} || ':c:' || lower({old_code}) "
            f"else {country} || ':t:' || lower({old_text}) end"
        )

    def _unknown(self, part: Part, what: str, kind: str, list_name: str) -> Iterator[str]:
        code, text = self._typed(part.code), self._typed(part.text)
        no_code = error_sql(
            "FIELD_INTEGRITY_EXCEPTION",
            part.code,
            f"'The {part.code} field contains ', {code}, ', which isn''t an available {kind}. "
            "Your administrator can add it for you.'",
        )
        yield f"when {code} is not null and {part.line}.code is null then {no_code}"
        no_text = error_sql(
            "FIELD_INTEGRITY_EXCEPTION",
            part.text,
            f"'There''s a problem with this {what}, even though it may appear correct. Please "
            f"select a {kind} from the list of valid {list_name}.: {self._label(part.text)}'",
        )
        yield f"when {text} is not null and {part.line}.code is null then {no_text}"

    def _mismatch(self, part: Part) -> str:
        message = unconfirmed.MISMATCH
        label = literal(self.request.sobject[part.code].label)
        error = error_sql(message.code, part.code, message.sql(label=label))
        old, code = self._has_target("target.id is not null"), self._typed(part.code)
        other = f"lower({self._typed(part.text)}) <> lower({part.line}.name)"
        return f"when {old} and {code} is not null and {other} then {error}"

    def _state_alone(self) -> str:
        state = self.block.state
        message = (
            "A country/territory must be specified before specifying a state value for field: "
        )
        by_code, by_text = (
            error_sql("FIELD_INTEGRITY_EXCEPTION", name, f"'{message}{self._label(name)}'")
            for name in (state.code, state.text)
        )
        return f"case when {self._typed(state.code)} is not null then {by_code} else {by_text} end"

    def _unrecognized(self) -> str:
        code = self.block.state.code
        return error_sql(
            "FIELD_INTEGRITY_EXCEPTION",
            code,
            "'The existing country/territory doesn''t recognize the state value for field: "
            f"{self._label(code)}'",
        )

    def _is_named(self, part: Part) -> str:
        """Does the row name the part, if only to empty it?"""
        raws = ", ".join(f"typed.{self.request.by_field[name].raw}" for name in part.names)
        return f"coalesce({raws}) is not null"

    def _value(self, part: Part) -> str:
        return f"coalesce({self._typed(part.code)}, {self._typed(part.text)})"

    def _typed(self, name: str) -> str:
        return f"typed.{self.request.by_field[name].value}"

    def _old_name(self, name: str) -> str:
        return f"old{self.request.by_field[name].position}"

    def _old(self, name: str) -> str:
        return self._has_target(f"target.{self._old_name(name)}", otherwise="null::varchar")

    def _has_target(self, sql: str, otherwise: str = "false") -> str:
        return sql if self.request.key_column is not None else otherwise

    def _label(self, name: str) -> str:
        return self.request.sobject[name].label.replace("'", "''")
