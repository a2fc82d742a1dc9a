"""Reads orgs.yaml with the line of every value, and lets no secret stand in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

SECRETS = ("client_id", "client_secret", "private_key")

_REFERENCE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Value:
    """A value as it stands in the file, and where: ``orgs.yaml:3``."""

    text: str
    where: str

    def resolved(self, environ: Mapping[str, str], problems: list[str]) -> str:
        """Replace ``${VARIABLE}`` by its value; one that is not set is a problem."""
        reference = _REFERENCE.fullmatch(self.text)
        if reference is None:
            return self.text
        if not environ.get(reference[1]):
            problems.append(f"{self.where}: the environment variable {reference[1]} is not set")
        return environ.get(reference[1], "")


Orgs = dict[str, dict[str, Value]]


def read_orgs(file: Path, keys: Collection[str], problems: list[str]) -> Orgs:
    """Read all connections of `file`, so that a problem in any of them is seen at once.

    Unknown keys, repeated keys, secrets that are not a ``${VARIABLE}``, and a file that others can
    change go to `problems`.
    """
    orgs: Orgs = {}
    if file.is_file() and file.stat().st_mode & 0o022:
        # Whoever can change an address can have our secrets sent to it.
        problems.append(f"{file}: others can change it; run `chmod go-w {file}`")
    for org, _, node in _pairs(_root(file, problems), file, problems):
        orgs[org] = {}
        for key, where, value in _pairs(node, file, problems):
            if not isinstance(value, yaml.ScalarNode):
                problems.append(f"{where}: {key} must be one value")
            elif key not in keys:
                problems.append(f"{where}: unknown key {key!r}; known are {', '.join(keys)}")
            elif key in SECRETS and not _REFERENCE.fullmatch(value.value):
                problems.append(f"{where}: {key} must not stand in the file; write ${{A_VARIABLE}}")
                orgs[org][key] = Value("", where)
            else:
                orgs[org][key] = Value(value.value, where)
    return orgs


def read_private_key(file: Path, where: str, problems: list[str]) -> str:
    """Read a PEM file that nobody but its owner may read."""
    if not file.is_file():
        problems.append(f"{where}: {file} does not exist")
        return ""
    if file.stat().st_mode & 0o077:
        problems.append(f"{where}: others can read {file}; run `chmod 600 {file}`")
    return file.read_text("utf-8")


def _root(file: Path, problems: list[str]) -> yaml.Node | None:
    try:
        root = yaml.compose(file.read_text("utf-8"), yaml.SafeLoader)
    except FileNotFoundError:
        problems.append(f"{file} does not exist; create it, or unset CAUSEWAY_ORG")
    except (UnicodeDecodeError, yaml.reader.ReaderError):
        problems.append(f"{file} is not UTF-8 text; save it as such")
    except RecursionError:
        problems.append(f"{file} has lists or mappings in each other, far too deep")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(f"{file}:{line}: {error.problem}")
    else:
        if root is None:
            problems.append(f"{file} is empty")
        return root
    return None


def _pairs(
    node: yaml.Node | None, file: Path, problems: list[str]
) -> Iterator[tuple[str, str, yaml.Node]]:
    """Walk a YAML mapping as (key, file:line, value); repeated keys are a problem."""
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"{file}:{node.start_mark.line + 1}: expected lines like `key: value`")
        return
    earlier = set()
    for key, value in node.value:
        where = f"{file}:{key.start_mark.line + 1}"
        if key.value in earlier:
            problems.append(f"{where}: {key.value!r} stands here a second time")
        earlier.add(key.value)
        yield str(key.value), where, value
