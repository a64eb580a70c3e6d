"""What runs, what git asks for, how the last migration went, and whether the product answers."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ci import cluster as kubernetes
from ci import git, publish, views
from ci.cluster import Cluster
from ci.local import edge
from ci.problem import Problem
from ci.progress import clock, console
from ci.publish import Release
from ci.settings import Settings
from ci.version import Version
from ci.views import ApplicationRow, Migration, PodRow

ARGOCD, PRODUCT = "argocd", "main"
"""Namespaces: of the Applications, and of the product (also its Application's and Deployment's name)."""
_SELECTOR = "app.kubernetes.io/name=main"
_JOB_SELECTOR = "batch.kubernetes.io/job-name=migration"


@dataclass(frozen=True, slots=True)
class Serving:
    """What the product's URL answers: versions and schema, or `trouble`."""

    version: str = ""
    revision: str = ""
    schema_head: str = ""
    schema_live: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything `invoke status` shows. `recorded` is the version in git, '' where unreadable."""

    url: str
    serving: Serving
    recorded: str
    published: str
    applications: tuple[ApplicationRow, ...]
    pods: tuple[PodRow, ...]
    releases: Mapping[str, Release]
    migration: Migration
    notes: tuple[str, ...] = ()
    """Parts that could not be read, and why."""


def show(settings: Settings, as_json: bool = False) -> None:
    """Print the state of the environment: a table for people, or JSON."""
    found = read(settings)
    if as_json:
        print(json.dumps(data(found), indent=2))
    else:
        render(found, console, datetime.now(UTC))


def read(settings: Settings) -> Status:
    """Read everything; only a missing cluster is an error, what else fails becomes a note."""
    cluster = Cluster(settings)
    cluster.version()
    notes: list[str] = []
    seen = applications(cluster)
    running = pods(cluster)
    recorded, published, records = "", "", {}
    with _noted(notes):
        recorded = git.live_version(settings, git.remote(settings))
    with _noted(notes), publish.registry(settings) as opened:
        published = next((str(version) for version in publish.versions(opened)), "")
        for text in {row.version for row in running}:
            version = Version.read(text)
            if version and (release := publish.released(opened, version)):
                records[text] = release
    main = next((row for row in seen if row.name == PRODUCT), None)
    return Status(
        url=settings.url,
        serving=serving(settings),
        recorded=recorded,
        published=published,
        applications=seen,
        pods=running,
        releases=records,
        migration=migration(cluster, main),
        notes=tuple(notes),
    )


def applications(cluster: Cluster) -> tuple[ApplicationRow, ...]:
    """Read all Applications, root first."""
    found = map(views.application, cluster.list(kubernetes.APPLICATION, ARGOCD))
    return tuple(sorted(found, key=lambda row: (row.name != "root", row.name)))


def pods(cluster: Cluster) -> tuple[PodRow, ...]:
    """Read the product's pods, oldest first."""
    found = map(views.pod, cluster.list(kubernetes.POD, PRODUCT, selector=_SELECTOR))
    return tuple(sorted(found, key=lambda row: (row.created, row.name)))


def migration(cluster: Cluster, main: ApplicationRow | None) -> Migration:
    """Gather what is left of the last migration and say how it went."""
    job_pods = cluster.list(kubernetes.POD, PRODUCT, selector=_JOB_SELECTOR)
    names = {views.MIGRATION, *(found["metadata"]["name"] for found in job_pods)}
    logs = ""
    if job_pods:
        newest = max(job_pods, key=lambda found: str(found["metadata"]["creationTimestamp"]))
        logs = cluster.logs(newest["metadata"]["name"], PRODUCT)
    events = [
        event for event in cluster.list(kubernetes.EVENT, PRODUCT) if event["involvedObject"]["name"] in names
    ]
    return views.migration(
        views.Evidence(
            report=cluster.get(kubernetes.CONFIG_MAP, "migration-report", PRODUCT),
            job=cluster.get(kubernetes.JOB, views.MIGRATION, PRODUCT),
            pods=job_pods,
            logs=logs,
            events=events,
            application=main,
        )
    )


def serving(settings: Settings, timeout: float = 3.0) -> Serving:
    """Ask the product's URL what it serves."""
    try:
        with edge.client(settings, timeout) as product:
            answer = product.get("/api/version")
        if answer.status_code != 200:
            return Serving(trouble=f"answers {answer.status_code}")
        found = answer.json()
        return Serving(*(str(found.get(key) or "") for key in _SERVING_KEYS))
    except (httpx.HTTPError, ValueError) as error:
        return Serving(trouble=f"does not answer: {str(error) or type(error).__name__}")


_SERVING_KEYS = ("version", "revision", "schema_head", "schema_live")


