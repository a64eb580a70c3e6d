"""The local environment as a whole: brought up in order, and taken down again."""

import base64
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from ci import build, git, publish, render, shell, status, supply, waiting
from ci import cluster as kubernetes
from ci.cluster import Cluster, NoCluster, Object
from ci.local import (
    certificates,
    container,
    database,
    engine,
    events,
    gitserver,
    kind,
    preflight,
    registry,
    secret,
)
from ci.problem import Problem
from ci.progress import clock, console, step
from ci.settings import ROOT, Settings
from ci.supply import catalogue
from ci.supply import mirror as mirrors
from ci.version import parse

FIRST = ("debian", "buildx", "kustomize", "kind", "node", "registry", "git", "postgres", "events",
         "redis", "argocd")  # fmt: skip
"""What the product's first page needs; the rest is made while the cluster comes up."""
ARGOCD = "argocd"
APPLICATIONS = ("root", "main-prerequisites", "main", "argocd-image-updater")
SERVICES = ("events", "registry", "git", "database")


def bootstrap(settings: Settings, source: Path = ROOT) -> None:
    """Bring up the whole environment from whatever is there; a second run changes nothing."""
    started = time.monotonic()
    preflight.check(settings, engine_answers=engine.version() is not None)
    git.revision(source)
    if changed := git.changes(source):
        console.print(f"note: {len(changed)} uncommitted changes are left out; git is what is deployed")
    engine.ensure(settings)
    secret.private_folder(settings.state)
    supply.ensure(settings, FIRST)
    container.network(settings)
    with ThreadPoolExecutor(max_workers=1) as pool:
        node = pool.submit(kind.ensure, settings)  # its quarter minute is mostly waiting
        try:
            _services(settings)
            version = _content(settings, source)
            supply.publish(settings, ("argocd", "redis"))
        finally:
            failed = node.exception()
        if failed is not None:
            raise failed
    cluster = _reach(settings)
    with ThreadPoolExecutor(max_workers=1) as pool:
        late = pool.submit(_late, settings, cluster)
        _argocd(settings, cluster)
        _first_page(settings, version)
        console.print(f"the product answers at {settings.url} ({clock(time.monotonic() - started)})")
        late.result()
    _healthy(settings, cluster)
    console.print(f"all Applications are Healthy ({clock(time.monotonic() - started)})")
    console.print(f"\n{settings.url}", style="bold")


def destroy(settings: Settings, *, yes: bool = False, keep_cache: bool = False) -> None:
    """Remove the environment, its data and, unless `keep_cache`, what was downloaded and built.

    Shows what goes and asks, unless `yes`. Images that other environments use stay in the engine.
    """
    if engine.version() is None:
        raise Problem(
            "no Docker engine answers, so nothing could be removed",
            fix="start Docker (invoke bootstrap does, where it may), then run the command again",
        )
    console.print(_plan(settings, keep_cache), markup=False)
    if not yes and not _agreed():
        raise Problem("nothing was removed", fix="answer yes, or pass --yes in scripts")
    with step("remove the cluster"):
        kind.delete(settings)
    with step("remove the containers and their data"):
        for role in SERVICES:
            container.remove(settings, role, data=True)
        shell.run("docker", "network", "rm", settings.network, ok=(0, 1))
    shutil.rmtree(settings.state, ignore_errors=True)
    if not keep_cache:
        with step(f"remove the cache in {settings.cache}"):
            supply.clear(settings)


def _services(settings: Settings) -> None:
    """The containers beside the cluster, one after the other: each takes about a second."""
    with step("start the registry, the git server, the database and the events relay") as current:
        for module in (events, registry, gitserver, database):
            current.note = module.__name__.rpartition(".")[2]
            module.ensure(settings)
        current.note = ""


def _content(settings: Settings, source: Path) -> str:
    """Fill the git server, and the registry with the version that git asks for; return it."""
    with step("push the manifests to the git server"):
        for name, mirrored in catalogue.load().mirrors.items():
            gitserver.mirror(settings, mirrored.repository, mirrors.repository(settings, name))
        gitserver.push(settings, source)
    server = git.remote(settings)
    version = git.live_version(settings, server)
    with publish.registry(settings) as opened:
        published = publish.released(opened, parse(version)) is not None
    if not published:
        _publish_from(settings, server, version, source)
    return version


def _publish_from(settings: Settings, server: git.Remote, version: str, source: Path) -> None:
    """Publish `version` from its tag where git has one (the registry was lost), else from HEAD."""
    tagged = server.tag(version)
    if tagged is None:
        # Tagged between building and publishing: a commit that does not build is not tied to the
        # version, and whoever goes on after a kill takes the commit that was begun with.
        build.build(settings, parse(version), source, committed=True)
        server.push_tag(source, git.revision(source), version)
        publish.publish(settings, version, source, building=False)
        return
    with tempfile.TemporaryDirectory(prefix="slipway-source-") as folder:
        env = gitserver.environment(settings)
        shell.run("git", "clone", "--quiet", "--branch", version, server.url, folder, env=env)
        publish.publish(settings, version, Path(folder))


