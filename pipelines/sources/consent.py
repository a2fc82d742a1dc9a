"""Which headers are statements of consent, and what a yes in such a column means.

A header is read by its words, in any order and any of the languages of ``consent_words.yaml``, not
by a list of whole headers: ``Email Opt Out``, ``HASOPTEDOUTOFEMAIL`` and ``Do not allow Bulk
Emails`` say the same. What looks like consent and is none of them is told, never passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pipelines.sources.consent_words import header_words, word_roles
from pipelines.sources.headers import squeeze

ConsentKind = Literal[
    "opt_out", "opt_in", "opt_out_time", "opt_in_time", "consent_time", "opt_out_cause",
    "left_list", "any_status", "call_opt_out", "call_opt_in", "contact_opt_out", "ignore",
]  # fmt: skip
"""What the cells of a column say.

opt_out: a yes is an opt-out, a no nothing.
opt_in: a yes is an opt-in, a no an opt-out; so are the words of a newsletter's status.
opt_out_time, opt_in_time: when somebody opted out or in; a moment says that they did.
consent_time: when the row's other statements were made.
opt_out_cause: whatever it says but no, it is said of somebody who is out.
left_list: every row of the file is out, since when stands there.
any_status: a status of anything; only what is clearly one of a newsletter counts.
call_opt_out, call_opt_in: the same of calls; contact_opt_out: of calls and e-mail.
ignore: nothing.
"""

NAMED: dict[str, ConsentKind] = {
    "opted_out": "opt_out",
    "opted_in": "opt_in",
    "email_status": "opt_in",
    "opted_out_at": "opt_out_time",
    "opted_in_at": "opt_in_time",
    "consent_at": "consent_time",
    "do_not_call": "call_opt_out",
    "call_opted_in": "call_opt_in",
    "do_not_contact": "contact_opt_out",
    "ignore": "ignore",
}
"""What ``columns:`` of a source may say of a header → what it then is."""


def golden_columns(kind: ConsentKind) -> tuple[str, ...]:
    """The columns of people that such cells decide, as ``assets/consent.sql`` reads them."""
    if kind in ("call_opt_out", "call_opt_in"):
        return ("do_not_call",)
    return ("opted_out", "do_not_call") if kind == "contact_opt_out" else ("opted_out",)


@dataclass(frozen=True)
class Reading:
    """What is known of a header.

    Attributes:
        kind: what its cells say; none where they say nothing that is read.
        unread: it looks like consent, and nobody knows what it says.
    """

    kind: ConsentKind | None = None
    unread: bool = False


NOTHING, UNREAD = Reading(), Reading(unread=True)


@cache
def read_header(header: str) -> Reading:
    """What a header says of consent, by its words."""
    squeezed = squeeze(header)
    if squeezed in _LEFT_LISTS:
        return Reading("left_list")
    if squeezed in _ANY_STATUS:
        return Reading("any_status")
    words = header_words(header)
    return _Words(words).reading() if words else NOTHING


_LEFT_LISTS = frozenset({"unsubtime", "cleantime"})
"""Mailchimp's, of which each file holds one kind of people only."""

_ANY_STATUS = frozenset({"status", "contactstatus", "emailstatus", "statut", "estado", "stato"})


