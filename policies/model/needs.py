"""What a pod names and cannot start without."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.finding import Position
from policies.model.objects import Object, Pod
from policies.model.shape import dig, mapping, sequence
from policies.model.system import Environment


@dataclass(frozen=True, slots=True)
class Need:
    """One object that a pod names, with the keys that it reads from it."""

    kind: str
    namespace: str
    name: str
    keys: tuple[str, ...]
    position: Position
    optional: bool = False
    in_environment: bool = False

    def makers(self, environment: Environment) -> list[Object]:
        """The objects that make it: itself, or the ExternalSecret whose target it is."""
        found = environment.find(self.kind, self.namespace, self.name)
        made = [found] if found else []
        if self.kind == "Secret":
            made += [
                each
                for each in environment.kind("ExternalSecret")
                if secret_of(each) == (self.namespace, self.name)
            ]
        return made


def secret_of(external: Object) -> tuple[str, str]:
    """Namespace and name of the Secret that an ExternalSecret makes."""
    return external.namespace, str(external.get("spec", "target", "name") or external.name)


def needs(pod: Pod) -> Iterator[Need]:
    """ServiceAccount, Secrets and ConfigMaps of a pod."""
    namespace = pod.owner.namespace
    if pod.account != "default":
        yield Need("ServiceAccount", namespace, pod.account, (), pod.at("serviceAccountName"))
    for number, volume in enumerate(sequence(pod.spec.get("volumes"))):
        yield from _volume(pod, number, volume)
    for container in pod.containers:
        for number, entry in enumerate(sequence(container.get("env"))):
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                reference = dig(entry, "valueFrom", field)
                if reference:
                    place = pod.at(*container.path, "env", number)
                    yield _need(kind, namespace, reference, (str(dig(reference, "key")),), place, True)
        for number, entry in enumerate(sequence(container.get("envFrom"))):
            for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if dig(entry, field):
                    place = pod.at(*container.path, "envFrom", number)
                    yield _need(kind, namespace, dig(entry, field), (), place, True)


def _volume(pod: Pod, number: int, volume: Any) -> Iterator[Need]:
    sources = [volume, *sequence(dig(volume, "projected", "sources"))]
    for source in sources:
        for field, kind, key in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            reference = mapping(source).get(field)
            if not isinstance(reference, dict):
                continue
            name = reference.get(key) or reference.get("name")
            keys = tuple(str(dig(item, "key")) for item in sequence(reference.get("items")))
            place = pod.at("volumes", number)
            yield _need(kind, pod.owner.namespace, {**reference, "name": name}, keys, place)


def _need(
    kind: str, namespace: str, reference: Any, keys: tuple[str, ...], position: Position, env: bool = False
) -> Need:
    name, optional = str(dig(reference, "name")), dig(reference, "optional") is True
    return Need(kind, namespace, name, keys, position, optional, env)