def _reach(settings: Settings) -> Cluster:
    """Connect to the API server, which takes a moment after the node was started."""
    with step("reach the cluster") as current:

        def answers() -> str | None:
            try:
                Cluster(settings).version()
            except NoCluster as problem:
                return problem.what
            return None

        waiting.until(
            answers, what="the API server did not answer", seconds=120, step=current,
            fix=f"docker logs {settings.node}",
        )  # fmt: skip
        return Cluster(settings)


def _argocd(settings: Settings, cluster: Cluster) -> None:
    """Apply Argo CD, the secrets that git must not hold, and at last the root Application."""
    with step("apply Argo CD") as current:
        folder = render.GITOPS / "bootstrap" / "overlays" / settings.wiring.environment
        manifests = render.overlay(settings, folder, render.mirrors(settings))
        first = ("Namespace", "CustomResourceDefinition", "AppProject")
        ordered = [m for wanted in first for m in manifests if m["kind"] == wanted]
        rest = [m for m in manifests if m["kind"] not in (*first, "Application")]
        cluster.apply([_namespace(status.PRODUCT), *ordered, *rest])
        # A manager of their own: upstream's manifests name the same objects, without data, and the
        # next bootstrap's apply would take away what the same manager had put in.
        cluster.apply(_secrets(settings), manager="slipway-secrets")
        waiting.until(
            lambda: _workloads(cluster), what="Argo CD did not start", seconds=300, step=current,
            fix="invoke status",
        )  # fmt: skip
        cluster.apply([m for m in manifests if m["kind"] == "Application"])


def _workloads(cluster: Cluster) -> str | None:
    """None when every Argo CD workload is ready, else the first that is not."""
    for workload in (kubernetes.DEPLOYMENT, "apps/v1/StatefulSet"):
        for found in cluster.list(workload, ARGOCD):
            name = found["metadata"]["name"]
            wanted, state = found["spec"].get("replicas", 1), found.get("status", {})
            if name.startswith("argocd-image-updater"):
                continue  # comes later, by its Application
            if state.get("readyReplicas", 0) < wanted or state.get("updatedReplicas", 0) < wanted:
                return f"{name} is not ready"
    return None


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _secrets(settings: Settings) -> list[Object]:
    """The data that git must not hold, for objects that git only names."""

    def opaque(namespace: str, name: str, data: dict[str, str]) -> Object:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        named = {"name": name, "namespace": namespace}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": named, "data": encoded}

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
        opaque(ARGOCD, "argocd-secret", argocd),
        opaque(ARGOCD, "argocd-image-updater-secret", webhooks),
        opaque(ARGOCD, "git-creds", git_login),
        opaque(status.PRODUCT, "database-secrets", asdict(database.credentials(settings))),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "argocd-tls-certs-cm", "namespace": ARGOCD},
            "data": {"github.com": authority},
        },
    ]


def _late(settings: Settings, cluster: Cluster) -> None:
    """Make and publish what only later Applications need, and hurry the pods that wait for it."""
    names = [c.name for c in catalogue.load().components.values() if c.late]
    supply.ensure(settings, names)
    supply.publish(settings, names)
    for pod in cluster.list(kubernetes.POD, ARGOCD):
        waits = [s.get("state", {}).get("waiting", {}) for s in pod["status"].get("containerStatuses", [])]
        if any(w.get("reason") in ("ImagePullBackOff", "ErrImagePull") for w in waits):
            cluster.delete(kubernetes.POD, pod["metadata"]["name"], ARGOCD)


def _first_page(settings: Settings, version: str) -> None:
    with step(f"wait until {version} answers at {settings.url}", 60) as current:
        waiting.until(
            lambda: None if status.serving(settings).version else _application_states(settings),
            what="the product did not answer", seconds=420, fix="invoke status", step=current,
        )  # fmt: skip


def _healthy(settings: Settings, cluster: Cluster) -> None:
    with step("wait until every Application is Synced and Healthy", 30) as current:
        waiting.until(
            lambda: _unhealthy(cluster), what="not every Application became Healthy",
            seconds=420, fix="invoke status", step=current,
        )  # fmt: skip


def _unhealthy(cluster: Cluster) -> str | None:
    rows = {row.name: row for row in status.applications(cluster)}
    for name in APPLICATIONS:
        row = rows.get(name)
        if row is None:
            return f"{name} does not exist yet"
        if (row.sync, row.health) != ("Synced", "Healthy"):
            return f"{name} is {row.sync} and {row.health} {row.message}".strip()
    return None


def _application_states(settings: Settings) -> str:
    try:
        return _unhealthy(Cluster(settings)) or "no answer yet"
    except Problem as problem:
        return problem.what


def _plan(settings: Settings, keep_cache: bool) -> str:
    lines = [
        f"destroy removes from environment '{settings.name}':",
        "  the cluster, with everything in it",
        "  the registry, the git server and the database, with all their data",
        f"  secrets and certificates in {settings.state}",
    ]
    if not keep_cache:
        lines.append(f"  the cache in {settings.cache}: the next bootstrap builds everything again")
    return "\n".join(lines)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    return input("Remove all that? Type yes: ").strip() == "yes"
