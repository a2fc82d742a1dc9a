"""Several columns of a file for one of ours: phones with labels, further e-mail addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.sources.columns import Places
from pipelines.sources.headers import squeeze
from pipelines.sources.relations import RAW
from pipelines.sources.words import PHONES


def labels(header: Sequence[str], columns: Mapping[str, Places]) -> dict[int, int]:
    """Position of a phone → that of its label, such as *Phone 1 - Label* of *Phone 1 - Value*."""
    by_name = {squeeze(name): place for place, name in enumerate(header)}
    found = {}
    for place in columns.get("phone", ()):
        stem = squeeze(header[place]).removesuffix("value")
        places = (by_name.get(f"{stem}{word}") for word in ("label", "type", "typ"))
        if (label := next((at for at in places if at is not None), None)) is not None:
            found[place] = label
    return found


def offered(
    columns: Mapping[str, Places], phone_labels: Mapping[int, int], relation: str
) -> dict[str, Places]:
    """The columns, with each phone that has a label offered to all it may be."""
    if not phone_labels:
        return dict(columns)
    phones = {column: tuple(phone_labels) for column in PHONES if column in RAW[relation]}
    return joined(columns, phones)


def repeated(columns: Mapping[str, Places]) -> dict[int, str]:
    """Position of a further e-mail address or phone → what ``_extra`` calls it."""
    return {
        place: f"{family}_{number}"
        for family in ("email", "phone")
        for number, place in enumerate(columns.get(family, ())[1:], 2)
    }


def joined(columns: Mapping[str, Places], further: Mapping[str, Places]) -> dict[str, Places]:
    """The positions of both for each column, those of the first before those of the second."""
    return {
        column: tuple(dict.fromkeys((*columns.get(column, ()), *further.get(column, ()))))
        for column in dict.fromkeys((*columns, *further))
    }
