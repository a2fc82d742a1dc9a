"""Which org to talk to, and with what credentials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    model_validator,
)

from pipelines.salesforce.errors import ConnectionInvalid, OrgUnavailable
from pipelines.salesforce.orgs_file import read_orgs, read_private_key

START = "Start the local org with `causeway org start`, or name an org in CAUSEWAY_ORG."

_EVERYBODYS = ("https://login.salesforce.com", "https://test.salesforce.com")


class Connection(BaseModel):
    """One org, known by `name`; client credentials with `client_secret`, JWT with `private_key`.

    Attributes:
        login_url: where tokens are asked for: the org's My Domain, or for JWT also
            ``https://login.salesforce.com`` and ``https://test.salesforce.com``.
        username: the user to act as; for JWT only (client credentials have a run-as user).
        private_key: PEM text of the key whose certificate the app knows.
        audience: the JWT's ``aud``, where it is not `login_url`.
        instance_host: where the org answers, if that is neither `login_url` nor one of
            Salesforce's own domains, such as a proxy of the company.
        ca_file: certificate authority to trust instead of the public ones.
        production: whether orgs.yaml says that this org may be written to as a production org.
        is_local: the org on loopback; no proxy, quick retries.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str
    login_url: str = Field(pattern=r"^https://[^/?#@]+/?$")
    client_id: SecretStr
    client_secret: SecretStr | None = None
    private_key: SecretStr | None = None
    username: str | None = None
    audience: str | None = None
    instance_host: str | None = Field(default=None, pattern=r"^[a-z0-9.-]+(:\d+)?$")
    api_version: str = Field(default="67.0", pattern=r"^\d+\.0$")
    ca_file: FilePath | None = None
    production: bool = False
    is_local: bool = False

    @model_validator(mode="after")
    def _one_way_to_log_in(self) -> Connection:
        if (self.client_secret is None) == (self.private_key is None):
            raise ValueError("give client_secret (client credentials) or private_key_file (JWT)")
        if self.private_key is not None and self.username is None:
            raise ValueError("JWT needs the username to act as")
        if self.client_secret is not None and self.login_url.rstrip("/") in _EVERYBODYS:
            raise ValueError("client credentials need the org's My Domain address as login_url")
        return self

    @model_validator(mode="after")
    def _nothing_idle(self) -> Connection:
        for key in ("username", "audience"):
            if (
                self.client_secret is not None
                and not self.is_local
                and key in self.model_fields_set
            ):
                raise ValueError(f"{key} belongs to JWT (private_key_file); remove it")
        return self


_LOCAL = ("client_id", "client_secret", "username", "ca_file")
KEYS = tuple(sorted({*Connection.model_fields, "private_key_file"} - {"name", "is_local"}))


def load_connection(
    name: str | None,
    *,
    orgs_file: Path,
    local: Mapping[str, Any] | None,
    environ: Mapping[str, str],
) -> Connection:
    """Find the connection called `name`, or the local org's when `name` is None.

    `local` is what ``causeway org start --json`` prints, None while no local org runs.
    `orgs_file` holds one mapping per org. A value ``${VARIABLE}`` comes from `environ`;
    ``client_id``, ``client_secret`` and ``private_key`` are accepted in no other form, a key may
    also lie in a ``private_key_file`` that only its owner can read::

        uat:
          login_url: https://example--uat.sandbox.my.salesforce.com
          client_id: ${CAUSEWAY_UAT_CLIENT_ID}
          client_secret: ${CAUSEWAY_UAT_CLIENT_SECRET}

    Raises:
        OrgUnavailable: the local org is asked for and does not run.
        ConnectionInvalid: every problem of the file and the environment, each with its line.
    """
    if name is not None:
        return _from_file(name, orgs_file, environ)
    if local is None:
        raise OrgUnavailable("Connecting to the local org", "it is not running", START)
    values = {key: local[key] for key in _LOCAL if key in local}
    values |= {"login_url": local.get("https_url"), "is_local": True}
    return _validated("local", values, dict.fromkeys(values, "causeway org start --json"), [])


def _from_file(name: str, orgs_file: Path, environ: Mapping[str, str]) -> Connection:
    problems: list[str] = []
    orgs = read_orgs(orgs_file, KEYS, problems)
    if name not in orgs:
        if orgs:
            problems.append(f"{orgs_file}: there is no {name!r}; it holds: {', '.join(orgs)}")
        raise _invalid(name, problems)

    entry = orgs[name]
    values = {key: value.resolved(environ, problems) for key, value in entry.items()}
    for key in ("ca_file", "private_key_file"):
        if key in values:
            values[key] = str(orgs_file.parent / values[key])
    if {"private_key", "private_key_file"} <= entry.keys():
        problems.append(f"{entry['private_key'].where}: private_key or private_key_file, not both")
    if key_file := values.pop("private_key_file", None):
        where = entry["private_key_file"].where
        values["private_key"] = read_private_key(Path(key_file), where, problems)
    if "private_key" in values:  # CI systems keep a PEM in one line, its line ends as \\n
        values["private_key"] = values["private_key"].replace("\\n", "\n")
    places = {key: value.where for key, value in entry.items()}
    return _validated(name, values, places, problems)


def _validated(
    name: str, values: Mapping[str, Any], places: Mapping[str, str], problems: list[str]
) -> Connection:
    """Build the connection, or raise every problem at once; values never reach the message."""
    try:
        connection = Connection(name=name, **values)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            key = str(problem["loc"][0]) if problem["loc"] else ""
            where = places.get(key) or next(iter(places.values()), name)
            message = problem["msg"].removeprefix("Value error, ")
            problems.append(": ".join(filter(None, (where, key, message))))
        raise _invalid(name, problems) from None  # the cause would carry the values along
    if problems:
        raise _invalid(name, problems)
    return connection


def _invalid(name: str, problems: list[str]) -> ConnectionInvalid:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    answer = "\n  ".join((count, *problems))
    return ConnectionInvalid(f"Reading the connection {name!r}", answer, "Correct and run again.")
