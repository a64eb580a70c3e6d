"""Argo CD in the cluster: applied with the secrets that git must not hold, and watched."""

import base64

from ci import cluster as kubernetes
from ci import render, status, waiting
from ci.cluster import Cluster, Object
from ci.local import certificates, gitserver, secret
from ci.progress import step
from ci.settings import Settings

NAMESPACE = "argocd"
APPLICATIONS = (
    "root", "external-secrets-crds", "external-secrets", "traefik", "main-prerequisites", "main", "external-dns",
    "argocd-image-updater",
)  # fmt: skip
"""Every Application, in the order in which root makes them."""


def apply(settings: Settings, cluster: Cluster) -> None:
    """Apply Argo CD, the secrets that git must not hold, and at last the root Application."""
    install(settings, cluster, _secrets(settings))


def install(settings: Settings, cluster: Cluster, secrets: list[Object]) -> None:
    """Bring up Argo CD of the environment with `secrets`, then apply the root Application."""
    with step("apply Argo CD") as current:
        folder = render.GITOPS / "bootstrap" / "overlays" / settings.wiring.environment
        manifests = render.overlay(settings, folder, render.mirrors(settings))
        first = ("Namespace", "CustomResourceDefinition", "AppProject")
        ordered = [m for wanted in first for m in manifests if m["kind"] == wanted]
        rest = [m for m in manifests if m["kind"] not in (*first, "Application")]
        cluster.apply([_namespace(status.PRODUCT), *ordered, *rest])
        # A manager of their own: upstream's manifests name the same objects, without data, and the
        # next bootstrap's apply would take away what the same manager had put in.
        cluster.apply(secrets, manager="slipway-secrets")
        waiting.until(
            lambda: _unready(cluster), what="Argo CD did not start", seconds=300, step=current,
            fix="invoke status",
        )  # fmt: skip
        cluster.apply([m for m in manifests if m["kind"] == "Application"])


def _unready(cluster: Cluster) -> str | None:
    """None when every Argo CD workload is ready, else the first that is not."""
    for workload in (kubernetes.DEPLOYMENT, "apps/v1/StatefulSet"):
        for found in cluster.list(workload, NAMESPACE):
            name = found["metadata"]["name"]
            wanted, state = found["spec"].get("replicas", 1), found.get("status", {})
            if name.startswith("argocd-image-updater"):
                continue  # comes later, by its Application
            if state.get("readyReplicas", 0) < wanted or state.get("updatedReplicas", 0) < wanted:
                return f"{name} is not ready"
    return None


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def opaque(namespace: str, name: str, data: dict[str, str]) -> Object:
    """A Secret with `data`, which is encoded here."""
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    named = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": named, "data": encoded}


def _secrets(settings: Settings) -> list[Object]:
    """The data that git must not hold, for objects that git only names."""
    # A webhook type without a secret is open to everyone: the types not used get one nobody knows.
    webhooks = {
        f"webhook.{kind}-secret": secret.value(settings, f"unused-webhook-{kind}")
        for kind in ("docker", "ghcr", "quay", "harbor", "aliyun-acr")
    } | {"webhook.cloudevents-secret": secret.value(settings, secret.EVENTS_WEBHOOK)}
    git_login = {
        "type": "git", "url": settings.wiring.repo_url,
        "username": gitserver.USER, "password": secret.value(settings, secret.GIT_PASSWORD),
    }  # fmt: skip
    argocd = {"webhook.github.secret": secret.value(settings, secret.GIT_WEBHOOK)}
    authority = certificates.ca(settings).read_text()
    return [
        opaque(NAMESPACE, "argocd-secret", argocd),
        opaque(NAMESPACE, "argocd-image-updater-secret", webhooks),
        opaque(NAMESPACE, "git-creds", git_login),
        _edge_certificate(settings),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "argocd-tls-certs-cm", "namespace": NAMESPACE},
            "data": {"github.com": authority},
        },
    ]


def _edge_certificate(settings: Settings) -> Object:
    """The certificate of the product's host, which the local Ingress names."""
    certificate, key = certificates.issue(settings, "edge", certificates.edge_names(settings))
    files = {"tls.crt": certificate.read_bytes(), "tls.key": key.read_bytes()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "edge-certificate", "namespace": status.PRODUCT},
        "type": "kubernetes.io/tls",
        "data": {name: base64.b64encode(content).decode() for name, content in files.items()},
    }


def unhealthy(cluster: Cluster) -> str | None:
    """None when every Application is Synced and Healthy, else the first that is not, and why."""
    rows = {row.name: row for row in status.applications(cluster)}
    for name in APPLICATIONS:
        row = rows.get(name)
        if row is None:
            return f"{name} does not exist yet"
        if (row.sync, row.health) != ("Synced", "Healthy"):
            return f"{name} is {row.sync} and {row.health} {row.message}".strip()
    return None
