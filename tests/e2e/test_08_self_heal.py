"""Git is what runs: changes by hand are undone, what git drops is pruned."""

from pathlib import Path
from typing import Any

import httpx
from kubernetes.client import ApiException

from tests.e2e.environment import PRODUCT, Environment, until

POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: passing}
spec: {podSelector: {matchLabels: {app.kubernetes.io/name: nothing}}, policyTypes: [Ingress]}
"""


def test_replicas_changed_by_hand_are_healed(settled: Environment) -> None:
    settled.apps.patch_namespaced_deployment_scale("main", PRODUCT, {"spec": {"replicas": 3}})
    until(lambda: True if _replicas(settled) == 2 else None, "not healed")


def test_deleted_service_comes_back(settled: Environment) -> None:
    uid = settled.core.read_namespaced_service("main", PRODUCT).metadata.uid
    settled.core.delete_namespaced_service("main", PRODUCT)
    again = until(lambda: _service(settled), "the Service did not come back")
    assert again.metadata.uid != uid
    until(lambda: _answers(settled), "the product does not answer")


def test_what_git_drops_is_pruned(settled: Environment, tmp_path: Path) -> None:
    """Two pushes to main: the server's webhook makes Argo CD see each at once, not in two minutes."""
    folder = tmp_path / "operator"
    who = ("-c", "user.name=Operator", "-c", "user.email=operator@slipway.invalid")
    settled.git("clone", "--quiet", settled.repository, str(folder))
    base = folder / "gitops" / "main" / "base"
    (base / "passing.yaml").write_text(POLICY)
    listed = base / "kustomization.yaml"
    listed.write_text(listed.read_text().replace("resources:\n", "resources:\n- passing.yaml\n"))
    settled.git("add", "--all", cwd=folder)
    settled.git(*who, "commit", "--quiet", "--message", "a policy", cwd=folder)
    settled.git("push", "--quiet", "origin", "HEAD:main", cwd=folder, login="git-creds")
    until(lambda: _policy(settled), "the policy was not applied")

    settled.git(*who, "revert", "--no-edit", "HEAD", cwd=folder)
    settled.git("push", "--quiet", "origin", "HEAD:main", cwd=folder, login="git-creds")
    until(lambda: None if _policy(settled) else True, "the policy was not pruned")


def _replicas(environment: Environment) -> int:
    replicas: int = environment.apps.read_namespaced_deployment("main", PRODUCT).spec.replicas
    return replicas


def _service(environment: Environment) -> Any:
    try:
        return environment.core.read_namespaced_service("main", PRODUCT)
    except ApiException as error:
        if error.status != 404:
            raise
        return None


def _policy(environment: Environment) -> Any:
    names = [each.metadata.name for each in environment.network.list_namespaced_network_policy(PRODUCT).items]
    return True if "passing" in names else None


def _answers(environment: Environment) -> bool | None:
    try:
        return True if environment.product.get("/health_check").status_code == 200 else None
    except httpx.HTTPError:
        return None
