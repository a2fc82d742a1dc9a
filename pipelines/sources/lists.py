"""What a source says of its contact lists, and of whom it writes somebody."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.config import Frozen

ListAs = Literal["lead", "contact"]


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
        return tuple(map(as_text, value)) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _names_somebody(self) -> Select:
        if not (self.lists or self.ids):
            raise ValueError("names no row: give lists or ids, or remove it")
        return self


def as_text(value: Any) -> Any:
    """A number, as YAML reads one, by its digits; anything else as it is."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
