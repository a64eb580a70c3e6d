"""What an adapter is given and what it must do."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from standin.cloudformation.fault import Failure

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SECONDS = 12
"""Characters of the suffix that makes a generated name unique, as in AWS."""

Properties = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One operation on one resource.

    `properties` are resolved and hold the stack's tags; `previous` are those before an update;
    `physical` is empty while the resource is not made. `client` gives a boto3 client by service name.
    """

    account: str
    region: str
    stack: str
    stack_id: str
    logical: str
    serial: int
    client: Callable[[str], Any]
    properties: Properties
    previous: Properties = field(default_factory=dict)
    physical: str = ""
    siblings: Callable[[str], list[Properties]] = lambda _: []
    """Resource type -> properties of all its resources in the account and region."""
    started: Callable[[str], None] = lambda _: None
    """Takes the physical id as soon as there is one, when more calls follow: should they fail, it is deleted."""

    def name(self, longest: int, *, lower: bool = False) -> str:
        """Return the name that CloudFormation generates: STACK-LOGICAL-SUFFIX."""
        digest = hashlib.sha256(f"{self.stack_id}/{self.logical}/{self.serial}".encode()).digest()
        suffix = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:SECONDS])
        room = longest - SECONDS - 2
        stack = self.stack[: max(room - len(self.logical), room // 2)]
        text = f"{stack}-{self.logical[: room - len(stack)]}-{suffix}"
        return text.lower() if lower else text

    def changed(self, *names: str) -> bool:
        """Tell whether any of these properties differs from before."""
        return any(self.properties.get(name) != self.previous.get(name) for name in names)

    def pick(self, *names: str) -> dict[str, Any]:
        """Return those of the named properties that are set."""
        return {name: self.properties[name] for name in names if name in self.properties}


class Adapter:
    """A resource type. `properties` are those that it understands; all others are refused by name.

    `replaces` are properties that force a replacement although AWS's schema does not say so;
    `volatile` are attributes that an update in place changes;
    `unread` are properties that moto does not tell back, so that drift cannot see them.
    """

    type: str
    properties: frozenset[str]
    replaces: frozenset[str] = frozenset()
    volatile: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()

    def create(self, call: Call) -> str:
        """Make the resource and return its physical id, which is what Ref gives."""
        raise NotImplementedError

    def update(self, call: Call) -> None:
        """Bring the resource from `call.previous` to `call.properties`."""
        raise Failure(f"{self.type} cannot be updated in place by the stand-in: {sorted(call.properties)}")

    def delete(self, call: Call) -> None:
        """Remove the resource."""
        raise NotImplementedError

    def read(self, call: Call) -> dict[str, Any] | None:
        """Return the live properties and attributes in CloudFormation's shape, or None if it is gone."""
        raise NotImplementedError

    def snapshot(self, call: Call) -> None:
        """Remove the resource and keep a last copy, for DeletionPolicy Snapshot."""
        raise Failure(f"{self.type} has no snapshots")


def words(text: str) -> frozenset[str]:
    """Split a table of names."""
    return frozenset(text.split())


def pairs(tags: Iterable[Mapping[str, str]] | Mapping[str, str] | None) -> dict[str, str]:
    """Return tags as a mapping, whatever shape they have."""
    if isinstance(tags, Mapping):
        return dict(tags)
    return {tag["Key"]: tag["Value"] for tag in tags or ()}


def entries(tags: Mapping[str, str] | Iterable[Mapping[str, str]] | None) -> list[dict[str, str]]:
    """Return tags as a list of Key and Value, without AWS's own."""
    return [{"Key": key, "Value": value} for key, value in pairs(tags).items() if not key.startswith("aws:")]


def retag(
    call: Call, put: Callable[[dict[str, str]], Any], drop: Callable[[list[str]], Any], name: str = "Tags"
) -> None:
    """Bring tags from the previous to the wanted ones; nothing is called if they are the same."""
    old, new = pairs(call.previous.get(name)), pairs(call.properties.get(name))
    gone = [key for key in old if key not in new]
    fresh = {key: value for key, value in new.items() if old.get(key) != value}
    if gone:
        drop(gone)
    if fresh:
        put(fresh)


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what has no value."""
    return {key: value for key, value in values.items() if value is not None and value != [] and value != {}}


def camel(value: Any, free: frozenset[str] = frozenset()) -> Any:
    """Write keys as camelCase, at every depth; below a key in `free` they are data and stay."""
    if isinstance(value, dict):
        return {
            key[:1].lower() + key[1:]: item if key in free else camel(item, free)
            for key, item in value.items()
        }
    return [camel(item, free) for item in value] if isinstance(value, list) else value


def pascal(value: Any, free: frozenset[str] = frozenset()) -> Any:
    """Write keys as PascalCase, at every depth; below a key in `free` they are data and stay."""
    if isinstance(value, dict):
        return {
            key[:1].upper() + key[1:]: item if key in free else pascal(item, free)
            for key, item in value.items()
        }
    return [pascal(item, free) for item in value] if isinstance(value, list) else value


def document(value: Any) -> str:
    """Return a policy as the text that APIs want."""
    return value if isinstance(value, str) else json.dumps(value)
