import dataclasses
import datetime as dt
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import verification

from ci.local import certificates
from ci.settings import Settings, wiring


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("unit", 20000, wiring("local"), tmp_path)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def issue(settings: Settings) -> tuple[Path, Path]:
    return certificates.issue(settings, "git", certificates.git_names(settings))


def test_the_server_is_trusted_through_the_ca_under_each_name(settings: Settings) -> None:
    authority, leaf = load(certificates.ca(settings)), load(issue(settings)[0])
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["github.com", "localhost"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    builder = verification.PolicyBuilder().store(verification.Store([authority]))
    for name in ("github.com", "localhost"):
        assert builder.build_server_verifier(x509.DNSName(name)).verify(leaf, [])[-1] == authority


def test_the_pair_serves_tls(settings: Settings) -> None:
    certificate, key = issue(settings)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    ssl.create_default_context(cafile=str(certificates.ca(settings)))


def test_keys_and_folders_are_private(settings: Settings) -> None:
    issue(settings)
    folder = settings.state / "certificates"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"ca.pem": 0o644, "ca.key": 0o600, "git.pem": 0o644, "git.key": 0o600}
    assert stat.S_IMODE(settings.state.stat().st_mode) == 0o700


def test_the_ca_vouches_for_the_git_server_and_the_product_only(settings: Settings) -> None:
    authority = load(certificates.ca(settings))
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert [str(name.value) for name in limits.value.permitted_subtrees or ()] == [
        "github.com", "localhost", "127.0.0.1/32", "ledger.slipway.localhost",
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"may not vouch for example\.com"):
        certificates.issue(settings, "git", ["github.com", "example.com"])


def test_nothing_is_made_twice(settings: Settings) -> None:
    first = [path.read_bytes() for path in (certificates.ca(settings), *issue(settings))]
    assert [path.read_bytes() for path in (certificates.ca(settings), *issue(settings))] == first


@pytest.mark.parametrize(("days", "renewed"), [(31, False), (29, True), (0, True)])
def test_renewed_when_less_than_30_days_remain(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, days: int, renewed: bool
) -> None:
    monkeypatch.setattr(certificates, "SERVER_LIFE", dt.timedelta(days=days, minutes=1))
    authority, first = load(certificates.ca(settings)), load(issue(settings)[0])
    monkeypatch.undo()
    assert (load(issue(settings)[0]) != first) == renewed
    assert load(certificates.ca(settings)) == authority


def test_a_new_ca_or_other_names_make_a_new_certificate(settings: Settings) -> None:
    first = load(issue(settings)[0])
    (settings.state / "certificates" / "ca.pem").unlink()
    second = load(issue(settings)[0])
    assert second != first
    second.verify_directly_issued_by(load(certificates.ca(settings)))
    third = load(certificates.issue(settings, "git", ["localhost"])[0])
    assert third != second
    other = dataclasses.replace(settings.wiring, repo_url="https://git.example.org/acme/slipway.git")
    moved = dataclasses.replace(settings, wiring=other)
    assert certificates.git_names(moved)[0] == "git.example.org"
    load(issue(moved)[0]).verify_directly_issued_by(load(certificates.ca(moved)))


def test_a_kill_between_key_and_certificate_is_made_good(settings: Settings) -> None:
    certificate, key = issue(settings)
    key.write_bytes((settings.state / "certificates" / "ca.key").read_bytes())
    issue(settings)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
