"""A second bootstrap changes nothing and takes seconds."""

import time
from typing import Any

from tests.e2e.environment import ARGOCD, PRODUCT, Environment

REFRESHED = "reconcile.external-secrets.io/data-hash"
"""Annotation of a Secret that External Secrets keeps."""


def test_second_bootstrap_is_a_no_op(settled: Environment) -> None:
    before = _everything(settled)
    started = time.monotonic()
    ended = settled.invoke("bootstrap", seconds=120).succeeded()
    seconds = time.monotonic() - started
    assert _everything(settled) == before
    assert settled.settings.url in ended.out
    assert seconds < 30, f"{seconds:.1f} s"


def _everything(environment: Environment) -> dict[str, Any]:
    """Containers, git, registry, and every object that bootstrap or Argo CD applies.

    `generation` where an object has a status, which controllers write all the time; for the
    others `resourceVersion`, which no write leaves as it is.
    """
    found: dict[str, Any] = environment.snapshot()
    for namespace in (ARGOCD, PRODUCT):
        for kind, listed in _objects(environment, namespace).items():
            for each in listed.items:
                meta = each.metadata
                if REFRESHED in (meta.annotations or {}):
                    meta.resource_version = "External Secrets writes it all the time"
                found[f"{kind} {namespace}/{meta.name}"] = (
                    meta.uid,
                    meta.generation or meta.resource_version,
                )
    listed = environment.custom.list_namespaced_custom_object(
        "argoproj.io", "v1alpha1", ARGOCD, "applications"
    )
    for each in listed["items"]:
        # Argo CD writes the status into the object itself, which counts as a generation.
        found[f"Application {each['metadata']['name']}"] = (each["metadata"]["uid"], each["spec"])
    return found


def _objects(environment: Environment, namespace: str) -> dict[str, Any]:
    core, apps, network = environment.core, environment.apps, environment.network
    return {
        "Deployment": apps.list_namespaced_deployment(namespace),
        "StatefulSet": apps.list_namespaced_stateful_set(namespace),
        "Service": core.list_namespaced_service(namespace),
        "ConfigMap": core.list_namespaced_config_map(namespace),
        "Secret": core.list_namespaced_secret(namespace),
        "ServiceAccount": core.list_namespaced_service_account(namespace),
        "NetworkPolicy": network.list_namespaced_network_policy(namespace),
        "Pod": core.list_namespaced_pod(namespace),
    }