class _Words:
    """The words of one header, and what they are."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._roles = [word_roles(word) for word in words]

    def reading(self) -> Reading:
        """The whole rule, from what forbids to what is only about consent."""
        if self._has("amount"):
            return NOTHING
        forbidden, says_out, says_in = self._forbidden(), self._says_out(), self._says_in()
        if not (forbidden or says_out or says_in):
            return self._about_consent()
        elsewhere = self._has("other") and not self._has("mail", "call", "contact")
        if elsewhere or self._is_of_subscriber():
            return NOTHING
        if not says_out and not forbidden and self._has("business"):
            return self._beside_business()
        if (says_out != self._is_turned()) if says_out else (forbidden or self._is_turned()):
            return self._out(says_out=says_out)
        return self._in()

    def _about_consent(self) -> Reading:
        """Of a header that says neither yes nor no."""
        if self._words == ["confirm", "time"]:
            return Reading("opt_in_time")
        words = set(self._words)
        chosen = any(word.startswith("preferences") for word in words) and (
            self._has("mail", "contact") or "communication" in words
        )
        law = "basis" in words and words & {"legal", "lawful"}
        forbids = self._words[:2] == ["do", "not"] or words & {"opt", "dont", "rechtsgrundlage"}
        return UNREAD if chosen or law or forbids else NOTHING

    def _is_of_subscriber(self) -> bool:
        """Whether it says what else is known of a subscriber: *Subscriber Email*."""
        at = next((at for at, word in enumerate(self._words) if word in _SUBSCRIBERS), None)
        last = len(self._words) - 1
        return (
            at is not None
            and at < last
            and not self._roles[last] & {"topic", "time", "time_at_an_end"}
            and self._words[last] not in _STATES
        )

    def _beside_business(self) -> Reading:
        """Of what is about marketing or a subscription, and about somebody's work or a price."""
        works = not _JOBS.isdisjoint(self._words)
        return UNREAD if self._has("mail") and not works and not self._has("detail") else NOTHING

    def _out(self, *, says_out: bool) -> Reading:
        if self._has("call", "contact") and not self._has("topic"):
            both = self._has("mail") or self._has("contact")
            return Reading("contact_opt_out" if both else "call_opt_out")
        if self._has("note"):
            return Reading("opt_out_cause") if says_out else UNREAD
        if says_out and self._is_timed():
            return Reading("opt_out_time")
        if self._has("cause", "detail"):
            return Reading("opt_out_cause") if says_out else UNREAD
        return Reading("opt_out")

    def _in(self) -> Reading:
        if self._has("note"):
            return UNREAD
        if self._is_timed():
            entered = any(_is_entry(word) for word in self._words)
            return Reading("opt_in_time" if entered else "consent_time")
        if self._has("detail"):
            return NOTHING
        if self._has("call") and not self._has("mail", "topic"):
            return Reading("call_opt_in")
        return Reading("opt_in")

    def _says_out(self) -> bool:
        """Whether it names those who said no."""
        alone = len(self._words) == 1
        return self._has("out") or (
            self._has("weak_out") and (alone or self._has("in", "topic", "mail", "contact"))
        )

    def _says_in(self) -> bool:
        """Whether it names those who said yes, or what they said it to."""
        beside = self._has("topic", "mail", "call", "contact", "other")
        return self._has("in", "topic") or (self._has("weak_in") and beside)

    def _has(self, *roles: str) -> bool:
        return any(not held.isdisjoint(roles) for held in self._roles)

    def _forbidden(self) -> bool:
        """Whether a not stands before a way to reach somebody."""
        for at, roles in enumerate(self._roles):
            if "not" not in roles:
                continue
            for reached in self._roles[at + 1 :]:
                if reached & {"mail", "call", "contact", "topic", "other"}:
                    return True
                if not reached & {"between", "not"}:
                    break
        # Verbs stand before it elsewhere: "kontakta ej", "Werbung nicht"; "Phone No" is a number.
        return any(
            "not" in two and word != "no" and one & {"contact", "mail", "call", "topic"}
            for word, one, two in zip(self._words[1:], self._roles, self._roles[1:], strict=False)
        )

    def _is_turned(self) -> bool:
        """Whether a not stands before the word that says in or out."""
        nots = [at for at, roles in enumerate(self._roles) if "not" in roles]
        return any(
            roles & _SAYING and any(at < place for at in nots)
            for place, roles in enumerate(self._roles)
        )

    def _is_timed(self) -> bool:
        ends = self._roles[0] | self._roles[-1]
        return self._has("time") or "time_at_an_end" in ends


_SUBSCRIBERS = frozenset({"subscriber", "subscribers", "abonnent", "abonnenten"})
_STATES = frozenset({"status", "state", "flag", "active", "y", "n", "yes", "no"})
_JOBS = frozenset({"manager", "director", "leiter", "leiterin", "leitung", "head", "officer"}) | {
    "specialist",
    "team",
    "department",
    "abteilung",
}

_SAYING = {"in", "out", "weak_in", "weak_out"}


def _is_entry(word: str) -> bool:
    """Whether the word is of coming onto a list, which has a moment; a permission is changed."""
    return word.startswith(("optin", "optedin", "subscr", "inscri", "iscri", "suscri", "abonn"))
