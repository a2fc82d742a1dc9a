"""``.zip``: its members are read as files of the inbox are, without ever being unpacked to disk."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipelines.sources.readers.reader import Unreadable

MEMBERS = 1000
"""Files in an archive."""

SIZE = 1 << 31
"""Bytes of all of them, unpacked."""

RATIO = 200
"""Bytes that one packed byte may become, in files of more than ``SMALL``."""

SMALL = 1 << 20

_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst")
_ENCRYPTED = 0x1


def is_archive(path: Path) -> bool:
    """Whether a file is an archive of files, by its name."""
    return path.suffix.lower() == ".zip"


def members(path: Path) -> Iterator[tuple[str, zipfile.Path]]:
    """(name, member) of each file in an archive, in their order by name; hidden ones do not count.

    Raises:
        Unreadable: the archive is damaged, has a password, is too large, or leads out of itself.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
        raise Unreadable("the archive is damaged or cut short; copy the file again") from None
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}; copy the file again") from None
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    _refuse_too_much(entries)
    for entry in sorted(entries, key=lambda one: one.filename):
        name = PurePosixPath(entry.filename)
        if name.is_absolute() or ".." in name.parts or "\\" in entry.filename:
            raise Unreadable(f"its member {entry.filename!r} leads out of the archive; remove it")
        if entry.flag_bits & _ENCRYPTED:
            raise Unreadable("the archive has a password; pack it again without one")
        if name.suffix.lower() in _ARCHIVES:
            raise Unreadable(f"its member {entry.filename!r} is an archive; unpack it")
        if not any(part.startswith((".", "__MACOSX")) for part in name.parts):
            yield entry.filename, zipfile.Path(archive, entry.filename)


def _refuse_too_much(entries: list[zipfile.ZipInfo]) -> None:
    """A member never gives more than the archive says it has, so this holds for what is read."""
    if not entries:
        raise Unreadable("the archive is empty; remove it, or export it again")
    names = [entry.filename for entry in entries]
    if len(names) > MEMBERS or len(set(names)) < len(names):
        raise Unreadable(f"more than {MEMBERS:,} files, or two of one name; unpack it")
    if sum(entry.file_size for entry in entries) > SIZE:
        raise Unreadable(f"unpacked it has more than {SIZE >> 30} GB; unpack it")
    for entry in entries:
        if entry.file_size > max(SMALL, RATIO * entry.compress_size):
            message = f"its member {entry.filename!r} is packed more than {RATIO} times"
            raise Unreadable(f"{message}, as no table is; unpack it if it is sound")
