"""*Did you mean*: the nearest of the words that may stand at a place."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 30
"""So many choices are listed where none is near."""


LIKE = 0.66
"""How alike two words are, from 0 to 1, of which one may be meant by the other."""


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that was probably meant: one that differs in case only, else a similar one.

    Never the word itself: where it is among the choices, something else is wrong with it.
    """
    spelled = {choice.casefold(): choice for choice in choices if choice != word}
    near = get_close_matches(word.casefold(), spelled, n=1, cutoff=LIKE)
    return spelled[near[0]] if near else None


def alike_sql(query: str) -> str:
    """The values most like the parameter ``$1``, of a ``query`` of one column of ever so many.

    So few that ``did_you_mean`` can look at each; DuckDB compares a million while it looks at some.
    """
    return (
        f"select value from (select distinct * from ({query}) as one (value)) where value <> ''"
        " order by value = $1 desc, jaro_winkler_similarity(lower(value), lower($1)) desc, value"
        f" limit {MOST}"
    )


def did_you_mean(word: str, choices: Iterable[str], *, listed: bool = True) -> str:
    """``; did you mean 'x'?``; where nothing is near the choices, or nothing if not ``listed``."""
    choices = list(choices)
    if near := nearest(word, choices):
        return f"; did you mean {near!r}?"
    if not listed or not choices:
        return ""
    more = f" and {len(choices) - MOST} more" if len(choices) > MOST else ""
    return f"; there are {', '.join(choices[:MOST])}{more}"
