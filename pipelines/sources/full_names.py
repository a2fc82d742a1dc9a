"""The parts of a person's name, where the cells of a file do not give each on its own.

*Last, First*, particles, titles, degrees and the order of names in other scripts are nameparser's
to know. What is no name (an e-mail address, a remark in brackets, an emoji) is taken out first, and
what no rule splits for certain stays whole as the last name; both are told. SQL asks about each
distinct name once, and only about those that ``is_name_to_read`` of the macros picks.
"""

from __future__ import annotations

import html
import json
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pipelines.sources import name_doubts, name_words

if TYPE_CHECKING:
    from nameparser import Parser


class Parts(NamedTuple):
    """What a name says.

    Attributes:
        prefix: titles, as written.
        first: first and middle names.
        last: the family name with its particles; or the whole, where nothing splits it.
        suffix: of a generation, or degrees.
        left_out: what of the cell stands in none of these.
        why: what there is to tell: why that was left out, or why the name was not split.
    """

    prefix: str | None = None
    first: str | None = None
    last: str | None = None
    suffix: str | None = None
    left_out: str | None = None
    why: str | None = None


@lru_cache(maxsize=65536)
def read_name(first: str | None, last: str | None, name: str | None) -> str:
    """The parts as JSON, see ``Parts``; each cell is one line of text, or nothing.

    What a file gives as first or as last name stays that: a full name only adds to it.
    """
    return json.dumps(parts(first, last, name)._asdict(), ensure_ascii=False)


def parts(first: str | None, last: str | None, name: str | None) -> Parts:
    """``read_name`` as a value."""
    left_out: list[str] = []
    why: list[str] = []
    first, last, name = (_names_only(cell, left_out, why) for cell in (first, last, name))
    read = _from_cells(first, last, name)
    left_out += filter(None, [read.left_out])
    why += filter(None, [read.why])
    return read._replace(
        left_out=" ".join(left_out) or None,
        why="; ".join(dict.fromkeys(why)) or None,
    )


def _names_only(cell: str | None, left_out: list[str], why: list[str]) -> str | None:
    """The cell without what is no part of a name."""
    if cell is None or cell.replace(" ", "").isalpha():
        return cell
    cell = name_words.QUOTED.sub(r"\2", html.unescape(cell).strip())
    for pattern, reason in (
        (name_words.NO_NAME, "stands for no name"),
        (name_words.CUT_OFF, "a blank of a letter to many"),
        (name_words.ADDRESS, "an e-mail address is no name"),
        (name_words.REMARK, "a remark beside a name"),
        (name_words.PRONOUNS, "a remark beside a name"),
        (name_words.SIGNS, "signs that are no letters"),
    ):
        if cell and (found := [text.strip() for text in pattern.findall(cell) if text.strip()]):
            left_out += found
            why.append(reason)
            cell = pattern.sub(" ", cell)
    cell = name_words.BORN.sub(" ", name_words.QUOTED.sub(r"\2", " ".join((cell or "").split())))
    cell = name_words.FULL_STOP.sub("", name_words.LIGATED.sub(r"\1. ", cell)).strip(" ,;|/-–—")
    return cell if any(map(str.isalnum, cell)) else None


def _from_cells(first: str | None, last: str | None, name: str | None) -> Parts:
    if first and last:
        return _suffixed(first, last)
    given = first or last
    if given is None:
        return _split(name) if name else Parts()
    if "," in given:
        return _split(given)
    added = _split(name) if name else Parts()
    if first and added.first and added.last:
        return added._replace(first=first)
    if last and added.first and _is_same(added.last, last):
        return added._replace(last=last)
    return Parts(last=given) if last else _given_only(given)


def _given_only(given: str) -> Parts:
    """Of several words in the place of a first name nobody knows which is the last name."""
    if " " not in given:
        return Parts(first=given)
    return Parts(last=given, why="several words for a first name and no last name, and not split")


def _suffixed(first: str, last: str) -> Parts:
    """First and last name, with the degree behind the last name's comma as what it is."""
    if "," in last:
        read = _split(f"{first} {last}")
        if _is_same(read.first, first) and read.last and read.suffix:
            return read
    return Parts(first=first, last=last)


def _is_same(one: str | None, other: str) -> bool:
    return one is not None and one.casefold() == other.casefold()


def _split(text: str) -> Parts:
    """The parts of a full name that holds nothing else."""
    if plain := _plain(text):
        return plain
    if why := _company(text) or name_doubts.of_text(text, _vocabulary()):
        return Parts(last=text, why=f"{why}, and is not split")
    return _family_first(text, text.split()) or _parsed(text)


