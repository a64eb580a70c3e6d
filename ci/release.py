"""Release a version: check, build, tag, publish, and watch it until it serves."""

import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ci import build, git, publish, ship, status, views, waiting
from ci import cluster as kubernetes
from ci.cluster import Cluster, NoCluster
from ci.local import engine
from ci.oci import Registry
from ci.problem import Problem
from ci.progress import console, step
from ci.settings import ROOT, Settings
from ci.version import Version, parse
from ci.views import ApplicationRow, Migration, PodRow

DEADLINE = 600.0
"""Seconds from published to serving: with both webhooks lost, polling finds a release in two and
in three minutes, a migration may take two, and a rollout its grace period."""

STEPS = (
    "version recorded in git",
    "Argo CD syncs it",
    "database migrated",
    "pods replaced",
    "product serves it",
)


def release(settings: Settings, version: str, wait: bool = True, source: Path = ROOT) -> None:
    """Ship the commit of the work tree `source` as `version`.

    Everything that can be wrong beforehand is found before anything changes. A run that was
    killed is finished by the same command. With `wait`, return when the product serves the
    version, and raise Problem when that fails. In production, publishing is all: ci/ship.py.
    """
    if ship.in_production():
        ship.ship(settings, version, source)
        return
    wanted = parse(version)
    cluster = Cluster(settings)
    commit = check_source(source)
    with publish.registry(settings) as opened:
        check_environment(settings, cluster, opened, wanted, commit)
        with publish.exclusive(settings, wanted):
            # Once more, now that nobody else publishes.
            check_environment(settings, cluster, opened, wanted, commit)
            build.build(settings, wanted, source, committed=True)
            with step(f"tag {commit[:12]} as {wanted} on the git server"):
                # Before the images: the server gives a tag once, so a tag is the claim to a
                # version, and an interrupted release still says which commit it was.
                git.remote(settings).push_tag(source, commit, str(wanted))
            with publish.saved(settings, wanted) as find:
                publish.push(settings, opened, wanted, commit, find)
    published = time.monotonic()
    if not wait:
        console.print(f"{wanted} is published; it goes on by itself: invoke status", markup=False)
        return
    follow(settings, cluster, wanted)
    seconds = time.monotonic() - published
    console.print(
        f"{wanted} serves at {settings.url}, {seconds:.1f} s after its tag was published", markup=False
    )


def check_source(source: Path) -> str:
    """Return the commit to release; a work tree with changes raises Problem."""
    commit = git.revision(source)
    if changed := git.changes(source):
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise Problem(
            f"the work tree has changes that are in no commit: {changed[0]}{more}",
            fix="commit them, or put them aside with: git stash -u",
        )
    return commit


def check_environment(
    settings: Settings, cluster: Cluster, opened: Registry, version: Version, commit: str
) -> None:
    """Refuse a version that cannot be released now; nothing is changed."""
    cluster.version()
    if engine.version() is None:
        raise Problem("no Docker engine answers", fix="invoke bootstrap (it starts one)")
    publish.check_new(opened, version, commit)
    server = git.remote(settings)
    check_order(version, git.live_version(settings, server), publish.versions(opened))
    tagged = server.tag(str(version))
    if tagged not in (None, commit):
        raise Problem(
            f"{version} is tagged in git at {str(tagged)[:12]}, and this is {commit[:12]}",
            fix=f"take the next version, {version.next()}, or release {version} from that commit",
        )


