"""Creating, updating, rolling back and deleting: the order, the events, the states."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import functions
from .fault import Failure, Fault
from .functions import Resolver
from .resources import ADAPTERS
from .state import Made, Stack
from .template import Resource, Template
from .world import World, active, desired, differences, filled, perform

REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."
NAMED = "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {name} and update the stack again."


class _Broken(Exception):
    """A deployment stops here; the resource's own event was noted already."""

    def __init__(self, logical: str, verb: str) -> None:
        super().__init__(logical)
        self.reason = f"The following resource(s) failed to {verb}: [{logical}]. "


@dataclass(slots=True)
class Deployment:
    """Brings one stack to one template, or back."""

    world: World
    stack: Stack
    template: Template
    parameters: dict[str, str]
    tags: dict[str, str]
    capabilities: list[str]
    resolver: Resolver = field(init=False)
    before: dict[str, Any] = field(init=False)
    undo: list[tuple[str, Callable[[], None]]] = field(default_factory=list)
    doomed: list[tuple[Made, str]] = field(default_factory=list)
    """Resources to delete once the stack stands, with the policy that decides how."""

    def __post_init__(self) -> None:
        self.before = {
            name: getattr(self.stack, name)
            for name in ("template", "parameters", "tags", "capabilities", "outputs")
        }
        self.resolver = self.world.resolver(self.stack, self.template, self.parameters, self._lookup)

    def create(self, on_failure: str = "ROLLBACK") -> None:
        """Make everything; on failure roll back, delete the stack, or leave it (DO_NOTHING)."""
        self._adopt()
        self._note("CREATE_IN_PROGRESS", "User Initiated")
        reason = self._build()
        if reason is None:
            self._note("CREATE_COMPLETE")
        elif on_failure == "DO_NOTHING":
            self._note("CREATE_FAILED", reason)
        elif on_failure == "DELETE":
            delete(self.world, self.stack)
        else:
            self._note("ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
            failed = self._clear(self.stack.resources.values(), created=True)
            self._note("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", _not_deleted(failed))

    def update(self, disable_rollback: bool = False) -> None:
        """Change what differs; on failure bring back what was, unless `disable_rollback`."""
        self._adopt()
        self._note("UPDATE_IN_PROGRESS", "User Initiated")
        self.stack.updated = self.world.clock()
        reason = self._build()
        if reason is None:
            self.doomed += self.stack.superseded
            self.stack.superseded = []
            self._note("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            failed = clean(self.world, self.stack, self.doomed)
            self._note("UPDATE_COMPLETE", _not_cleaned(failed))
        elif disable_rollback:
            self.stack.superseded += self.doomed
            self._note("UPDATE_FAILED", reason)
        else:
            self._note("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            self.doomed = []
            self.roll_back(frozenset())

    def roll_back(self, skipped: frozenset[str]) -> None:
        """Undo the newest step first; those of `skipped` are left as they are."""
        while self.undo:
            logical, step = self.undo[-1]
            if logical in skipped:
                self._note("UPDATE_COMPLETE", "Resource was skipped", self.stack.resources[logical])
            else:
                try:
                    step()
                except _Broken as broken:
                    self.stack.pending = self
                    self._note("UPDATE_ROLLBACK_FAILED", broken.reason)
                    return
            self.undo.pop()
        self.stack.pending = None
        for name, value in self.before.items():
            setattr(self.stack, name, value)
        self._note("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        failed = clean(self.world, self.stack, self.doomed)
        self._note("UPDATE_ROLLBACK_COMPLETE", _not_cleaned(failed))

    def _note(self, status: str, reason: str | None = None, made: Made | None = None) -> None:
        properties = made.properties if made else None
        self.stack.note(self.world.clock, status, reason, made, properties)

    def _adopt(self) -> None:
        self.stack.template, self.stack.parameters = self.template, self.parameters
        self.stack.tags, self.stack.capabilities = self.tags, self.capabilities

    def _lookup(self, name: str, attribute: str | None) -> Any:
        made = self.stack.resources.get(name)
        if made is None:
            raise Failure(f"Unresolved resource dependencies [{name}] in the Resources block of the template")
        return made.physical if attribute is None else self.world.attribute(self.stack, made, attribute)

    def _build(self) -> str | None:
        """Make and change everything; return why it stopped, or None."""
        try:
            wanted = active(self.template, self.resolver)
            for resource in wanted:
                self._apply(resource)
            outputs = list(self._outputs())
        except _Broken as broken:
            return broken.reason
        except (Failure, Fault) as problem:
            return f"{problem} "
        self.stack.outputs = outputs
        kept = {resource.logical for resource in wanted}
        for name in [name for name in self.stack.resources if name not in kept]:
            made = self.stack.resources[name]
            self.doomed.append((made, made.deletion_policy))
        return None

    def _outputs(self) -> Iterator[dict[str, Any]]:
        for output in self.template.outputs.values():
            if output.condition and not self.resolver.holds(output.condition):
                continue
            value = self.resolver.value(output.value)
            if isinstance(value, list | dict):
                raise Failure(
                    f"Template format error: Output {output.name} is malformed. The Value field must be a String"
                )
            text = {"Description": output.description} if output.description else {}
            yield {"OutputKey": output.name, "OutputValue": functions.text(value)} | text

    def _apply(self, resource: Resource) -> None:
        made = self.stack.resources.get(resource.logical)
        if made is not None and not made.whole:
            self.doomed.append((made, "Delete"))  # what a creation that failed left behind
            made = None
        try:
            properties, problems = desired(resource, self.resolver, self.stack, self.tags)
            if problems:
                raise Failure(
                    f"Properties validation failed for resource {resource.logical} with message:\n"
                    + "\n".join(problems)
                )
        except (Failure, Fault) as problem:
            target = made or self._fresh(resource, {})
            verb = "UPDATE" if made else "CREATE"
            self.stack.resources[resource.logical] = target
            self._note(f"{verb}_FAILED", str(problem), target)
            self._forget_new(target, made)
            raise _Broken(resource.logical, verb.lower()) from None
        if made is None:
            self._create(resource, properties)
            return
        old = replace(made)
        changes = differences(ADAPTERS[made.type], self.stack.region, made.properties, properties)
        made.metadata, made.needs = resource.metadata, frozenset(self.template.needs(resource.logical))
        made.deletion_policy, made.replace_policy = resource.deletion_policy, resource.replace_policy
        if "Always" in changes.values():
            self._replace(resource, made, old, properties)
        elif changes:
            self._update(made, old, properties)
        else:
            self.undo.append((made.logical, lambda: self._restore(old)))

    def _forget_new(self, target: Made, made: Made | None) -> None:
        """Have a resource that never came to be removed by the rollback."""
        if made is None:
            self.undo.append((target.logical, lambda: self._doom(target)))

    def _restore(self, old: Made) -> None:
        self.stack.resources[old.logical] = old

    def _doom(self, made: Made, old: Made | None = None) -> None:
        if old is None:
            del self.stack.resources[made.logical]
        else:
            self.stack.resources[made.logical] = old
            self._note("UPDATE_COMPLETE", None, old)
        self.doomed.append((made, "Delete"))

    def _fresh(self, resource: Resource, properties: dict[str, Any]) -> Made:
        return Made(
            logical=resource.logical,
            type=resource.type,
            physical="",
            properties=properties,
            status="",
            changed=self.world.clock(),
            deletion_policy=resource.deletion_policy,
            replace_policy=resource.replace_policy,
            metadata=resource.metadata,
            needs=frozenset(self.template.needs(resource.logical)),
        )

    def _create(self, resource: Resource, properties: dict[str, Any]) -> None:
        made = self._fresh(resource, properties)
        self.stack.resources[made.logical] = made
        self._note("CREATE_IN_PROGRESS", None, made)
        self.undo.append((made.logical, lambda: self._doom(made)))
        try:
            self._make(made, "CREATE_IN_PROGRESS")
        except Failure as failure:
            self._note("CREATE_FAILED", str(failure), made)
            raise _Broken(made.logical, "create") from None
        self._note("CREATE_COMPLETE", None, made)

    def _make(self, made: Made, status: str) -> None:
        """Let the adapter create `made`; it may tell the physical id early, so that a half-made one is deleted."""

        def started(physical: str) -> None:
            if not made.physical:
                made.physical = physical
                self._note(status, "Resource creation Initiated", made)

        call = self.world.call(self.stack, made, serial=self.stack.serial(made.logical))
        started(perform(ADAPTERS[made.type].create, replace(perform(filled, call), started=started)))

    def _replace(self, resource: Resource, made: Made, old: Made, properties: dict[str, Any]) -> None:
        new = self._fresh(resource, properties)
        self._note("UPDATE_IN_PROGRESS", REPLACING, made)
        self.undo.append((made.logical, lambda: self._doom(new, old)))
        try:
            self._check_name(made, properties)
            self._make(new, "UPDATE_IN_PROGRESS")
        except Failure as failure:
            self._note("UPDATE_FAILED", str(failure), made)
            raise _Broken(made.logical, "update") from None
        self.stack.resources[made.logical] = new
        self._note("UPDATE_COMPLETE", None, new)
        self.doomed.append((old, resource.replace_policy))

    def _check_name(self, made: Made, properties: Mapping[str, Any]) -> None:
        from . import schemas

        name = schemas.load(made.type, self.stack.region).identifier
        if name and name in properties and properties[name] == made.properties.get(name):
            raise Failure(NAMED.format(name=properties[name]))

    def _update(self, made: Made, old: Made, properties: dict[str, Any]) -> None:
        self.undo.append((made.logical, lambda: self._revert(made, old)))
        self._change(made, properties, "update")

    def _revert(self, made: Made, old: Made) -> None:
        self._change(made, old.properties, "update")
        self.stack.resources[made.logical] = replace(old, status=made.status, changed=made.changed)

    def _change(self, made: Made, properties: dict[str, Any], verb: str) -> None:
        previous, made.properties = made.properties, properties
        self._note("UPDATE_IN_PROGRESS", None, made)
        try:
            call = perform(filled, self.world.call(self.stack, made, previous))
            perform(ADAPTERS[made.type].update, call)
        except Failure as failure:
            self._note("UPDATE_FAILED", str(failure), made)
            made.properties = self._held(made)
            raise _Broken(made.logical, verb) from None
        self._note("UPDATE_COMPLETE", None, made)

    def _held(self, made: Made) -> dict[str, Any]:
        """Return what a failed update left, somewhere between old and new: only the service knows."""
        try:
            live = self.world.read(self.stack, made) or {}
        except Failure:
            live = {}
        return {name: live.get(name, value) for name, value in made.properties.items()}

    def _clear(self, resources: Iterable[Made], *, created: bool) -> list[str]:
        return clear(self.world, self.stack, resources, created=created)


def clean(world: World, stack: Stack, doomed: list[tuple[Made, str]]) -> list[str]:
    """Delete what the stack no longer needs; return what could not be deleted."""
    policies = {id(made): policy for made, policy in doomed}
    failed = []
    for made in backwards([made for made, _ in doomed]):
        if not remove(world, stack, made, policies[id(made)]):
            failed.append(made.logical)
        if stack.resources.get(made.logical) is made:
            del stack.resources[made.logical]
    doomed.clear()
    return failed


def delete(world: World, stack: Stack, retained: frozenset[str] = frozenset()) -> None:
    """Delete the stack; what cannot be deleted stays, with its reason."""
    stack.note(world.clock, "DELETE_IN_PROGRESS", "User Initiated")
    for name in retained:
        made = stack.resources.pop(name)
        stack.note(world.clock, "DELETE_SKIPPED", None, made, made.properties)
    failed = clean(world, stack, stack.superseded + (stack.pending.doomed if stack.pending else []))
    stack.superseded, stack.pending = [], None
    failed += clear(world, stack, stack.resources.values())
    if failed:
        stack.note(world.clock, "DELETE_FAILED", _not_deleted(failed))
        return
    stack.deleted = world.clock()
    stack.note(world.clock, "DELETE_COMPLETE")


def clear(world: World, stack: Stack, resources: Iterable[Made], *, created: bool = False) -> list[str]:
    """Delete resources, those first that others do not need; return the logical ids that stay.

    `created` says that they come from a creation that failed, when a last snapshot is pointless.
    """
    failed: list[str] = []
    blocked: set[str] = set()
    for made in backwards(list(resources)):
        if made.logical in blocked:
            blocked |= made.needs  # like AWS, which does not try what something undeleted still uses
            continue
        policy = made.deletion_policy
        if created and policy in ("Snapshot", "RetainExceptOnCreate"):
            policy = "Delete"
        if remove(world, stack, made, policy):
            del stack.resources[made.logical]
        else:
            failed.append(made.logical)
            blocked |= made.needs
    return failed


def remove(world: World, stack: Stack, made: Made, policy: str) -> bool:
    """Delete one resource as `policy` says; note the reason and return False if it stays."""
    if policy.startswith("Retain"):
        stack.note(world.clock, "DELETE_SKIPPED", None, made, made.properties)
        return True
    adapter = ADAPTERS[made.type]
    stack.note(world.clock, "DELETE_IN_PROGRESS", None, made, made.properties)
    try:
        if made.physical and world.read(stack, made) is not None:
            call = world.call(stack, made, serial=stack.serial(f"last {made.logical}"))
            perform(adapter.snapshot if policy == "Snapshot" else adapter.delete, call)
    except Failure as failure:
        stack.note(world.clock, "DELETE_FAILED", str(failure), made, made.properties)
        return False
    stack.note(world.clock, "DELETE_COMPLETE", None, made, made.properties)
    return True


def backwards(resources: list[Made]) -> list[Made]:
    """Order resources so that each comes before those that it needs."""
    waiting = list(reversed(resources))
    found = []
    while waiting:
        needed = {name for made in waiting for name in made.needs if name != made.logical}
        free = [made for made in waiting if made.logical not in needed] or waiting
        found += free
        waiting = [made for made in waiting if made not in free]
    return found


def _not_cleaned(failed: list[str]) -> str | None:
    return "One or more resources could not be deleted." if failed else None


def _not_deleted(failed: list[str]) -> str | None:
    return f"The following resource(s) failed to delete: [{', '.join(failed)}]. " if failed else None
