"""What the cluster is told about its tokens."""

import hashlib
from pathlib import Path

from ci.local import kind
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
