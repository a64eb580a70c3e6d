"""Which keys a Secret will have: from its ExternalSecret, and from the secret's shape in infra."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.finding import Position
from policies.model.objects import Object
from policies.model.shape import dig, mapping, sequence
from policies.model.system import Environment


@dataclass(frozen=True, slots=True)
class Remote:
    """One value or whole secret that an ExternalSecret reads."""

    key: str
    property: str | None
    as_key: str | None
    position: Position


def remotes(external: Object) -> Iterator[Remote]:
    """What an ExternalSecret reads; `as_key` is None where all keys are taken over."""
    for number, entry in enumerate(sequence(external.get("spec", "data"))):
        place = external.at("spec", "data", number)
        yield Remote(
            str(dig(entry, "remoteRef", "key")), _text(dig(entry, "remoteRef", "property")),
            _text(dig(entry, "secretKey")), place,
        )  # fmt: skip
    for number, entry in enumerate(sequence(external.get("spec", "dataFrom"))):
        if dig(entry, "extract", "key"):
            key, place = str(dig(entry, "extract", "key")), external.at("spec", "dataFrom", number)
            yield Remote(key, _text(dig(entry, "extract", "property")), None, place)


def keys_of(environment: Environment, maker: Object) -> set[str] | None:
    """The keys of what `maker` makes; None where only the cluster knows them.

    A Secret without data in git is filled by bootstrap or by a controller.
    """
    if maker.kind == "ConfigMap":
        return _present(maker, "data", "binaryData")
    if maker.kind == "Secret":
        return _present(maker, "data", "stringData")
    if maker.kind != "ExternalSecret":
        return None
    template = maker.get("spec", "target", "template", "data")
    if isinstance(template, Mapping) and maker.get("spec", "target", "template", "mergePolicy") != "Merge":
        return set(template)
    found = set(mapping(template))
    for remote in remotes(maker):
        if remote.as_key is not None:
            found.add(remote.as_key)
            continue
        shape = environment.secret_shape(remote.key)
        if shape is None:
            return None
        found |= shape
    return found if maker.get("spec", "data") or maker.get("spec", "dataFrom") else None


def _present(found: Object, *fields: str) -> set[str] | None:
    keys = {key for field in fields for key in mapping(found.get(field))}
    return keys or None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
