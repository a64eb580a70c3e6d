"""The local environment as a whole, brought up in order."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ci import build, git, infra, publish, shell, status, supply, waiting
from ci import cluster as kubernetes
from ci.cluster import Cluster, NoCluster
from ci.local import (
    argocd,
    aws,
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

FIRST = ("debian", "buildx", "kustomize", "kind", "node", "registry", "ecr", "aws", "git", "postgres", "events",
         "redis", "argocd", "external-secrets", "traefik")  # fmt: skip
"""What the product's first page needs; the rest is made while the cluster comes up."""


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
    _infrastructure(settings)
    with ThreadPoolExecutor(max_workers=1) as pool:
        node = pool.submit(kind.ensure, settings)  # its quarter minute is mostly waiting
        try:
            _services(settings)
            version = _content(settings, source)
            supply.publish(settings, ("argocd", "redis", "external-secrets", "traefik"))
        finally:
            failed = node.exception()
        if failed is not None:
            raise failed
    cluster = _reach(settings)
    aws.register_cluster(settings, cluster)
    with ThreadPoolExecutor(max_workers=1) as pool:
        late = pool.submit(_late, settings, cluster)
        argocd.apply(settings, cluster)
        _first_page(settings, version)
        console.print(f"the product answers at {settings.url} ({clock(time.monotonic() - started)})")
        late.result()
    _healthy(settings, cluster)
    console.print(f"all Applications are Healthy ({clock(time.monotonic() - started)})")
    # curl knows nothing of our authority; a line that is typed again must not be wrapped.
    console.print(
        f"\ncurl --cacert {certificates.ca(settings)} {settings.url}/api/version",
        markup=False,
        soft_wrap=True,
    )
    console.print(settings.url, style="bold")


def _infrastructure(settings: Settings) -> None:
    """The stand-in for AWS, and in it what the templates of production make."""
    with step("start the stand-in for AWS") as current:
        aws.ensure(settings, current)
    with step("deploy the infrastructure to it", 10) as current:
        infra.ensure(settings, settings.wiring.environment, shown=current)
        current.note = ""


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


def _late(settings: Settings, cluster: Cluster) -> None:
    """Make and publish what only later Applications need, one after the other, and hurry who waits for it."""
    for component in [c for c in catalogue.load().components.values() if c.late]:
        supply.ensure(settings, [component.name])
        supply.publish(settings, [component.name])
        for pod in cluster.list(kubernetes.POD):
            states = [s.get("state", {}) for s in pod["status"].get("containerStatuses", [])]
            reasons = {state.get("waiting", {}).get("reason") for state in states}
            if reasons & {"ImagePullBackOff", "ErrImagePull"}:
                cluster.delete(kubernetes.POD, pod["metadata"]["name"], pod["metadata"]["namespace"])


def _first_page(settings: Settings, version: str) -> None:
    with step(f"wait until {version} answers at {settings.url}", 60) as current:
        waiting.until(
            lambda: None if status.serving(settings).version else _application_states(settings),
            what="the product did not answer", seconds=420, fix="invoke status", step=current,
        )  # fmt: skip


def _healthy(settings: Settings, cluster: Cluster) -> None:
    with step("wait until every Application is Synced and Healthy", 30) as current:
        waiting.until(
            lambda: argocd.unhealthy(cluster), what="not every Application became Healthy",
            seconds=420, fix="invoke status", step=current,
        )  # fmt: skip


def _application_states(settings: Settings) -> str:
    try:
        return argocd.unhealthy(Cluster(settings)) or "no answer yet"
    except Problem as problem:
        return problem.what
