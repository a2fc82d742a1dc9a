"""An org to talk to: the local org for what Salesforce says, a wire for what networks do."""

from __future__ import annotations

import datetime
import http.server
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from pipelines.local_org import control
from pipelines.salesforce.connection import Connection, load_connection
from pipelines.salesforce.org import Org

ORGANIZATION = "00D000000000001EAA"
LOOPBACK = ipaddress.ip_address("127.0.0.1")
USER = "005000000000001AAA"


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What `causeway org start --json` prints, of an org of this test session's own."""
    home = tmp_path_factory.mktemp("org")
    yield control.start(home)
    control.stop(home)


@pytest.fixture
def connection(local: dict[str, Any], tmp_path: Path) -> Connection:
    return load_connection(None, orgs_file=tmp_path / "none.yaml", local=local, environ={})


@pytest.fixture
def org(connection: Connection) -> Iterator[Org]:
    with Org(connection) as org:
        yield org


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@dataclass
class Wire:
    """A TLS server that keeps what it is sent, and answers from a queue, in whatever way."""

    url: str
    ca_file: Path
    requests: list[Request] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def connection(self, **values: Any) -> Connection:
        credentials = {"client_id": SecretStr("key"), "client_secret": SecretStr("planted-secret")}
        place = {"name": "wire", "login_url": self.url, "ca_file": self.ca_file, "is_local": True}
        return Connection(**(place | credentials | values))

    def say(self, status: int, body: Any = None, **headers: str) -> None:
        """Queue an answer; a body that is not bytes goes as JSON."""
        self.answers.append(self.answer(status, body, **headers))

    def log_in(self, token: str = "planted-token") -> None:
        """Queue the answer to a log-in."""
        self.answers.append(self.token(token))

    def hang_up(self) -> None:
        """Queue a connection that ends without an answer."""

        def end(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True

        self.answers.append(end)

    def token(self, token: str, instance_url: str | None = None) -> Answer:
        identity = f"{self.url}/id/{ORGANIZATION}/{USER}"
        facts = {"access_token": token, "instance_url": instance_url or self.url, "id": identity}
        return self.answer(200, facts)

    def answer(self, status: int, body: Any = None, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"Content-Length": str(len(data))}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}

        def give(handler: http.server.BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in fields.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(data)
            handler.close_connection = fields["Content-Length"] != str(len(data))

        return give


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(LOOPBACK)]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def wire(certificate: tuple[Path, Path]) -> Iterator[Wire]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            served.requests.append(Request(self.command, self.path, dict(self.headers), body))
            if not served.answers:  # a request nobody planned for must not hang the test
                served.say(599, [{"errorCode": "UNPLANNED", "message": self.path}])
            served.answers.pop(0)(self)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    served = Wire(f"https://localhost:{server.server_address[1]}", certificate[0])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()
