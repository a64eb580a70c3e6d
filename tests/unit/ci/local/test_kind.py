"""What the cluster is told about its tokens."""

import hashlib
import tomllib
from pathlib import Path

from ci.local import aws, kind
from ci.settings import Settings, wiring


def test_the_issuer_is_the_one_that_the_stand_ins_eks_has(tmp_path: Path) -> None:
    settings = Settings("unit", 20000, wiring("local"), tmp_path)
    digest = hashlib.sha256(b"123456789012/ap-northeast-1/slipway-local").hexdigest()
    assert kind.issuer(settings) == (
        f"https://oidc.eks.ap-northeast-1.amazonaws.com/id/{digest[:32].upper()}"
    )


def test_the_api_server_issues_under_that_name_and_takes_its_own_audience() -> None:
    patch = kind._cluster_patch(built=False, token_issuer="https://issuer.example.org")
    assert patch["apiServer"]["extraArgs"] == [
        {"name": "service-account-issuer", "value": "https://issuer.example.org"},
        {"name": "api-audiences", "value": "https://kubernetes.default.svc"},
    ]


def test_containerd_logs_in_as_the_node_and_nobody_else_reads_it(tmp_path: Path) -> None:
    settings = Settings("slipway-x", 8080, wiring("local"), tmp_path)
    folder = kind._mirror_folder(settings)
    hosts = folder / "hosts.toml"
    assert (folder.stat().st_mode & 0o777, hosts.stat().st_mode & 0o777) == (0o700, 0o600)
    host = tomllib.loads(hosts.read_text())["host"]["http://slipway-registry:5000"]
    assert host["capabilities"] == ["pull", "resolve"]
    login = aws.registry_login(settings, "node")
    assert host["header"] == {"Authorization": [login.header]}
    assert login.user == "node"
