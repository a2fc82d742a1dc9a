"""Addresses in an org with State and Country picklists: texts become codes.

Such an org has a ``…StateCode`` and a ``…CountryCode`` beside each text and refuses texts it does
not list. A mapping names the texts, as it would for any org; ``fit`` turns them into the codes of
this one, and never sends both. The relation ``org_place`` says what a spelling means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelines.sync.mapping.fields import Field, OrgSchema
from pipelines.sync.mapping.model import FieldRule, ObjectMapping
from pipelines.sync.mapping.policies import Addresses
from pipelines.sync.mapping.wire import quoted, text_sql
from pipelines.warehouse import literal

CODES = STATE, COUNTRY = "StateCode", "CountryCode"
LEFT_OUT = "_left_out"
"""The column of ``sf_<object>`` that says which parts of an address the org has no code for."""


def code_of(name: str) -> str | None:
    """The code field that an org with picklists has beside a field of this name."""
    return f"{name}Code" if name.endswith(("State", "Country")) else None


def fit(mappings: Mapping[str, ObjectMapping], schema: OrgSchema) -> dict[str, ObjectMapping]:
    """The mappings as this org wants them: codes where its describe shows code fields."""
    return {
        name: mapping.renamed(_codes(mapping, schema.get(mapping.object, {})))
        for name, mapping in mappings.items()
    }


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

    @property
    def place(self) -> str:
        """The SQL name of the line that says what country and state of a row are in the org."""
        return quoted(f"{self.stem}_place")

    @property
    def joined(self) -> str:
        """The join that finds it, from ``valued``."""
        return (
            f"left join places as {self.place}\n"
            f"    on {self.place}.country_text is not distinct from {self._text(self.country)}\n"
            f"    and {self.place}.state_text is not distinct from {self._text(self.state)}"
        )

    @property
    def spelled(self) -> str:
        """The select of all spellings of it, from ``valued``."""
        country, state = self._text(self.country), self._text(self.state)
        return f"select distinct {country} as country_text, {state} as state_text from valued"

    def wired(self, field: str, policy: Addresses) -> str | None:
        """SQL for the wire value of one of its fields, null where that field is as any other."""
        if field == self.country:
            return f"{self.place}.country"
        if field == self.state:
            return f"{self.place}.state"
        if field == self.city and policy.unknown_state == "append_to_city":
            return f"nullif(concat_ws(', ', {self._text(self.city)}, {self.place}.no_state), '')"
        return None

    def told(self, policy: Addresses) -> Iterator[tuple[str, bool]]:
        """SQL for what the org has no code for, else null; and whether the row waits for that."""
        yield self._told("country", self.country), policy.unknown_country == "reject"
        kept = policy.unknown_state == "append_to_city" and self.city is not None
        if self.state is not None and not kept:
            yield self._told("state", self.state), policy.unknown_state == "reject"

    def _told(self, kind: str, field: str) -> str:
        return f"{literal(f'{field}: the org lists no {kind} ')} || {_misfit(self.stem, kind)}"

    @property
    def misfits(self) -> list[str]:
        """The columns of ``wired`` that carry what has no code."""
        kinds = ("country",) if self.state is None else ("country", "state")
        return [f"{self.place}.no_{kind} as {_misfit(self.stem, kind)}" for kind in kinds]

    @staticmethod
    def _text(field: str | None) -> str:
        return "null::varchar" if field is None else text_sql(f"valued.{quoted(field)}::varchar")


def blocks(rules: Mapping[str, FieldRule], schema: Mapping[str, Field]) -> list[Block]:
    """The addresses whose codes a mapping fills."""
    stems = [
        name.removesuffix(COUNTRY)
        for name in rules
        if name.endswith(COUNTRY) and f"{name.removesuffix(COUNTRY)}{STATE}" in schema
    ]
    return [
        Block(
            stem,
            f"{stem}{COUNTRY}",
            f"{stem}{STATE}" if f"{stem}{STATE}" in rules else None,
            f"{stem}City" if f"{stem}City" in rules else None,
        )
        for stem in stems
    ]


def places_cte(found: list[Block], policy: Addresses) -> dict[str, str]:
    """``places``: what each country and state, as people wrote them, are in the org.

    Columns: ``country_text``, ``state_text``, ``country`` and ``state`` (codes), and ``no_country``
    and ``no_state``: the texts that the org has no code for.
    """
    if not found:
        return {}
    spelled = "\nunion\n".join(block.spelled for block in found)
    home = "null" if policy.default_country is None else literal(policy.default_country)
    return {"spelled": spelled, "places": _PLACES.format(home=home)}


_PLACES = """\
select
    spelled.country_text,
    spelled.state_text,
    coalesce(states.country, countries.country) as country,
    states.state,
    case when countries.country is null then spelled.country_text end as no_country,
    case when states.country is null then spelled.state_text end as no_state
from spelled
left join org_place as countries
    on countries.within is null
    and countries.spelling = norm_text(spelled.country_text)
-- A state without a country is one of the country that is meant when none is named.
left join org_place as states
    on states.within = case
        when spelled.country_text is null then {home} else countries.country
    end
    and states.spelling = norm_text(spelled.state_text)"""


def _misfit(stem: str, kind: str) -> str:
    return quoted(f"{stem}_no_{kind}")
