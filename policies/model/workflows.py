"""GitHub's workflows: events, jobs, steps and permissions."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.finding import Position
from policies.model.shape import dig, mapping, sequence
from policies.sources import Sources
from policies.yamltext import Document

FOLDER = ".github/workflows"


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of a job."""

    body: Mapping[str, Any]
    position: Position
    path: tuple[str | int, ...]

    @property
    def uses(self) -> str:
        """The action, with its version; empty for a step that runs commands."""
        return str(self.body.get("uses") or "")

    @property
    def run(self) -> str:
        """The commands; empty for an action."""
        return str(self.body.get("run") or "")

    def input(self, name: str) -> str:
        """An input of the action, as text; empty where it is not given."""
        value = dig(self.body, "with", name)
        return "" if value is None else str(value)


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One job; `permissions` are its own or else the workflow's, None where neither says."""

    name: str
    body: Mapping[str, Any]
    permissions: Any
    steps: tuple[Step, ...]

    @property
    def environment(self) -> str | None:
        """The name of the deployment environment, which becomes part of the token's subject."""
        value = self.body.get("environment")
        name = value.get("name") if isinstance(value, Mapping) else value
        return None if name is None else str(name)

    def may(self, permission: str) -> str:
        """What the token may do: write, read or none."""
        if isinstance(self.permissions, str):
            return {"write-all": "write", "read-all": "read"}.get(self.permissions, "none")
        return str(mapping(self.permissions).get(permission, "none"))


@dataclass(frozen=True, slots=True, eq=False)
class Workflow:
    """One file of .github/workflows."""

    document: Document
    jobs: tuple[Job, ...]

    @property
    def file(self) -> str:
        """Its path."""
        return self.document.file

    @property
    def body(self) -> Mapping[str, Any]:
        """Its contents."""
        return mapping(self.document.value)

    @property
    def name(self) -> str:
        """The file's name."""
        return posixpath.basename(self.file)

    @property
    def events(self) -> Mapping[str, Any]:
        """Event to its filter."""
        value = self.body.get("on")
        if isinstance(value, str):
            return {value: None}
        if isinstance(value, list):
            return dict.fromkeys(map(str, value))
        return mapping(value)

    def at(self, *path: str | int) -> Position:
        """The place of a field."""
        return self.document.at(*path)


def read_workflows(sources: Sources) -> tuple[Workflow, ...]:
    """Read every workflow of the tree."""
    documents = (sources.document(name) for name in sources.under(FOLDER, ".yml", ".yaml"))
    return tuple(Workflow(each, tuple(_jobs(each))) for each in documents if each is not None)


def _jobs(document: Document) -> Iterator[Job]:
    value = mapping(document.value)
    for name, body in mapping(value.get("jobs")).items():
        job = mapping(body)
        permissions = job.get("permissions", value.get("permissions"))
        steps = [
            Step(mapping(step), document.at("jobs", name, "steps", number), ("jobs", name, "steps", number))
            for number, step in enumerate(sequence(job.get("steps")))
        ]
        yield Job(name, job, permissions, tuple(steps))
