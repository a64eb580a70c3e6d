"""One account of the stand-in, and the words that the tests speak to it."""

import json
from collections.abc import Mapping
from typing import Any

import yaml
from standin.cloudformation import Clients, CloudFormation, inprocess

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


class Sandbox:
    def __init__(self, engine: CloudFormation, others: Clients, account: str, region: str) -> None:
        self.engine = engine
        self.others = others
        self.account = account
        self.region = region
        self.cloudformation = inprocess.client(engine, others, account, region)

    def aws(self, service: str) -> Any:
        return self.others(service, self.account, self.region)

    def propose(
        self, template: str, name: str = "stack", tags: Mapping[str, str] | None = None, **parameters: str
    ) -> dict[str, Any]:
        """Make a change set, for a new stack or the one that is there, and describe it."""
        there = self.status(name) not in (None, "REVIEW_IN_PROGRESS")
        asked = {
            "StackName": name,
            "ChangeSetName": "proposed",
            "ChangeSetType": "UPDATE" if there else "CREATE",
            "TemplateBody": template,
            "Capabilities": CAPABILITIES,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
        }
        if tags is not None:
            asked["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.cloudformation.create_change_set(**asked)
        return dict(
            self.cloudformation.describe_change_set(
                StackName=name, ChangeSetName="proposed", IncludePropertyValues=True
            )
        )

    def deploy(self, template: str, name: str = "stack", **more: Any) -> str:
        """Bring the stack to `template` by a change set and return its status."""
        assert self.propose(template, name, **more)["Status"] == "CREATE_COMPLETE"
        self.cloudformation.execute_change_set(StackName=name, ChangeSetName="proposed")
        return str(self.status(name))

    def status(self, name: str = "stack") -> str | None:
        for summary in self.cloudformation.list_stacks()["StackSummaries"]:
            if summary["StackName"] == name and summary["StackStatus"] != "DELETE_COMPLETE":
                return str(summary["StackStatus"])
        return None

    def delete(self, name: str = "stack") -> str | None:
        """Delete the stack and return its status, None when it is gone."""
        self.cloudformation.delete_stack(StackName=name)
        return self.status(name)

    def outputs(self, name: str = "stack") -> dict[str, str]:
        stack = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}

    def physical(self, name: str = "stack") -> dict[str, str]:
        found = self.cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]
        return {item["LogicalResourceId"]: item.get("PhysicalResourceId", "") for item in found}

    def events(self, name: str = "stack") -> list[tuple[str, str]]:
        """(logical id, status) of everything that happened, oldest first; the stack itself is `stack`."""
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        found = [event for page in pages for event in page["StackEvents"]]
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(found)]

    def reasons(self, name: str = "stack") -> dict[str, str]:
        """Logical id -> reason of its newest failure."""
        found = self.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return {
            event["LogicalResourceId"]: event.get("ResourceStatusReason", "")
            for event in reversed(found)
            if event["ResourceStatus"].endswith("_FAILED")
        }

    def drift(self, name: str = "stack") -> dict[str, tuple[str, list[tuple[str, str]]]]:
        """Logical id -> (status, [(path, kind of difference)]) of everything that is not in sync."""
        detection = self.cloudformation.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
        status = self.cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        assert status["DetectionStatus"] == "DETECTION_COMPLETE", status
        found = self.cloudformation.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
        drifted = {
            item["LogicalResourceId"]: (
                item["StackResourceDriftStatus"],
                [(each["PropertyPath"], each["DifferenceType"]) for each in item["PropertyDifferences"]],
            )
            for item in found
            if item["StackResourceDriftStatus"] != "IN_SYNC"
        }
        assert status["StackDriftStatus"] == ("DRIFTED" if drifted else "IN_SYNC")
        return drifted


def template(resources: Mapping[str, Any], outputs: Mapping[str, Any] | None = None, **sections: Any) -> str:
    """Write a template; functions in their long form."""
    content: dict[str, Any] = {"Resources": resources, **sections}
    if outputs:
        content["Outputs"] = {name: {"Value": value} for name, value in outputs.items()}
    return json.dumps(content)


def changed(text: str, logical: str, **properties: Any) -> str:
    """Return the template with other properties of one resource; None takes one away."""
    content = json.loads(text) if text.startswith("{") else yaml.safe_load(text)
    wanted = content["Resources"][logical].setdefault("Properties", {})
    for name, value in properties.items():
        if value is None:
            del wanted[name]
        else:
            wanted[name] = value
    return json.dumps(content)


def change(description: Mapping[str, Any], logical: str) -> dict[str, Any]:
    """Return the change of one resource in a described change set."""
    found = [item["ResourceChange"] for item in description["Changes"]]
    return dict(next(item for item in found if item["LogicalResourceId"] == logical))
