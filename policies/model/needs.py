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
    pod: Pod
    path: tuple[str | int, ...]
    optional: bool = False
    in_environment: bool = False

    @property
    def position(self) -> Position:
        """The place in the pod's spec that names it."""
        return self.pod.at(*self.path)

    def makers(self, environment: Environment) -> list[Object]:
        """The objects that make it: itself, or the ExternalSecret whose target it is."""
        found = environment.find(self.kind, self.namespace, self.name)
        made = [found] if found else []
        if self.kind == "Secret":
            made += [
                each
                for each in environment.kind_in("ExternalSecret", self.namespace)
                if secret_of(each) == (self.namespace, self.name)
            ]
        return made


def secret_of(external: Object) -> tuple[str, str]:
    """Namespace and name of the Secret that an ExternalSecret makes."""
    return external.namespace, str(external.get("spec", "target", "name") or external.name)


def needs(pod: Pod) -> Iterator[Need]:
    """ServiceAccount, Secrets and ConfigMaps of a pod."""
    if pod.account != "default":
        yield Need("ServiceAccount", pod.owner.namespace, pod.account, (), pod, ("serviceAccountName",))
    for number, volume in enumerate(sequence(pod.spec.get("volumes"))):
        yield from _volume(pod, number, volume)
    for container in pod.containers:
        for number, entry in enumerate(sequence(container.get("env"))):
            for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                reference = dig(entry, "valueFrom", field)
                if reference:
                    keys = (str(dig(reference, "key")),)
                    yield _need(pod, kind, reference, keys, (*container.path, "env", number), True)
        for number, entry in enumerate(sequence(container.get("envFrom"))):
            for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if dig(entry, field):
                    yield _need(pod, kind, dig(entry, field), (), (*container.path, "envFrom", number), True)


def _volume(pod: Pod, number: int, volume: Any) -> Iterator[Need]:
    for source in (volume, *sequence(dig(volume, "projected", "sources"))):
        for field, kind, key in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            reference = mapping(source).get(field)
            if isinstance(reference, dict):
                named = {**reference, "name": reference.get(key) or reference.get("name")}
                keys = tuple(str(dig(item, "key")) for item in sequence(reference.get("items")))
                yield _need(pod, kind, named, keys, ("volumes", number))


def _need(
    pod: Pod, kind: str, reference: Any, keys: tuple[str, ...], path: tuple[str | int, ...], env: bool = False
) -> Need:
    optional = dig(reference, "optional") is True
    return Need(kind, pod.owner.namespace, str(dig(reference, "name")), keys, pod, path, optional, env)