def mixed(pod: PodRow, release: Release | None) -> str:
    """Say how a pod departs from its release's record; '' where it does not.

    A pod whose containers have not started has no digests yet, and is no departure.
    """
    tags = {name: container.tag for name, container in pod.containers.items()}
    if len(set(tags.values())) > 1:
        return ", ".join(f"{name} {text}" for name, text in tags.items())
    if release is None:
        return ""
    for name, container in pod.containers.items():
        expected = release.digests.get(f"eks-{name}", "")
        if expected and container.digest and container.digest != expected:
            return f"{name} runs {container.digest[:19]}, the release has {expected[:19]}"
    return ""


def data(found: Status) -> dict[str, object]:
    """Return the status as JSON's types."""
    plain = asdict(found)
    plain["pods"] = [
        {
            "name": pod.name,
            "version": pod.version,
            "ready": pod.ready,
            "leaving": pod.leaving,
            "restarts": pod.restarts,
            "created": pod.created.isoformat(),
            "trouble": pod.trouble,
            "mixed": mixed(pod, found.releases.get(pod.version)),
            "containers": {name: asdict(row) for name, row in pod.containers.items()},
        }
        for pod in found.pods
    ]
    plain["releases"] = {
        text: {**asdict(release), "version": text} for text, release in found.releases.items()
    }
    return plain


def render(found: Status, out: Console, now: datetime) -> None:
    """Print the status as tables: aligned text without lines or colours where not on a terminal."""
    _table(
        out,
        ("application", "sync", "health", "last operation"),
        [
            (row.name, _good(row.sync, "Synced"), _good(row.health, "Healthy"), _operation(row))
            for row in found.applications
        ],
    )
    _table(
        out,
        ("pod", "version", "app / web", "ready", "restarts", "age", ""),
        [_pod_cells(pod, found.releases.get(pod.version), now) for pod in found.pods],
    )
    _table(out, (), list(_facts(found)))


def _facts(found: Status) -> Iterator[tuple[str | Text, ...]]:
    serving, migration = found.serving, found.migration
    answer = serving.trouble or f"answers, {serving.version}"
    yield "url", Text(f"{found.url} {answer}", style="red" if serving.trouble else "")
    live = serving.version or "?"
    behind = "" if found.recorded == live else f", the url serves {live}"
    yield "version in git", Text((found.recorded or "?") + behind, style="yellow" if behind else "")
    yield "newest published", found.published or "none"
    needs = f", the app needs {serving.schema_head}" if serving.schema_head else ""
    yield "database schema", f"{serving.schema_live or migration.revision or '?'}{needs}"
    state = Text(migration.state, style="red" if migration.state in ("failed", "terminated") else "")
    yield "last migration", Text(f"{migration.version or 'none'} ").append_text(state)
    if migration.words:
        for number, line in enumerate(migration.words.splitlines()[-12:]):
            yield (f"  {migration.origin} said" if number == 0 else ""), line
    for note in found.notes:
        yield "not readable", Text(note, style="yellow")


def _pod_cells(pod: PodRow, release: Release | None, now: datetime) -> tuple[str | Text, ...]:
    departure = mixed(pod, release)
    tags = " / ".join(pod.containers[name].tag for name in ("app", "web") if name in pod.containers)
    remark = Text(f"MIXED {departure}", style="bold red") if departure else Text(pod.trouble, style="red")
    if pod.leaving and not departure:
        remark = Text("leaving")
    return (
        pod.name,
        pod.version,
        tags,
        _good("yes" if pod.ready else "no", "yes"),
        str(pod.restarts),
        clock((now - pod.created).total_seconds()),
        remark,
    )


def _operation(row: ApplicationRow) -> str | Text:
    if row.phase in ("", "Succeeded") and not row.message:
        return row.phase
    message = "" if row.phase == "Succeeded" else f" {' '.join(row.message.split())[:200]}"
    return Text(f"{row.phase}{message}".strip(), style="red" if row.phase in ("Failed", "Error") else "")


def _good(word: str, best: str) -> Text:
    return Text(word, style="green" if word == best else "yellow")


def _table(out: Console, columns: Sequence[str], rows: Sequence[tuple[str | Text, ...]]) -> None:
    if not rows:
        out.print(f"{columns[0]}: none", markup=False)
        return
    if not out.is_terminal:
        # Nobody says how wide a line may be, and a program may read it: no colours, no wrapping.
        for line in aligned([*([columns] if columns else []), *(tuple(map(str, row)) for row in rows)]):
            out.print(line, markup=False, soft_wrap=True)
        out.print()
        return
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=bool(columns)
    )
    for column in columns or rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)
    out.print()


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines of text in columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


@contextlib.contextmanager
def _noted(notes: list[str]) -> Iterator[None]:
    try:
        yield
    except Problem as problem:
        notes.append(problem.what)
