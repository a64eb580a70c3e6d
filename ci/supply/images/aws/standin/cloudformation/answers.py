"""Records -> the shapes of CloudFormation's answers."""

import json
from typing import Any

from .fault import invalid
from .parameters import Parameter
from .state import ChangeSet, Event, Made, Stack
from .template import Template

PAGE = 100
"""Entries of one page."""

MASK = "****"


def page(key: str, entries: list[dict[str, Any]], token: str | None) -> dict[str, Any]:
    """Return one page of `entries` and the token of the next."""
    if token is not None and not token.isdecimal():
        raise invalid("NextToken is not valid")
    start = int(token or 0)
    rest = {"NextToken": str(start + PAGE)} if start + PAGE < len(entries) else {}
    return {key: entries[start : start + PAGE]} | rest


def stack(found: Stack) -> dict[str, Any]:
    """Describe a stack."""
    hidden = found.template.parameters if found.template else {}
    answer = {
        "StackId": found.id,
        "StackName": found.name,
        "Description": found.template.description if found.template else None,
        "Parameters": _parameters(found.parameters, hidden),
        "CreationTime": found.created,
        "DeletionTime": found.deleted,
        "LastUpdatedTime": found.updated,
        "StackStatus": found.status,
        "StackStatusReason": found.reason,
        "DisableRollback": found.disable_rollback,
        "NotificationARNs": [],
        "Capabilities": found.capabilities,
        "Outputs": found.outputs,
        "Tags": _tags(found.tags),
        "EnableTerminationProtection": found.protected,
        "DriftInformation": _drift(found),
        "RollbackConfiguration": {},
    }
    return _present(answer)


def stack_summary(found: Stack) -> dict[str, Any]:
    """Describe a stack in one line."""
    return _present(
        {
            "StackId": found.id,
            "StackName": found.name,
            "TemplateDescription": found.template.description if found.template else None,
            "CreationTime": found.created,
            "LastUpdatedTime": found.updated,
            "DeletionTime": found.deleted,
            "StackStatus": found.status,
            "StackStatusReason": found.reason,
            "DriftInformation": _drift(found),
        }
    )


def event(found: Stack, item: Event) -> dict[str, Any]:
    """Describe a transition."""
    return _present(
        {
            "StackId": found.id,
            "EventId": item.id,
            "StackName": found.name,
            "LogicalResourceId": item.logical,
            "PhysicalResourceId": item.physical,
            "ResourceType": item.type,
            "Timestamp": item.time,
            "ResourceStatus": item.status,
            "ResourceStatusReason": item.reason,
            "ResourceProperties": json.dumps(item.properties) if item.properties is not None else None,
        }
    )


def resource_summary(made: Made) -> dict[str, Any]:
    """Describe a resource in ListStackResources."""
    status = made.drift["StackResourceDriftStatus"] if made.drift else "NOT_CHECKED"
    return _present(
        {
            "LogicalResourceId": made.logical,
            "PhysicalResourceId": made.physical or None,
            "ResourceType": made.type,
            "LastUpdatedTimestamp": made.changed,
            "ResourceStatus": made.status,
            "ResourceStatusReason": made.reason,
            "DriftInformation": {"StackResourceDriftStatus": status},
        }
    )


def resource(found: Stack, made: Made) -> dict[str, Any]:
    """Describe a resource in DescribeStackResources."""
    summary = resource_summary(made)
    time = summary.pop("LastUpdatedTimestamp")
    return summary | {"StackName": found.name, "StackId": found.id, "Timestamp": time}


def resource_detail(found: Stack, made: Made) -> dict[str, Any]:
    """Describe a resource in DescribeStackResource."""
    metadata = {"Metadata": json.dumps(made.metadata)} if made.metadata else {}
    return resource_summary(made) | {"StackName": found.name, "StackId": found.id} | metadata


