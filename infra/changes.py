"""A change set as rows for people: what happens to each resource, and because of what. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ADD, MODIFY, REPLACE, MAY_REPLACE, REMOVE = "Add", "Modify", "Replace", "May replace", "Remove"
_ORDER = (REMOVE, REPLACE, MAY_REPLACE, MODIFY, ADD)


@dataclass(frozen=True, slots=True)
class Row:
    """One resource's change. `why` names properties and what moved them; '' for what is added whole."""

    stack: str
    resource: str
    type: str
    action: str
    why: str = ""
    physical: str = ""

    @property
    def destructive(self) -> bool:
        """Whether something that exists may be gone afterwards."""
        return self.action in (REMOVE, REPLACE, MAY_REPLACE)

    @property
    def key(self) -> tuple[str, str]:
        """What the row is about: stack and logical id."""
        return self.stack, self.resource


def rows(stack: str, changes: Iterable[Mapping[str, Any]]) -> tuple[Row, ...]:
    """Turn ResourceChange structures into rows, the dangerous ones first."""
    found = [_row(stack, change) for change in changes]
    return tuple(sorted(found, key=lambda row: (_ORDER.index(row.action), row.resource)))


def _row(stack: str, change: Mapping[str, Any]) -> Row:
    return Row(
        stack=stack,
        resource=change["LogicalResourceId"],
        type=change["ResourceType"],
        action=_action(change),
        why=_why(change),
        physical=change.get("PhysicalResourceId", ""),
    )


def _action(change: Mapping[str, Any]) -> str:
    if change["Action"] != "Modify":
        return {"Add": ADD, "Remove": REMOVE}.get(change["Action"], MAY_REPLACE)
    return {"True": REPLACE, "Conditional": MAY_REPLACE}.get(change.get("Replacement", "False"), MODIFY)


def _why(change: Mapping[str, Any]) -> str:
    kept = change.get("PolicyAction", "")
    parts = [f"({'a snapshot is' if 'Snapshot' in kept else 'the old one is'} kept)"] if _keeps(kept) else []
    causes: dict[str, list[str]] = {}
    for detail in change.get("Details", ()):
        causes.setdefault(_property(detail), []).extend(_cause(detail))
    if not causes:
        causes = {scope: [] for scope in change.get("Scope", ())}
    for name, found in causes.items():
        unique = list(dict.fromkeys(found))
        parts.append(f"{name} <- {', '.join(unique)}" if unique else name)
    return "; ".join(parts)


def _keeps(policy: str) -> bool:
    return "Retain" in policy or "Snapshot" in policy


def _property(detail: Mapping[str, Any]) -> str:
    target = detail.get("Target", {})
    name: str = target.get("Name") or target.get("Attribute") or "?"
    return f"{name} (recreates)" if target.get("RequiresRecreation") == "Always" else name


def _cause(detail: Mapping[str, Any]) -> Sequence[str]:
    entity = detail.get("CausingEntity")
    return [str(entity)] if entity else []
