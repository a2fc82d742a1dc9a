"""vCards: a card a row, its properties under the header words that address books export."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.sources.format import Format
from pipelines.sources.readers.encodings import not_in
from pipelines.sources.readers.reader import Places, Remark, Unreadable
from pipelines.sources.readers.records import Record, load_records
from pipelines.sources.readers.text import encoding_of, open_lines
from pipelines.sources.readers.vcard_lines import NoLine, Property, label, property_of, unfolded

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NAMES = ("Last Name", "First Name", "Middle Name", "Prefix", "Suffix")
_ADDRESS = ("PO Box", "Street 2", "Street", "City", "State", "Postal Code", "Country")
_TEXTS = {
    "FN": "Full Name",
    "NICKNAME": "Nickname",
    "TITLE": "Job Title",
    "NOTE": "Notes",
    "URL": "Website",
    "CATEGORIES": "Tags",
    "ROLE": "Role",
    "GENDER": "Gender",
    "BDAY": "Birthday",
    "ANNIVERSARY": "Anniversary",
}
_PHONES = {
    "fax": "Fax", "cell": "Mobile Phone", "mobile": "Mobile Phone", "iphone": "Mobile Phone",
    "pager": "Pager", "main": "Main Phone", "work": "Work Phone", "home": "Home Phone",
}  # fmt: skip
_KINDS = {"work": "Business", "home": "Home"}
_OF_THE_CARD = {"BEGIN", "END", "VERSION", "PRODID", "X-ABLABEL", "X-ABADR", "X-ABSHOWAS", "KIND"}
_PLAIN = {
    "voice",
    "pref",
    "internet",
    "text",
    "work",
    "home",
    "other",
    "msg",
    "x-internet",
    "video",
}
_MEDIA = {"PHOTO", "LOGO", "SOUND", "KEY"}

Card = list[Property]


@dataclass(frozen=True)
class VCards:
    """The cards of one file, or of the same as ``.gz``."""

    path: Path
    form: Format
    withholds: Callable[[str], bool]
    remarks: list[Remark] = field(default_factory=list, compare=False)

    def header(self) -> list[str]:
        """See ``Reader.header``."""
        names: dict[str, None] = {}
        for _, card, _ in self._cards():
            names.update(dict.fromkeys(_cells(card)))
        if not names:
            raise Unreadable("no card with anything in it; export the contacts again", 1)
        return list(names)

    def load(self, connection: DuckDBPyConnection, name: str, places: Places) -> None:
        """See ``Reader.load``."""
        header = self.header()
        keys = [header[place] for place in (*places.kept, *places.withheld)]
        self.remarks.clear()
        load_records(connection, name, places, self._records(keys), self.form.null_markers)

    def _records(self, keys: Sequence[str]) -> Iterator[Record]:
        groups = media = 0
        for line, card, defect in self._cards():
            if _is_group(card):
                groups += 1
                continue
            media += sum(one.name in _MEDIA for one in card)
            cells = _cells(card)
            yield Record(line, () if defect else [cells.get(key) for key in keys], defect)
        if groups:
            self.remarks.append(Remark(None, f"{groups:,} groups are no people, and not read"))
        if media:
            self.remarks.append(Remark(None, f"{media:,} pictures, sounds and keys are not read"))

    def _cards(self) -> Iterator[tuple[int, Card, str | None]]:
        """(line, properties, why it cannot be read) of each card, and of lines beside cards."""
        begun: int | None = None
        inside = 0  # cards in this one, as 2.1 has agents
        card: Card = []
        defect: str | None = None
        for line, text in unfolded(self._lines()):
            try:
                one = property_of(text)
            except NoLine:
                one = Property("", "", frozenset(), {}, "")
            is_card = one.value.strip().upper() == "VCARD"
            if one.name == "BEGIN" and is_card:
                if begun is not None:
                    inside += 1
                    continue
                begun, card, defect = line, [], None
            elif one.name == "END" and is_card and inside:
                inside -= 1
            elif one.name == "END" and is_card and begun is not None:
                yield begun, card, defect
                begun = None
            elif begun is None and text.strip():
                yield line, [], f"a line that is in no card (line {line})"
            elif not one.name and text.strip() and not inside:
                defect = defect or f"a line that is none of a card's (line {line})"
            elif not inside:
                card.append(one)
        if begun is not None:
            yield begun, card, "a card without an end"

    def _lines(self) -> Iterator[tuple[int, str]]:
        codec, mark = encoding_of(self.path, self.form.encoding)
        with open_lines(self.path, codec, mark) as lines:
            for text in lines:
                if (at := lines.broken()) is not None:
                    raise Unreadable(not_in(self.path, codec, at, shown=True), lines.line)
                yield lines.line, text
                lines.begin()


def _is_group(card: Card) -> bool:
    kinds = ("KIND", "X-ADDRESSBOOKSERVER-KIND")
    return any(one.name in kinds and one.value.strip().lower() == "group" for one in card)


def _cells(card: Card) -> dict[str, str]:
    """Header → value; of several of one kind the preferred, else the first, has the plain name."""
    if _is_group(card):
        return {}
    labels = {one.group: label(one.text) for one in card if one.name == "X-ABLABEL" and one.group}
    cells: dict[str, str] = {}
    for one in sorted(card, key=lambda one: "pref" not in one.types):
        named = _named(one, labels.get(one.group, ""), cells)
        for name, value in named.items():
            if value:
                cells[_free(name, cells)] = value
    if _is_company(card) and cells.get("Full Name", "") == cells.get("Company"):
        del cells["Full Name"]
    return cells


def _named(one: Property, labelled: str, cells: Mapping[str, str]) -> dict[str, str]:
    """The header words and values of one property."""
    if one.name in _OF_THE_CARD or one.name in _MEDIA:
        return {}
    if (parted := _PARTED.get(one.name)) is not None:
        return parted(one, cells)
    if one.name == "EMAIL":
        return {"Email": one.text.removeprefix("mailto:")}
    if one.name == "TEL":
        return {_phone(one, labelled): one.text.removeprefix("tel:")}
    value = _day(one) if one.name == "BDAY" else "; ".join(filter(None, one.parts()))
    return {_TEXTS.get(one.name, one.name): value}


def _name(one: Property, _: Mapping[str, str]) -> dict[str, str]:
    return dict(zip(_NAMES, (part.replace(",", " ") for part in one.parts()), strict=False))


def _organization(one: Property, _: Mapping[str, str]) -> dict[str, str]:
    company, *units = one.parts()
    return {"Company": company, "Department": ", ".join(filter(None, units))}


def _address(one: Property, cells: Mapping[str, str]) -> dict[str, str]:
    """The first address has plain names, the others those of their kind."""
    kind = next((_KINDS[type_] for type_ in sorted(one.types) if type_ in _KINDS), "Other")
    if not any(name in cells for name in _ADDRESS):
        kind = ""
    parts = zip(_ADDRESS, one.parts(), strict=False)
    return {f"{kind} {name}".strip(): part for name, part in parts}


def _profile(one: Property, _: Mapping[str, str]) -> dict[str, str]:
    kind = next(iter(sorted(one.types - _PLAIN)), "")
    return {"LinkedIn" if "linkedin" in kind else f"{one.name} {kind}".strip(): one.text}


_PARTED = {
    "N": _name,
    "ORG": _organization,
    "ADR": _address,
    "X-SOCIALPROFILE": _profile,
    "IMPP": _profile,
}


def _phone(one: Property, labelled: str) -> str:
    kinds = {*one.types, *labelled.split()} - {""}
    known = next((name for kind, name in _PHONES.items() if kind in kinds), None)
    if known is None and (labelled and labelled not in _PLAIN):
        return f"Phone {labelled}"
    return known or "Phone"


def _day(one: Property) -> str:
    """``19850302`` as ISO; Apple gives a day without a year a year that it names beside it."""
    text = re.sub(r"[T ].*", "", one.text)
    if re.fullmatch(r"\d{8}", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    omitted = one.parameters.get("X-APPLE-OMIT-YEAR")
    return f"-{text.removeprefix(omitted)}" if omitted and text.startswith(omitted) else text


def _is_company(card: Card) -> bool:
    marks = {("X-ABSHOWAS", "company"), ("KIND", "org")}
    named = any(any(one.parts()) for one in card if one.name == "N")
    return any((one.name, one.text.lower()) in marks for one in card) or not named


def _free(name: str, cells: Mapping[str, str]) -> str:
    number = 1
    while (free := name if number == 1 else f"{name} {number}") in cells:
        number += 1
    return free
