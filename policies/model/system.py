"""The whole system: every environment's objects, the product's parts, infra, and the workflows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from policies.finding import Position
from policies.kustomization import Graph
from policies.model.applications import Application, Project, read_application
from policies.model.infra import Infra
from policies.model.objects import Object, Pod, read_object, read_pod
from policies.model.product import Product
from policies.model.shape import dig, mapping
from policies.model.verbs import Verbs
from policies.model.workflows import Workflow, read_workflows
from policies.origin import Origin
from policies.sources import Sources

Rendered = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]
"""Environment to folder to the documents that the folder renders."""

BOOTSTRAP = "gitops/bootstrap/overlays"
PRODUCT = "main"
"""The product's namespace."""

"""What `invoke bootstrap` applies, by environment; everything else belongs to an Application."""


class Environment:
    """One environment, local or production."""

    def __init__(self, name: str, sources: Sources, graph: Graph, rendered: Mapping[str, Any]) -> None:
        self.name = name
        self.sources = sources
        self.graph = graph
        self._rendered = rendered
        self._origins = {
            path: Origin(sources, graph, path, partial(self._installed_at, path)) for path in rendered
        }

    @property
    def bootstrap(self) -> str:
        """The folder that is applied by hand."""
        return f"{BOOTSTRAP}/{self.name}"

    @property
    def paths(self) -> tuple[str, ...]:
        """Every folder that was rendered."""
        return tuple(self._rendered)

    @cached_property
    def wiring(self) -> Mapping[str, str]:
        """What infra and gitops share."""
        document = self.sources.document(self.wiring_file)
        return {key: str(value) for key, value in mapping(_data(document)).items()}

    @cached_property
    def infra(self) -> Infra:
        """What the templates make for this environment."""
        return Infra(self.sources, self.name, self.wiring)

    def secret_shape(self, key: str) -> set[str] | None:
        """The keys of a secret of infra; None where they are not known."""
        return self.infra.shape(key)

    @property
    def wiring_file(self) -> str:
        """The path of the wiring file."""
        return f"gitops/wiring/{self.name}/wiring.yaml"

    def wiring_at(self, key: str) -> Position:
        """The place of a key of the wiring file."""
        document = self.sources.document(self.wiring_file)
        return document.at("data", key) if document else Position(self.wiring_file)

    @cached_property
    def objects(self) -> tuple[Object, ...]:
        """Everything the environment's cluster holds by git."""
        return tuple(
            read_object(self.name, path, body, self._origins[path], self._namespaces.get(path, ""))
            for path, bodies in self._rendered.items()
            for body in bodies
            if isinstance(body, Mapping)
        )

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """Every Application, the root included."""
        return tuple(read_application(found) for found in self.kind("Application", "argoproj.io"))

    @cached_property
    def projects(self) -> Mapping[str, Project]:
        """Every AppProject by name."""
        return {found.name: Project(found) for found in self.kind("AppProject", "argoproj.io")}

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """Every pod that some object makes, Jobs and CronJobs included."""
        return tuple(pod for pod in map(read_pod, self.objects) if pod is not None)

    def objects_of(self, path: str) -> Sequence[Object]:
        """The objects that a folder renders."""
        return self._of_path.get(path, ())

    def pods_of(self, path: str) -> Sequence[Pod]:
        """The pods that a folder renders."""
        return self._pods_of_path.get(path, ())

    def pods_in(self, namespace: str) -> Sequence[Pod]:
        """The pods of a namespace."""
        return self._pods_of_namespace.get(namespace, ())

    def kind(self, kind: str, group: str | None = None) -> Sequence[Object]:
        """The objects of a kind."""
        if group is None:
            return self._kinds.get(kind, ())
        return self._kinds.get(f"{kind}.{group}", ())

    def kind_in(self, kind: str, namespace: str) -> Sequence[Object]:
        """The objects of a kind in a namespace."""
        return self._kinds.get(f"{kind} {namespace}", ())

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object of this kind and name."""
        return next(iter(self._named.get((kind, namespace, name), ())), None)

    def same(self) -> Iterator[Sequence[Object]]:
        """Objects that are there more than once."""
        return (found for found in self._named.values() if len(found) > 1)

    def application_of(self, path: str) -> Application | None:
        """The Application that installs a folder."""
        return self._by_path.get(path)

    def application_wave(self, path: str) -> int | None:
        """The wave of a folder's Application; None for what bootstrap applies."""
        owner = self.application_of(path)
        return owner.wave if owner else None

    def _installed_at(self, path: str) -> Position:
        application = self.application_of(path)
        return application.at("spec", "source", "path") if application else Position(path)

    @cached_property
    def _by_path(self) -> Mapping[str, Application]:
        return {source.key: each for each in self.applications for source in each.sources}

    @cached_property
    def _namespaces(self) -> Mapping[str, str]:
        """Folder to the namespace of its Application, which objects without one get."""
        found = {self.bootstrap: "argocd"}
        for body in (body for bodies in self._rendered.values() for body in bodies):
            if mapping(body).get("kind") == "Application":
                path = dig(body, "spec", "source", "path")
                found[str(path)] = str(dig(body, "spec", "destination", "namespace") or "")
        return found

    @cached_property
    def _of_path(self) -> Mapping[str, list[Object]]:
        found = defaultdict(list)
        for each in self.objects:
            found[each.path].append(each)
        return found

    @cached_property
    def _pods_of_path(self) -> Mapping[str, list[Pod]]:
        found = defaultdict(list)
        for pod in self.pods:
            found[pod.owner.path].append(pod)
        return found

    @cached_property
    def _pods_of_namespace(self) -> Mapping[str, list[Pod]]:
        found = defaultdict(list)
        for pod in self.pods:
            found[pod.owner.namespace].append(pod)
        return found

    @cached_property
    def _kinds(self) -> Mapping[str, list[Object]]:
        found = defaultdict(list)
        for each in self.objects:
            for key in (each.kind, f"{each.kind}.{each.group}", f"{each.kind} {each.namespace}"):
                found[key].append(each)
        return found

    @cached_property
    def _named(self) -> Mapping[tuple[str, str, str], list[Object]]:
        found = defaultdict(list)
        for each in self.objects:
            found[each.kind, each.namespace, each.name].append(each)
        return found


class System:
    """Everything the rules may ask about."""

    def __init__(self, sources: Sources, rendered: Rendered) -> None:
        self.sources = sources
        self.graph = Graph(sources)
        self.environments = tuple(
            Environment(name, sources, self.graph, paths) for name, paths in sorted(rendered.items())
        )

    @cached_property
    def product(self) -> Product:
        """The product's images, ports, paths and keys."""
        return Product(self.sources)

    @cached_property
    def verbs(self) -> Verbs:
        """What `invoke` and `nox` can do."""
        return Verbs(self.sources)

    @cached_property
    def workflows(self) -> tuple[Workflow, ...]:
        """GitHub's workflows."""
        return read_workflows(self.sources)

    def each(self) -> Iterator[tuple[Environment, Object]]:
        """Every object of every environment."""
        return ((environment, found) for environment in self.environments for found in environment.objects)

    def pods(self) -> Iterator[tuple[Environment, Pod]]:
        """Every pod of every environment."""
        return ((environment, pod) for environment in self.environments for pod in environment.pods)


def _data(document: Any) -> Any:
    return mapping(document.value).get("data") if document is not None else None
