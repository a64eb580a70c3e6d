"""Compare what is deployed with what the templates say: CloudFormation's drift detection, as rows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ci.problem import Problem
from infra import cloudformation as cfn
from infra.cloudformation import PACE, Pace
from infra.stacks import Stack

_SECRET = ("password", "secret", "apikeyvalue")
_HIDDEN = "(hidden)"
MISSING = "NOT_DEPLOYED"


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that is not as the template says; `resource` is '' where the whole stack is missing."""

    stack: str
    resource: str
    type: str
    status: str
    property: str = ""
    expected: str = ""
    actual: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One stack's result: no differences, and `resources` counts those that were compared."""

    stack: str
    resources: int
    differences: tuple[Difference, ...]


def drift(stacks: Sequence[Stack], client: Any, pace: Pace = PACE, seconds: float = 900) -> Iterator[Checked]:
    """Yield the result for each stack; all are asked at once, as one takes minutes."""
    asked: dict[str, str] = {}
    for stack in stacks:
        state = cfn.find(client, stack.name)
        if state is None or state.unborn:
            yield Checked(stack.name, 0, (Difference(stack.name, "", "", MISSING),))
        else:
            asked[stack.name] = client.detect_stack_drift(StackName=stack.name)["StackDriftDetectionId"]
    end = pace.now() + seconds
    for name, detection in asked.items():
        _await(name, detection, client, pace, end)
        found = list(_resources(client, name))
        yield Checked(
            name, len(found), tuple(row for resource in found for row in _differences(name, resource))
        )


def _await(stack: str, detection: str, client: Any, pace: Pace, end: float) -> None:
    while True:
        found = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if found["DetectionStatus"] == "DETECTION_COMPLETE":
            return
        if found["DetectionStatus"] == "DETECTION_FAILED":
            reason = found.get("DetectionStatusReason", "no reason given")
            raise Problem(f"stack {stack}: drift cannot be detected: {reason}", fix="run infra.drift again")
        if pace.now() > end:
            raise Problem(
                f"stack {stack}: drift detection is not done within its time; last state: {found['DetectionStatus']}",
                fix="run infra.drift again",
            )
        pace.sleep(pace.every)


def _resources(client: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    token: dict[str, str] = {}
    while True:
        page = client.describe_stack_resource_drifts(StackName=stack, **token)
        yield from page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


def _differences(stack: str, found: Mapping[str, Any]) -> Iterator[Difference]:
    resource, kind = found["LogicalResourceId"], found["ResourceType"]
    status = found["StackResourceDriftStatus"]
    if status == "DELETED":
        yield Difference(stack, resource, kind, status)
    if status != "MODIFIED":
        return
    for item in found.get("PropertyDifferences", ()):
        path = item["PropertyPath"]
        expected, actual = _shown(path, item.get("ExpectedValue")), _shown(path, item.get("ActualValue"))
        yield Difference(stack, resource, kind, item["DifferenceType"], path, expected, actual)


def _shown(path: str, value: Any) -> str:
    if any(word in path.lower() for word in _SECRET):
        return _HIDDEN
    text = value if isinstance(value, str) else json.dumps(value)
    return "" if text in ("null", None) else " ".join(text.split())
