"""Every key of ``orgs.yaml`` changes how an org is spoken to, or is refused with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipelines.salesforce.connection import KEYS, Connection, load_connection
from pipelines.salesforce.domains import own_origin
from pipelines.salesforce.errors import AddressRefused, ConnectionInvalid
from pipelines.salesforce.login import grant

URL = "https://example--uat.sandbox.my.salesforce.com"
WAYS: dict[str, dict[str, str]] = {
    "client credentials": {
        "login_url": URL,
        "client_id": "${ID}",
        "client_secret": "${SECRET}",
    },
    "JWT": {
        "login_url": URL,
        "client_id": "${ID}",
        "private_key": "${KEY}",
        "username": "ada@x.org",
    },
}
OTHER = {
    "login_url": "https://other.my.salesforce.com",
    "client_id": "${OTHER}",
    "client_secret": "${OTHER}",
    "private_key": "${OTHER_KEY}",
    "private_key_file": "key.pem",
    "username": "bea@x.org",
    "audience": "https://test.salesforce.com",
    "api_version": "66.0",
    "ca_file": "ca.pem",
    "production": "true",
    "instance_host": "proxy.example",
}


def _pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    return {"ID": "id", "SECRET": "s", "OTHER": "o", "KEY": _pem(), "OTHER_KEY": _pem()}


def test_there_is_another_value_of_every_key() -> None:
    assert set(OTHER) == set(KEYS)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("key", OTHER)
def test_every_key_of_an_org(tmp_path: Path, environ: Any, way: str, key: str) -> None:
    (tmp_path / "ca.pem").write_text("")
    (tmp_path / "key.pem").write_text(environ["OTHER_KEY"])
    (tmp_path / "key.pem").chmod(0o600)
    entry = WAYS[way]
    before = _spoken(tmp_path, entry, environ)
    try:
        after = _spoken(tmp_path, entry | {key: OTHER[key]}, environ)
    except ConnectionInvalid as error:
        assert "orgs.yaml:" in str(error)
    else:
        assert before != after, f"{key} changes nothing"


def _spoken(folder: Path, entry: dict[str, str], environ: dict[str, str]) -> tuple[Any, ...]:
    """What an org is asked for, and how; signatures by the key that made them."""
    file = folder / "orgs.yaml"
    file.write_text(yaml.safe_dump({"uat": entry}, sort_keys=False))
    file.chmod(0o600)
    connection = load_connection("uat", orgs_file=file, local=None, environ=environ)
    form: dict[str, Any] = grant(connection)
    if "assertion" in form:
        claims = jwt.decode(form["assertion"], options={"verify_signature": False})
        form = {name: claim for name, claim in claims.items() if name != "exp"}
        form["key"] = connection.private_key and connection.private_key.get_secret_value()
    read = ("login_url", "api_version", "ca_file", "production")
    origins = (URL, "https://proxy.example")
    return (
        form,
        [_is_own(connection, one) for one in origins],
        *(getattr(connection, name) for name in read),
    )


def _is_own(connection: Connection, origin: str) -> bool:
    try:
        return own_origin(connection, "a log-in", origin) == origin
    except AddressRefused:
        return False
