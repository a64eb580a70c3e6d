"""The environment's own certificate authority, and the server certificates it issues."""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ci.local import secret
from ci.settings import Settings

CA_LIFE = dt.timedelta(days=3650)
SERVER_LIFE = dt.timedelta(days=365)
RENEW_BEFORE = dt.timedelta(days=30)
_SLACK = dt.timedelta(hours=1)
"""How far a certificate is dated back, for clocks that differ a little."""


def git_names(settings: Settings) -> tuple[str, ...]:
    """Every name that the git server is called by: from the cluster and from this machine."""
    return (urlsplit(settings.wiring.repo_url).hostname or "", "localhost", "127.0.0.1")


def edge_names(settings: Settings) -> tuple[str, ...]:
    """Every name that the product is called by."""
    return (settings.wiring.host,)


def ca(settings: Settings) -> Path:
    """Return the PEM file of the environment's CA, made on first use or when it nears its end.

    The CA can only vouch for `git_names` and `edge_names`: who gets hold of its key can imitate
    nothing else.
    """
    certificate, key = _paths(settings, "ca")
    if not _fresh(certificate, key, None, _names(settings)):
        _make_ca(certificate, key, _names(settings))
    return certificate


def issue(settings: Settings, name: str, sans: Sequence[str]) -> tuple[Path, Path]:
    """Return (certificate, key) PEM files of server `name`, valid for `sans`.

    Renewed when less than 30 days remain, when the names change, or when the CA does. `sans` are DNS
    names or IP addresses that the CA may vouch for.
    """
    if outside := set(sans) - set(_names(settings)):
        raise ValueError(f"the CA may not vouch for {', '.join(sorted(outside))}")
    authority = x509.load_pem_x509_certificate(ca(settings).read_bytes())
    certificate, key = _paths(settings, name)
    if not _fresh(certificate, key, authority, sans):
        _make_server(certificate, key, authority, _load_key(_paths(settings, "ca")[1]), name, sans)
    return certificate, key


def _names(settings: Settings) -> tuple[str, ...]:
    return git_names(settings) + edge_names(settings)


def _paths(settings: Settings, name: str) -> tuple[Path, Path]:
    secret.private_folder(settings.state)
    folder = secret.private_folder(settings.state / "certificates")
    return folder / f"{name}.pem", folder / f"{name}.key"


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _permitted(name: str) -> x509.GeneralName:
    general = _general(name)
    if isinstance(general, x509.IPAddress):
        return x509.IPAddress(ipaddress.ip_network(name))
    return general


def _fresh(certificate: Path, key: Path, issuer: x509.Certificate | None, names: Sequence[str]) -> bool:
    """Whether the pair is whole, ours, for these names and not near its end."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        if found.public_key() != _load_key(key).public_key():
            return False
        found.verify_directly_issued_by(issuer or found)
        if issuer is None:
            limits = found.extensions.get_extension_for_class(x509.NameConstraints).value
            same = set(limits.permitted_subtrees or ()) == {_permitted(name) for name in names}
        else:
            given = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            same = set(given) == {_general(name) for name in names}
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return same and found.not_valid_after_utc - dt.datetime.now(dt.UTC) > RENEW_BEFORE


def _make_ca(certificate: Path, key: Path, names: Sequence[str]) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Slipway local CA")])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    limits = x509.NameConstraints([_permitted(name) for name in names], None)
    built = (
        _builder(subject, subject, private.public_key(), private.public_key(), CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(limits, critical=True)
        .sign(private, hashes.SHA256())
    )
    _store(certificate, key, built, private)


def _make_server(
    certificate: Path,
    key: Path,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    name: str,
    sans: Sequence[str],
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        _builder(subject, authority.subject, private.public_key(), authority_key.public_key(), SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(n) for n in sans]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _store(certificate, key, built, private)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds another kind of key")
    return key


def _store(
    certificate: Path, key: Path, built: x509.Certificate, private: ec.EllipticCurvePrivateKey
) -> None:
    # The key first: a kill between the two leaves a pair that does not match, which is made anew.
    secret.write(
        key,
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    secret.write(certificate, built.public_bytes(serialization.Encoding.PEM), mode=0o644)