def change_set(found: Stack, item: ChangeSet, values: bool, token: str | None) -> dict[str, Any]:
    """Describe a change set; `values` says whether properties are shown with their values."""
    answer = change_set_summary(found, item) | {
        "Parameters": _parameters(item.parameters, item.template.parameters),
        "Tags": _tags(item.tags),
        "Capabilities": item.capabilities,
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "OnStackFailure": item.on_failure,
    }
    changes = item.changes if values else [_without_values(change) for change in item.changes]
    return answer | page("Changes", changes, token)


def change_set_summary(found: Stack, item: ChangeSet) -> dict[str, Any]:
    """Describe a change set in ListChangeSets."""
    return _present(
        {
            "StackId": found.id,
            "StackName": found.name,
            "ChangeSetId": item.id,
            "ChangeSetName": item.name,
            "ExecutionStatus": item.execution,
            "Status": item.status,
            "StatusReason": item.reason,
            "CreationTime": item.created,
            "Description": item.description or None,
            "IncludeNestedStacks": False,
        }
    )


def template_summary(parsed: Template) -> dict[str, Any]:
    """Describe a template's needs."""
    return _present(
        {
            "Parameters": [_declaration(item) | _default(item, "DefaultValue") | {"ParameterType": item.type} for item in parsed.parameters.values()],
            "Description": parsed.description,
            "ResourceTypes": sorted({item.type for item in parsed.resources.values()}),
            "Version": "2010-09-09",
            "Metadata": json.dumps(parsed.metadata) if parsed.metadata else None,
            "DeclaredTransforms": [],
        }
    ) | _capabilities(parsed)  # fmt: skip


def validation(parsed: Template) -> dict[str, Any]:
    """Describe a template that passed ValidateTemplate."""
    return {
        "Parameters": [
            _declaration(item) | _default(item, "DefaultValue") for item in parsed.parameters.values()
        ],
        "Description": parsed.description,
        "DeclaredTransforms": [],
    } | _capabilities(parsed)


def drift_status(found: Stack, detection: str) -> dict[str, Any]:
    """Describe a finished drift detection."""
    assert found.drift is not None
    states = [made.drift["StackResourceDriftStatus"] for made in found.resources.values() if made.drift]
    reason = {"DetectionStatusReason": found.drift[2]} if found.drift[2] else {}
    return reason | {
        "StackId": found.id,
        "StackDriftDetectionId": detection,
        "StackDriftStatus": found.drift[0],
        "DetectionStatus": "DETECTION_FAILED" if reason else "DETECTION_COMPLETE",
        "DriftedStackResourceCount": sum(state != "IN_SYNC" for state in states),
        "Timestamp": found.drift[1],
    }


def _drift(found: Stack) -> dict[str, Any]:
    if found.drift is None:
        return {"StackDriftStatus": "NOT_CHECKED"}
    return {"StackDriftStatus": found.drift[0], "LastCheckTimestamp": found.drift[1]}


def _parameters(values: dict[str, str], declared: Any) -> list[dict[str, str]]:
    return [
        {
            "ParameterKey": name,
            "ParameterValue": MASK if name in declared and declared[name].no_echo else value,
        }
        for name, value in values.items()
    ]


def _declaration(item: Parameter) -> dict[str, Any]:
    return {"ParameterKey": item.name, "NoEcho": item.no_echo, "Description": item.description}


def _default(item: Parameter, key: str) -> dict[str, str]:
    return {} if item.default is None else {key: MASK if item.no_echo else item.default}


def _capabilities(parsed: Template) -> dict[str, Any]:
    wanted = parsed.capabilities
    if wanted is None:
        return {}
    reason = f"The following resource(s) require capabilities: [{wanted[1]}]"
    return {"Capabilities": [wanted[0]], "CapabilitiesReason": reason}


def _tags(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def _without_values(change: dict[str, Any]) -> dict[str, Any]:
    entry = {
        key: value
        for key, value in change["ResourceChange"].items()
        if key not in ("BeforeContext", "AfterContext")
    }
    hidden = ("BeforeValue", "AfterValue", "Path", "AttributeChangeType")
    entry["Details"] = [
        detail | {"Target": {key: value for key, value in detail["Target"].items() if key not in hidden}}
        for detail in entry["Details"]
    ]
    return change | {"ResourceChange": entry}


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
