"""Rendered objects and their pods."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.finding import Position
from policies.model.shape import dig, mapping, sequence
from policies.origin import Origin

CLUSTER_SCOPED = frozenset(
    {
        "APIService", "CSIDriver", "ClusterExternalSecret", "ClusterRole", "ClusterRoleBinding",
        "ClusterSecretStore", "CustomResourceDefinition", "GatewayClass", "IngressClass",
        "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass",
        "RuntimeClass", "StorageClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
        "ClusterGenerator", "ClusterPushSecret", "TargetGroupBindingClass", "IngressClassParams",
    }
)  # fmt: skip
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), ("spec", "template")),
}


@dataclass(frozen=True, slots=True, eq=False)
class Object:
    """One rendered object of one environment, and the way back to its source."""

    environment: str
    path: str
    body: Mapping[str, Any]
    origin: Origin
    group: str
    kind: str
    namespace: str
    name: str

    @property
    def annotations(self) -> Mapping[str, Any]:
        """metadata.annotations."""
        return mapping(dig(self.body, "metadata", "annotations"))

    @property
    def wave(self) -> int:
        """The sync wave; 0 where none is set."""
        text = str(self.annotations.get("argocd.argoproj.io/sync-wave", "0"))
        return int(text) if text.lstrip("-").isdecimal() else 0

    @property
    def hook(self) -> str | None:
        """The phases in which Argo CD runs it as a hook, or None."""
        hook = self.annotations.get("argocd.argoproj.io/hook")
        return hook if isinstance(hook, str) and hook not in ("", "Skip") else None

    @property
    def ours(self) -> bool:
        """Whether it is written in this repository, and not only patched here."""
        return self.origin.ours(self.kind, self.name)

    @property
    def foreign(self) -> bool:
        """Whether its source is not in this repository at all: a chart of a chart repository."""
        return "#" in self.path  # policies.model.applications.Source.key

    @property
    def label(self) -> str:
        """Kind and name for messages."""
        return f"{self.kind} {self.name}"

    def get(self, *path: str | int) -> Any:
        """What is at `path`, or None."""
        return dig(self.body, *path)

    def at(self, *path: str | int) -> Position:
        """The place in the sources that sets `path`."""
        value: Any = self.body
        named: list[str | int] = []
        for part in path:
            value = dig(value, part)
            name = value.get("name") if isinstance(part, int) and isinstance(value, Mapping) else None
            named.append(f"name={name}" if isinstance(name, str) else part)
        return self.origin.at(self.kind, self.name, *named)


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """One container of a pod; `init` for those that end before the others start."""

    name: str
    image: str
    init: bool
    body: Mapping[str, Any]
    path: tuple[str | int, ...]

    def get(self, *path: str | int) -> Any:
        """What is at `path`, or None."""
        return dig(self.body, *path)


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """The pods that an object makes."""

    owner: Object
    path: tuple[str, ...]
    spec: Mapping[str, Any]
    labels: Mapping[str, Any]
    containers: tuple[Container, ...]

    @property
    def account(self) -> str:
        """The ServiceAccount's name."""
        return str(self.spec.get("serviceAccountName") or self.spec.get("serviceAccount") or "default")

    @property
    def short_lived(self) -> bool:
        """Whether it ends by itself: Jobs and CronJobs."""
        return self.owner.kind in ("Job", "CronJob")

    def at(self, *path: str | int) -> Position:
        """The place in the sources that sets `path` of the pod's spec."""
        return self.owner.at(*self.path, *path)

    def image_at(self, container: Container) -> Position:
        """The place that sets the image: the kustomization's `images`, or the container itself."""
        name = split_image(container.image)[0]
        return self.owner.origin.image(name) or self.at(*container.path, "image")


def split_image(reference: str) -> tuple[str, str, str]:
    """Split an image reference into name, tag and digest; what is not there is empty."""
    rest, _, digest = reference.partition("@")
    name, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        return rest, "", digest
    return name, tag, digest


def read_object(environment: str, path: str, body: Mapping[str, Any], origin: Origin, default: str) -> Object:
    """Make an Object; `default` is the namespace where a namespaced one names none."""
    group = str(body.get("apiVersion", "")).rpartition("/")[0]
    kind = str(body.get("kind", ""))
    metadata = mapping(body.get("metadata"))
    namespace = "" if kind in CLUSTER_SCOPED else str(metadata.get("namespace") or default)
    return Object(environment, path, body, origin, group, kind, namespace, str(metadata.get("name", "")))


def read_pod(owner: Object) -> Pod | None:
    """Return the pod that `owner` makes, or None where it makes none."""
    template_path = _TEMPLATES.get(owner.kind)
    if template_path is None or owner.group not in ("", "apps", "batch"):
        return None
    template = mapping(owner.get(*template_path))
    spec = mapping(template.get("spec"))
    labels = mapping(dig(template, "metadata", "labels"))
    return Pod(owner, (*template_path, "spec"), spec, labels, tuple(_containers(spec)))


def _containers(spec: Mapping[str, Any]) -> Iterator[Container]:
    for field in ("initContainers", "containers"):
        for number, body in enumerate(sequence(spec.get(field))):
            found = mapping(body)
            init = field == "initContainers" and found.get("restartPolicy") != "Always"
            name, image = str(found.get("name", "")), str(found.get("image", ""))
            yield Container(name, image, init, found, (field, number))
