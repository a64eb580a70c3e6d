"""Settings of Argo CD that the pinned version really reads."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ci.render import Document
from tests.unit.gitops.conftest import ENVIRONMENTS, Find


def references(value: Any) -> Iterator[tuple[str, str]]:
    """ConfigMap and key of every configMapKeyRef in a document."""
    if isinstance(value, dict):
        if "configMapKeyRef" in value:
            yield value["configMapKeyRef"]["name"], value["configMapKeyRef"]["key"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_parameter_is_read_by_a_workload(
    rendered: Mapping[tuple[str, str], list[Document]], find: Find, environment: str
) -> None:
    read = {
        reference for document in rendered["bootstrap", environment] for reference in references(document)
    }
    params = find("bootstrap", environment, "ConfigMap", "argocd-cmd-params-cm")["data"]
    assert {("argocd-cmd-params-cm", key) for key in params} <= read
    assert ("argocd-cm", "timeout.reconciliation") in read
    assert ("argocd-cm", "timeout.reconciliation.jitter") in read


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_upstreams_own_settings_are_kept(find: Find, environment: str) -> None:
    data = find("bootstrap", environment, "ConfigMap", "argocd-cm")["data"]
    assert "resource.exclusions" in data
    assert "resource.customizations.ignoreResourceUpdates.all" in data


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nobody_logs_in_with_a_shared_password(find: Find, environment: str) -> None:
    assert find("bootstrap", environment, "ConfigMap", "argocd-cm")["data"]["admin.enabled"] == "false"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_self_heal_leaves_a_release_time_to_start_its_own_sync(find: Find, environment: str) -> None:
    params = find("bootstrap", environment, "ConfigMap", "argocd-cmd-params-cm")["data"]
    assert params["controller.self.heal.timeout.seconds"] == "10"
    assert params["controller.self.heal.backoff.timeout.seconds"] == "0"
