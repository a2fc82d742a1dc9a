"""Comparing column names as people write them: ``E-mail``, ``email`` and `` EMAIL`` are one."""

from __future__ import annotations

import unicodedata

from pipelines.sources.relations import SECRETS


def plain(header: str) -> str:
    """A header without case and surrounding blanks."""
    return unicodedata.normalize("NFKC", header).strip().casefold()


def squeeze(header: str) -> str:
    """A header's letters and digits only, without case: what is left of any spelling of it."""
    return "".join(character for character in plain(header) if character.isalnum())


_SECRETS = frozenset(squeeze(header) for header in SECRETS)


def is_secret(header: str) -> bool:
    """Whether a column of this name must never reach disk, however it is spelled."""
    return squeeze(header) in _SECRETS


def distance(header: str, spelling: str) -> int | None:
    """How far a file's header is from a known spelling: 0 the same, 1 case, 2 signs, None other."""
    if header == spelling:
        return 0
    if plain(header) == plain(spelling):
        return 1
    squeezed = squeeze(header)
    return 2 if squeezed and squeezed == squeeze(spelling) else None