def _plain(text: str) -> Parts | None:
    """What most cells hold, read without a parser: words of which none is more than a name."""
    title, _, rest = text.partition(" ")
    if title.rstrip(".").lower() not in name_words.SALUTATIONS:
        title, rest = "", text
    last, comma, first = rest.partition(", ")
    names = [*first.split(), last] if comma else rest.split()
    if (title or comma) and len(names) < 2:
        return None
    if not name_words.WORDS.fullmatch("".join(names)) or not _is_ordinary(names):
        return None
    if not comma and len({_style(name) for name in names}) > 1:
        return None
    return Parts(title or None, " ".join(names[:-1]) or None, names[-1])


def _family_first(text: str, words: list[str]) -> Parts | None:
    """Where the family name stands first without a comma, by its language."""
    if name_words.KATAKANA.search(text) and not name_words.JAPANESE.search(text):
        return Parts(last=text)
    if "," in text or len(words) < 2:
        return None
    patronymics = [bool(name_words.PATRONYMIC.search(word)) for word in words[1:]]
    if words[0].lower() in name_words.VIETNAMESE or patronymics == [False, True]:
        return Parts(first=" ".join(words[1:]), last=words[0])
    return None


def _company(text: str) -> str | None:
    forms = name_words.FORMS.search(text) and not text.isupper()
    return "looks like a company" if forms or name_words.COMPANY.search(text) else None


def _is_ordinary(words: list[str]) -> bool:
    """Whether no word is a particle, a title, a degree or the like, and the last one a name."""
    if len(words[-1]) == 1 < len(words):
        return False
    if len(words) > 2 and name_words.PATRONYMIC.search(words[-1]):
        return False
    return _vocabulary().isdisjoint(word.lower() for word in words)


def _style(word: str) -> str:
    """How a word is written; an initial is written like any name."""
    if word.islower():
        return "lower"
    return "capitals" if word.isupper() and len(word) > 1 else "name"


def _parsed(text: str) -> Parts:
    """What nameparser makes of a name; whole, where that would cut a couple or nobody knows."""
    read = _parser().parse(name_doubts.family_behind(text, _vocabulary()))
    first = " ".join(filter(None, (read.given, read.middle)))
    first, family = name_doubts.with_particles(first, read.family, _parser().lexicon.particles)
    several = "names several people" if name_words.SEVERAL.search(text) else None
    if several and name_words.SEVERAL.search(f" {read.middle} {family} {read.suffix} "):
        return Parts(last=text, why=f"{several}, and is not split")
    if why := name_doubts.of_parts(text, read, (first, family), _parser().lexicon):
        return Parts(last=text, why=f"{why}, and is not split")
    if not family:
        first, family = "", first
    left_out = " ".join(filter(None, (read.nickname, read.maiden))) or None
    order = None if "," in text else name_doubts.of_order(first, family)
    beside = "a nickname or birth name beside a name" if left_out else None
    return Parts(
        prefix=read.title or None,
        first=first or None,
        last=family or None,
        suffix=read.suffix or None,
        left_out=left_out,
        why="; ".join(filter(None, (several, beside, order))) or None,
    )


@cache
def _parser() -> Parser:
    """Titles that are names more often stay names where no dot stands behind them."""
    from nameparser import Lexicon, Parser

    lexicon = Lexicon.default()
    kept = {word for word in name_words.NO_TITLES if word in lexicon.titles}
    lexicon = lexicon.remove(given_name_titles=kept & lexicon.given_name_titles)
    lexicon = lexicon.remove(titles=kept)
    return Parser(lexicon=lexicon.add(titles=name_words.TITLES, particles=name_words.PARTICLES))


@cache
def _vocabulary() -> frozenset[str]:
    """Every word that makes nameparser read a name otherwise than first names and a last name."""
    lexicon = _parser().lexicon
    return frozenset().union(
        lexicon.titles,
        lexicon.given_name_titles,
        lexicon.after_given_titles,
        lexicon.suffix_acronyms,
        lexicon.suffix_words,
        lexicon.particles,
        lexicon.conjunctions,
        lexicon.bound_given_names,
        lexicon.maiden_markers,
        name_words.FIRM_WORDS,
        name_words.NO_PERSON,
        name_words.FAMILY_FIRST,
        name_words.VIETNAMESE,
    )