def check_order(version: Version, recorded: str, published: tuple[Version, ...]) -> None:
    """Refuse a version that is not above the live one and above every published one."""
    live = Version.read(recorded)
    for other, what in ((live, "the live version"), (max(published, default=None), "published already")):
        if other is not None and version <= other:
            relation = "is" if version == other else f"is lower than {other}, which is"
            raise Problem(
                f"{version} {relation} {what}", fix=f"take a higher version, such as {other.next()}"
            )


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at a release under way."""

    recorded: str
    commits: frozenset[str]
    """Commits of the followed branch that ask for the version."""
    application: ApplicationRow
    migration: Migration
    pods: tuple[PodRow, ...]
    serving: str


def reached(version: str, sight: Sight) -> int:
    """Return how many of STEPS are done. A later step proves the earlier ones."""
    if _rolled_out(version, sight.pods):
        return 5 if sight.serving == version else 4
    if any(pod.version == version for pod in sight.pods):
        return 3
    if sight.migration.version == version:
        return 3 if sight.migration.state == "succeeded" else 2
    if sight.recorded != version:
        return 0
    return 2 if sight.application.revision in sight.commits else 1


def served(ask: Callable[[], str], version: str, times: int) -> str:
    """Return `version` if it answers `times` times, else the first other answer; each is a connection of its own.

    One answer is not enough: for a moment the edge still knows the pods that leave, and who asks next may get one.
    It takes its backends in turn, so twice as many requests as pods meet each of them.
    """
    for _ in range(times):
        if (answer := ask()) != version:
            return answer
    return version


def failure(version: Version, sight: Sight) -> str | None:
    """Say why the version will not serve by itself any more; None while it may."""
    if sight.migration.version == str(version) and sight.migration.state in ("failed", "terminated"):
        words = "; ".join(line.strip() for line in sight.migration.words.splitlines() if line.strip())
        return f"the migration of {version} {sight.migration.state}: {words[-800:] or 'it said nothing'}"
    operation = sight.application
    if operation.revision in sight.commits and operation.phase in ("Failed", "Error"):
        return f"the sync of {version} failed: {operation.message}"
    overtaken = Version.read(sight.recorded)
    if overtaken and overtaken > version:
        return f"{version} was overtaken: git asks for {overtaken}"
    return None


def state(version: str, sight: Sight) -> str:
    """Describe in a few words what the release waits for."""
    done = reached(version, sight)
    if done == 0:
        return f"git asks for {sight.recorded}"
    if done <= 2:
        migration, operation = sight.migration, sight.application
        if migration.version == version:
            return f"migration {migration.state}: {_last_line(migration.words)}"
        return f"Argo CD: {operation.phase or operation.sync} {operation.message}".strip()
    if done == 3:
        trouble = next((pod.trouble for pod in sight.pods if pod.version == version and pod.trouble), "")
        new = sum(pod.ready and pod.version == version for pod in sight.pods)
        return f"{new} of {len(sight.pods)} pods are ready with it {trouble}".strip()
    return f"the url serves {sight.serving or 'nothing'}"


def follow(settings: Settings, cluster: Cluster, version: Version) -> None:
    """Show each step of a published version until it serves; Problem on failure or at the deadline."""
    looks = _looks(settings, cluster, version)
    deadline = time.monotonic() + DEADLINE

    def missing(number: int) -> str | None:
        sight = next(looks)
        if isinstance(sight, str):
            return sight
        if reached(str(version), sight) > number:
            return None
        if why := failure(version, sight):
            raise _failed(settings, cluster, version, why)
        return state(str(version), sight)

    try:
        for number, title in enumerate(STEPS):
            with step(title) as current:
                waiting.until(
                    functools.partial(missing, number),
                    what=f"{version} is published, but '{title}' did not happen",
                    seconds=max(1.0, deadline - time.monotonic()),
                    fix="invoke status shows what it waits for; the release goes on by itself",
                    step=current,
                )
    except KeyboardInterrupt:
        console.print(f"\n{version} is published and goes on by itself: invoke status", markup=False)
        raise


def _looks(settings: Settings, cluster: Cluster, version: Version) -> Iterator[Sight | str]:
    """Look at the release again and again; a string is why that was not possible this time."""
    server = git.remote(settings)
    tip, recorded, commits = "", "", set[str]()
    while True:
        try:
            # Once git has it, git is asked no more: that spares a subprocess per look.
            if not commits and (head := server.head() or "") != tip:
                tip, recorded = head, git.live_version(settings, server)
                if recorded == str(version):
                    commits.add(head)
            yield _look(settings, cluster, version, recorded, frozenset(commits))
        except NoCluster as problem:
            yield problem.what


def _look(
    settings: Settings, cluster: Cluster, version: Version, recorded: str, commits: frozenset[str]
) -> Sight:
    found = cluster.get(kubernetes.APPLICATION, status.PRODUCT, status.ARGOCD)
    application = views.application(found) if found else ApplicationRow("main", "missing", "Missing")
    report = cluster.get(kubernetes.CONFIG_MAP, "migration-report", status.PRODUCT)
    running = status.pods(cluster)
    rolled = _rolled_out(str(version), running)
    return Sight(
        recorded=recorded,
        commits=commits,
        application=application,
        migration=views.migration(views.Evidence(report=report)),
        pods=running,
        serving=served(lambda: status.serving(settings).version, str(version), 2 * len(running))
        if rolled
        else "",
    )


def _failed(settings: Settings, cluster: Cluster, version: Version, why: str) -> Problem:
    found = cluster.get(kubernetes.APPLICATION, status.PRODUCT, status.ARGOCD)
    last = status.migration(cluster, views.application(found) if found else None)
    if last.version == str(version) and last.state != "succeeded" and "the migration of" not in why:
        why = f"{why}; {last.origin} said: {' '.join(last.words.split())[-800:]}"
    serving = status.serving(settings).version
    still = f"{serving} still serves" if serving else f"{settings.url} does not answer"
    return Problem(
        f"{why}. {still}",
        fix="correct it, commit, and release the next version; invoke status shows the details",
    )


def _rolled_out(version: str, pods: tuple[PodRow, ...]) -> bool:
    staying = [pod for pod in pods if not pod.leaving]
    return bool(staying) and all(
        pod.ready and all(container.tag == version for container in pod.containers.values())
        for pod in staying
    )


def _last_line(words: str) -> str:
    lines = words.strip().splitlines()
    return lines[-1] if lines else ""
