"""The life of one resource: made, in sync, changed in place or replaced, in sync again, deleted."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.unit.standin.cloudformation.sandbox import Sandbox, change, changed

Look = Callable[[Sandbox, str], Any]
"""(sandbox, physical id) -> what the service itself says, by its own API."""

TAGS = {"slipway:environment": "production"}


def see(look: Look, sandbox: Sandbox, physical: str) -> Any:
    """Look, and return None if the service does not know the resource."""
    try:
        return look(sandbox, physical)
    except (ClientError, IndexError, KeyError, StopIteration):
        return None


def live(
    sandbox: Sandbox,
    text: str,
    logical: str,
    *,
    look: Look,
    before: Any,
    changes: Mapping[str, Any],
    after: Any,
    replaced: bool = False,
) -> str:
    """Lead the resource through its life until it is changed, and return its physical id then."""
    assert sandbox.deploy(text, tags=TAGS) == "CREATE_COMPLETE", sandbox.reasons()
    first = sandbox.physical()[logical]
    assert see(look, sandbox, first) == before
    assert sandbox.drift() == {}
    assert sandbox.propose(text)["Status"] == "FAILED", "a template that was just deployed changes nothing"
    sandbox.cloudformation.delete_change_set(StackName="stack", ChangeSetName="proposed")
    found = sandbox.propose(changed(text, logical, **changes))
    assert (change(found, logical)["Replacement"] == "True") is replaced
    sandbox.cloudformation.execute_change_set(StackName="stack", ChangeSetName="proposed")
    assert sandbox.status() == "UPDATE_COMPLETE", sandbox.reasons()
    second = sandbox.physical()[logical]
    assert (second != first) is replaced
    assert see(look, sandbox, second) == after
    assert sandbox.drift() == {}
    if replaced:
        assert see(look, sandbox, first) is None
    return second


def die(sandbox: Sandbox, look: Look, physical: str) -> None:
    """Delete the stack and see that the service forgot the resource."""
    assert sandbox.delete() is None, sandbox.reasons()
    assert see(look, sandbox, physical) is None
