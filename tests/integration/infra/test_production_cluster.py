"""How bootstrap gets into production's cluster: the kubeconfig it writes, and the token in it."""

import base64
from dataclasses import replace
from pathlib import Path

import httpx
import yaml

from ci import production, settings
from ci.settings import Settings
from tests.integration.infra.conftest import Account


def kubeconfig(standing: Account, folder: Path) -> tuple[Settings, dict[str, str], str]:
    """The settings of production's cluster, the kubeconfig's cluster, and its token."""
    place = standing.environment.wiring
    named = replace(settings.load(), name=place.cluster_name, wiring=place, cache=folder)
    production.write_kubeconfig(named, standing.clients("eks"), standing.clients("sts"))
    content = yaml.safe_load(named.kubeconfig.read_text())
    return named, content["clusters"][0]["cluster"], content["users"][0]["user"]["token"]


def test_the_kubeconfig_is_the_clusters_and_private(standing: Account, tmp_path: Path) -> None:
    named, cluster, _ = kubeconfig(standing, tmp_path)
    found = standing.clients("eks").describe_cluster(name="slipway-production")["cluster"]
    assert cluster == {
        "server": found["endpoint"],
        "certificate-authority-data": found["certificateAuthority"]["data"],
    }
    assert named.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_the_token_is_a_request_that_sts_answers_for_this_cluster_only(
    standing: Account, tmp_path: Path
) -> None:
    _, _, token = kubeconfig(standing, tmp_path)
    kind, _, encoded = token.partition(".")
    assert kind == "k8s-aws-v1"
    url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    # What the API server of EKS does with it.
    here = {"x-k8s-aws-id": "slipway-production"}
    answer = httpx.get(url, headers=here, trust_env=False)
    assert answer.status_code == 200
    assert standing.environment.wiring.account in answer.text
    for headers in ({"x-k8s-aws-id": "another"}, {}):
        assert httpx.get(url, headers=headers, trust_env=False).status_code == 403
