"""An update whose rollback fails too: what somebody removed by hand in between cannot be brought back.

Only an engine in this process can be disturbed at the right moment, so this one is.
"""

import os
import sys
from dataclasses import replace
from typing import Any

import pytest

from ci.problem import Problem
from ci.settings import ROOT
from infra import deploy
from infra.deploy import Done
from infra.environment import load
from infra.stacks import Stack, catalogue
from tests.integration.infra.conftest import PACE, REGION

sys.path.insert(0, str(ROOT / "ci" / "supply" / "images" / "aws"))
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

from standin.cloudformation import CloudFormation, inprocess

ACCOUNT = "400000000001"
TAKEN = """
  Taken:
    Type: AWS::ECR::Repository
    DependsOn: [App, Web, Migration]
    Properties: {RepositoryName: eks-web}
"""


def registry(days: str = "14", more: str = "") -> Stack:
    stack = next(stack for stack in catalogue(load("production")) if stack.concern == "registry")
    template = stack.template.replace("\nOutputs:\n", f"{more}\nOutputs:\n")
    return replace(stack, template=template, inputs={"UntaggedDays": days})


def test_it_is_continued_once_what_was_removed_is_back() -> None:
    clients = inprocess.clients()
    engine = CloudFormation(clients)
    client = inprocess.client(engine, clients, ACCOUNT, REGION)
    ecr = clients("ecr", ACCOUNT, REGION)

    def status() -> Any:
        return client.describe_stacks(StackName="slipway-production-registry")["Stacks"][0]["StackStatus"]

    def apply(stack: Stack) -> list[str]:
        return [event.outcome for event in deploy.apply([stack], client, PACE) if isinstance(event, Done)]

    assert apply(registry()) == ["created"]
    clock = engine.world.clock

    def removing() -> Any:
        events = client.describe_stack_events(StackName="slipway-production-registry")["StackEvents"]
        failed = any(
            (event["LogicalResourceId"], event["ResourceStatus"]) == ("Taken", "CREATE_FAILED")
            for event in events
        )
        names = [found["repositoryName"] for found in ecr.describe_repositories()["repositories"]]
        if failed and "eks-app" in names:
            ecr.delete_repository(repositoryName="eks-app")
        return clock()

    engine.world.clock = removing
    with pytest.raises(Problem, match=r"Taken \(AWS::ECR::Repository\) failed: .*already exists"):
        apply(registry("7", TAKEN))
    engine.world.clock = clock
    assert status() == "UPDATE_ROLLBACK_FAILED"

    (planned,) = deploy.plan([registry("7")], client, PACE)
    assert planned.note == "UPDATE_ROLLBACK_FAILED: its rollback is continued, then compared"
    with pytest.raises(Problem, match=r"App \(AWS::ECR::Repository\) failed: .*does not exist"):
        apply(registry("7"))
    ecr.create_repository(repositoryName="eks-app", imageTagMutability="IMMUTABLE")
    assert apply(registry("7")) == ["updated"]
    assert status() == "UPDATE_COMPLETE"
