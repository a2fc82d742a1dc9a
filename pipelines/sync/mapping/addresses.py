"""Addresses in an org with State and Country picklists: texts become codes.

Such an org has a ``…StateCode`` and a ``…CountryCode`` beside each text and refuses texts it does
not list. A mapping names the texts, as it would for any org; ``fit`` turns them into the codes of
this one, and never sends both. The relation ``org_place`` says what a spelling means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.sync.mapping.fields import Field, OrgSchema
from pipelines.sync.mapping.model import FieldRule, ObjectMapping
from pipelines.sync.mapping.persons import consenting
from pipelines.sync.mapping.policies import Addresses
from pipelines.sync.mapping.wire import quoted
from pipelines.warehouse import literal

CODES = STATE, COUNTRY = "StateCode", "CountryCode"
LEFT_OUT = "_left_out"
"""The column of ``sf_<object>`` that says which parts of an address the org has no code for."""


def code_of(name: str) -> str | None:
    """The code field that an org with picklists has beside a field of this name."""
    return f"{name}Code" if name.endswith(("State", "Country")) else None


def fit(mappings: Mapping[str, ObjectMapping], schema: OrgSchema) -> dict[str, ObjectMapping]:
    """The mappings as this org wants them: codes where its describe shows code fields.

    Where it has person accounts, with their opt-out.
    """
    fitted = {}
    for name, mapping in mappings.items():
        fields = schema.get(mapping.object, {})
        fitted[name] = consenting(mapping.renamed(_codes(mapping, fields)), fields)
    return fitted


def _codes(mapping: ObjectMapping, fields: Mapping[str, Field]) -> dict[str, str]:
    coded = ((name, code_of(name)) for name in mapping.fields)
    return {
        name: code
        for name, code in coded
        if code is not None and code in fields and code not in mapping.fields
    }


@dataclass(frozen=True)
class Block:
    """The parts of one address that a mapping fills, by field name; None where it does not."""

    stem: str
    country: str
    state: str | None
    city: str | None
    postcode: str | None

    @property
    def place(self) -> str:
        """The SQL name of the line that says what country and state of a row are in the org."""
        return quoted(f"{self.stem}_place")

    @property
    def weighed(self) -> str:
        """The SQL name of the line that says so where the postcode counts, too."""
        return quoted(f"{self.stem}_weighed")

    @property
    def joined(self) -> str:
        """The joins that find both, from ``valued``."""
        country, state = self._text(self.country), self._text(self.state)
        return (
            f"left join places as {self.place}\n"
            f"    on {self.place}.country_text is not distinct from {country}\n"
            f"    and {self.place}.state_text is not distinct from {state}\n"
            f"left join weighed as {self.weighed}\n"
            f"    on {self.weighed}.country_text = {country}\n"
            f"    and {self.weighed}.state_text is not distinct from {state}\n"
            f"    and {self.weighed}.postcode = {self._text(self.postcode)}"
        )

    @property
    def spelled(self) -> str:
        """The select of all spellings of it, from ``valued``."""
        return f"select distinct {self._texts} from valued"

    @property
    def with_postcodes(self) -> str:
        """The select of all spellings of it and the postcodes beside them, from ``valued``."""
        return f"select distinct {self._texts}, {self._text(self.postcode)} as postcode from valued"

    def wired(self, field: str, policy: Addresses) -> str | None:
        """SQL for the wire value of one of its fields, null where that field is as any other."""
        if field == self.country:
            return self._found("country")
        if field == self.state:
            return self._found("state")
        if field == self.city and policy.unknown_state == "append_to_city":
            city = self._text(self.city)
            return f"nullif(concat_ws(', ', {city}, {self._found('no_state')}), '')"
        return None

    def told(self, policy: Addresses) -> Iterator[tuple[str, bool]]:
        """SQL for what the org has no code for, else null; and whether the row waits for that."""
        reason = f"{literal(f'{self.country}: ')} || {_misfit(self.stem, 'country')}"
        yield reason, policy.unknown_country == "reject"
        kept = policy.unknown_state == "append_to_city" and self.city is not None
        if self.state is not None and not kept:
            unlisted = literal(f"{self.state}: the org lists no state ")
            reason = f"{unlisted} || {_misfit(self.stem, 'state')}"
            yield reason, policy.unknown_state == "reject"

    @property
    def misfits(self) -> list[str]:
        """The columns of ``wired`` that carry what has no code."""
        kinds = ("country",) if self.state is None else ("country", "state")
        return [f"{self._found(f'no_{kind}')} as {_misfit(self.stem, kind)}" for kind in kinds]

    def _found(self, column: str) -> str:
        place, weighed = f"{self.place}.{column}", f"{self.weighed}.{column}"
        return f"if({self.weighed}.country_text is null, {place}, {weighed})"

    @property
    def _texts(self) -> str:
        country, state = self._text(self.country), self._text(self.state)
        return f"{country} as country_text, {state} as state_text"

    @staticmethod
    def _text(field: str | None) -> str:
        return "null::varchar" if field is None else f"valued.{quoted(field)}"


def blocks(rules: Mapping[str, FieldRule], schema: Mapping[str, Field]) -> list[Block]:
    """The addresses whose codes a mapping fills."""
    stems = [
        name.removesuffix(COUNTRY)
        for name in rules
        if name.endswith(COUNTRY) and f"{name.removesuffix(COUNTRY)}{STATE}" in schema
    ]

    def part(stem: str, name: str) -> str | None:
        return f"{stem}{name}" if f"{stem}{name}" in rules else None

    return [
        Block(
            stem,
            f"{stem}{COUNTRY}",
            state=part(stem, STATE),
            city=part(stem, "City"),
            postcode=part(stem, "PostalCode"),
        )
        for stem in stems
    ]


def places_cte(found: list[Block], policy: Addresses) -> dict[str, str]:
    """``places`` and ``weighed``: what countries and states, as people write them, are in the org.

    Both have ``country_text``, ``state_text``, ``country`` and ``state`` (codes), ``no_country``
    (why there is no code for the country) and ``no_state`` (the text that has none). ``weighed``
    has a line for each ``postcode`` beside a word that may be a country or a state, no others.
    """
    if not found:
        return {}
    home = "null" if policy.default_country is None else literal(policy.default_country)
    return {
        "spelled": "\nunion\n".join(block.spelled for block in found),
        "places": _read("read_places").replace("{home}", home),
        "with_postcodes": "\nunion\n".join(block.with_postcodes for block in found),
        "weighed": _read("weigh_places"),
    }


@cache
def _read(stem: str) -> str:
    return (Path(__file__).parent / f"{stem}.sql").read_text(encoding="utf-8").strip()


def _misfit(stem: str, kind: str) -> str:
    return quoted(f"{stem}_no_{kind}")
