"""The org's own certificate authority, made at first start, and the server certificate it signs."""

import datetime as dt
import ipaddress
from collections.abc import Collection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pipelines.local_org.files import write_private

CA_DAYS = 3650
SERVER_DAYS = 397  # browsers refuse server certificates that live longer
RENEW_DAYS = 30


def ensure_certificates(
    ca_file: Path, folder: Path, hosts: Collection[str] = ()
) -> tuple[Path, Path]:
    """Make the CA and the server certificate where they are missing, nearly over or for others.

    Args:
        ca_file: where clients find the CA's certificate (PEM).
        folder: private files: `ca.key`, `server.pem`, `server.key`.
        hosts: names and addresses that the server has besides localhost.

    Returns:
        the server's certificate chain and its key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ca_key_file, chain, key_file = folder / "ca.key", folder / "server.pem", folder / "server.key"
    if not (ca_file.exists() and ca_key_file.exists() and _lasts(ca_file)):
        ca_key, ca = _make_ca()
        write_private(ca_key_file, _key_pem(ca_key))
        ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
        chain.unlink(missing_ok=True)
    names = _names(hosts)
    if not (chain.exists() and key_file.exists() and _lasts(chain) and _is_for(chain, names)):
        ca = x509.load_pem_x509_certificate(ca_file.read_bytes())
        ca_key = _load_key(ca_key_file)
        key, certificate = _make_server(ca, ca_key, names)
        write_private(key_file, _key_pem(key))
        chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return chain, key_file


def ensure_jwt_key(file: Path) -> bytes:
    """Make the RSA key for JWT assertions where it is missing; its public half as PEM."""
    if not file.exists():
        new_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = new_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(file, pem)
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _lasts(file: Path) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return certificate.not_valid_after_utc > dt.datetime.now(dt.UTC) + dt.timedelta(days=RENEW_DAYS)


def _names(hosts: Collection[str]) -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = []
    for host in ["localhost", "127.0.0.1", *sorted(hosts)]:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return x509.SubjectAlternativeName(names)


def _is_for(file: Path, names: x509.SubjectAlternativeName) -> bool:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    present = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return present.value == names


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _load_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{file} holds no elliptic-curve key; delete its folder to make a new one")
    return key


def _builder(subject: x509.Name, issuer: x509.Name, days: int) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _make_ca() -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Causeway local org CA")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _builder(name, name, CA_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return key, certificate


def _make_server(
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: x509.SubjectAlternativeName,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    certificate = (
        _builder(name, ca.subject, SERVER_DAYS)
        .public_key(key.public_key())
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return key, certificate
