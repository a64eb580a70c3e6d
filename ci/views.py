"""What the cluster's objects say, as rows: Applications, pods, and the last migration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Object = Mapping[str, Any]
MIGRATION = "migration"
"""Name of the Job, and the part of the release that it runs."""


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """One Argo CD Application; `phase`, `revision` and `message` are its last operation's."""

    name: str
    sync: str
    health: str
    phase: str = ""
    revision: str = ""
    message: str = ""
    hook_version: str = ""
    """Tag of the image that the last operation's migration hook ran, where it got that far."""


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """One container of a pod: its image's tag and digest, and why it does not run."""

    tag: str
    digest: str
    ready: bool
    restarts: int
    trouble: str


@dataclass(frozen=True, slots=True)
class PodRow:
    """One pod; a leaving one is being deleted. `created` is in UTC."""

    name: str
    containers: Mapping[str, ContainerRow]
    ready: bool
    leaving: bool
    created: datetime

    @property
    def version(self) -> str:
        """The release this pod belongs to: the app image's tag."""
        return self.containers["app"].tag if "app" in self.containers else ""

    @property
    def restarts(self) -> int:
        """How often its containers were started again."""
        return sum(container.restarts for container in self.containers.values())

    @property
    def trouble(self) -> str:
        """Why it does not run, in Kubernetes' words; '' where it does."""
        words = (
            f"{name}: {container.trouble}" for name, container in self.containers.items() if container.trouble
        )
        return "; ".join(words)


@dataclass(frozen=True, slots=True)
class Migration:
    """The last migration: `state` is running, succeeded, failed, terminated or unknown.

    `words` are its own last words, or the nearest thing to them; `origin` says whose they are.
    """

    version: str = ""
    state: str = "unknown"
    words: str = ""
    origin: str = ""
    revision: str = ""
    """The database's schema revision as the migration last saw it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that may tell of a migration, in the order in which it is believed."""

    report: Object | None = None
    job: Object | None = None
    pods: Sequence[Object] = ()
    logs: str = ""
    events: Sequence[Object] = ()
    application: ApplicationRow | None = field(default=None)


def application(found: Object) -> ApplicationRow:
    """Read an Application."""
    status = found.get("status") or {}
    operation = status.get("operationState") or {}
    result = operation.get("syncResult") or {}
    asked = (operation.get("operation") or {}).get("sync") or {}
    return ApplicationRow(
        name=found["metadata"]["name"],
        sync=(status.get("sync") or {}).get("status") or "Unknown",
        health=(status.get("health") or {}).get("status") or "Unknown",
        phase=operation.get("phase") or "",
        revision=result.get("revision") or asked.get("revision") or "",
        message=operation.get("message") or _condition_words(status),
        hook_version=_hook_version(result.get("resources") or ()),
    )


def pod(found: Object) -> PodRow:
    """Read a pod."""
    status = found.get("status") or {}
    states = {state["name"]: state for state in status.get("containerStatuses") or ()}
    conditions = {entry["type"]: entry["status"] for entry in status.get("conditions") or ()}
    metadata = found["metadata"]
    return PodRow(
        name=metadata["name"],
        containers={
            container["name"]: _container(container, states.get(container["name"]) or {})
            for container in found["spec"]["containers"]
        },
        ready=conditions.get("Ready") == "True",
        leaving="deletionTimestamp" in metadata,
        created=moment(metadata["creationTimestamp"]),
    )


def migration(evidence: Evidence) -> Migration:
    """Say how the last migration went, by what is left of it.

    The migration's own report is believed where it is about the last attempt: a Job whose image
    cannot be pulled never reports, and then the report is still its predecessor's.
    """
    report = (evidence.report or {}).get("data") or {}
    attempt = _attempt(evidence)
    failure = _job_failure(evidence.job)
    if report.get("state") and (not attempt or report.get("version") == attempt):
        state, words = report["state"], report.get("message") or ""
        if failure and state == "running":
            state, words = "failed", f"{words} ({failure})" if words else failure
        return Migration(
            report.get("version") or "", state, words.strip(), "migration", report.get("revision") or ""
        )
    words, origin = _next_best_words(evidence, failure)
    return Migration(attempt, _job_state(evidence, failure), words, origin, report.get("revision") or "")


def moment(text: str) -> datetime:
    """Read a Kubernetes timestamp."""
    return datetime.fromisoformat(text).astimezone(UTC)


def tag(image: str) -> str:
    """Return the tag of an image reference, '' where it has none."""
    name = image.partition("@")[0].rsplit("/", 1)[-1]
    return name.partition(":")[2]


def _container(spec: Object, state: Object) -> ContainerRow:
    now = state.get("state") or {}
    waiting = now.get("waiting") or {}
    # Starting is no trouble; these reasons last a moment and pass by themselves.
    starting = waiting.get("reason") in (None, "ContainerCreating", "PodInitializing")
    stopped = now.get("terminated") or {}
    trouble = "" if starting else f"{waiting['reason']} {waiting.get('message') or ''}".strip()
    if stopped and stopped.get("exitCode"):
        trouble = f"{stopped.get('reason') or 'Error'}, exit code {stopped['exitCode']}"
    return ContainerRow(
        tag=tag(spec["image"]),
        digest=str(state.get("imageID") or "").rpartition("@")[2],
        ready=bool(state.get("ready")),
        restarts=int(state.get("restartCount") or 0),
        trouble=trouble,
    )


def _condition_words(status: Object) -> str:
    conditions = status.get("conditions") or ()
    return "; ".join(entry["message"] for entry in conditions if entry["type"].endswith("Error"))


def _hook_version(resources: Sequence[Object]) -> str:
    for resource in resources:
        if resource.get("kind") == "Job" and resource.get("name") == MIGRATION:
            return next((tag(image) for image in resource.get("images") or ()), "")
    return ""


def _attempt(evidence: Evidence) -> str:
    if evidence.job is not None:
        containers = evidence.job["spec"]["template"]["spec"]["containers"]
        return tag(containers[0]["image"])
    return evidence.application.hook_version if evidence.application else ""


def _job_failure(job: Object | None) -> str:
    for condition in ((job or {}).get("status") or {}).get("conditions") or ():
        if condition["type"] == "Failed" and condition["status"] == "True":
            return f"{condition.get('reason') or 'Failed'}: {condition.get('message') or ''}"
    return ""


def _job_state(evidence: Evidence, failure: str) -> str:
    if failure:
        return "failed"
    status = (evidence.job or {}).get("status") or {}
    if status.get("succeeded"):
        return "succeeded"
    if evidence.job is not None:
        return "running"
    if evidence.application and evidence.application.phase in ("Failed", "Error"):
        return "failed"
    return "unknown"


def _next_best_words(evidence: Evidence, failure: str) -> tuple[str, str]:
    if evidence.logs.strip():
        return evidence.logs.strip(), "the pod's log"
    troubles = [row.trouble for row in map(pod, evidence.pods) if row.trouble]
    if troubles:
        return _joined(troubles[-1], failure), "the pod"
    warnings = [
        f"{event.get('reason')}: {event.get('message')}"
        for event in sorted(evidence.events, key=_event_time)
        if event.get("type") == "Warning"
    ]
    if warnings:
        return _joined(warnings[-1], failure if failure not in warnings else ""), "Kubernetes' events"
    if failure:
        return failure, "the Job"
    if evidence.application and evidence.application.phase in ("Failed", "Error"):
        return evidence.application.message, "Argo CD"
    return "", ""


def _joined(words: str, failure: str) -> str:
    return f"{words} ({failure})" if failure else words


def _event_time(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
