"""CloudFormation's API: each action from botocore's input shape to its output shape."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import answers, drift, parameters, template
from .deployment import Deployment, delete
from .fault import Fault, invalid
from .plan import Plan
from .state import ChangeSet, Stack, identity, tags
from .template import Template
from .world import World

Given = Mapping[str, Any]
Answer = dict[str, Any]

EMPTY = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
SETTLED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
FAILED = ("CREATE_FAILED", "UPDATE_FAILED")
"""States of a stack that failed and was told to stay as it is; like a settled one it may be updated."""


@dataclass(frozen=True, slots=True)
class Action:
    """What answers, and the parameters it understands; others are refused by name."""

    answer: Callable[[World, str, str, Given], Answer]
    parameters: frozenset[str]


def find(world: World, account: str, region: str, name: str) -> Stack:
    """Return the stack of that name that is not deleted, or of that id."""
    for stack in world.stacks:
        if (stack.account, stack.region) == (account, region) and (
            stack.id == name or (stack.name == name and stack.deleted is None)
        ):
            return stack
    raise invalid(f"Stack with id {name} does not exist")


def create_stack(world: World, account: str, region: str, given: Given) -> Answer:
    """CreateStack."""
    if any(
        stack.name == given["StackName"] and stack.deleted is None for stack in _of(world, account, region)
    ):
        raise Fault("AlreadyExistsException", f"Stack [{given['StackName']}] already exists")
    parsed, values = _checked(given, region, None)
    stack = _new(world, account, region, given["StackName"])
    stack.protected = bool(given.get("EnableTerminationProtection"))
    on_failure = "DO_NOTHING" if given.get("DisableRollback") else given.get("OnFailure", "ROLLBACK")
    stack.disable_rollback = on_failure == "DO_NOTHING"
    _deployment(world, stack, parsed, values, tags(given.get("Tags", ())), given).create(on_failure)
    return {"StackId": stack.id}


def update_stack(world: World, account: str, region: str, given: Given) -> Answer:
    """UpdateStack."""
    stack = _updatable(world, account, region, given["StackName"])
    parsed, values = _checked(given, region, stack)
    wanted = tags(given["Tags"]) if "Tags" in given else stack.tags
    plan = Plan(world, stack, parsed, values, wanted)
    if plan.nothing(plan.changes()):
        raise invalid("No updates are to be performed.")
    _deployment(world, stack, parsed, values, wanted, given).update(bool(given.get("DisableRollback")))
    return {"StackId": stack.id}


def create_change_set(world: World, account: str, region: str, given: Given) -> Answer:
    """CreateChangeSet; a change set without changes is FAILED, as in AWS."""
    kind, name = given.get("ChangeSetType", "UPDATE"), given["ChangeSetName"]
    known = [stack for stack in _of(world, account, region) if stack.deleted is None]
    stack = next((item for item in known if given["StackName"] in (item.name, item.id)), None)
    if kind not in ("CREATE", "UPDATE"):
        raise invalid(f"ChangeSetType {kind} is not supported by Slipway's stand-in for CloudFormation")
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise _constraint(name, "changeSetName", "[a-zA-Z][-a-zA-Z0-9]*")
    if kind == "CREATE" and stack is not None and stack.status != "REVIEW_IN_PROGRESS":
        raise invalid(
            f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [{name}]."
        )
    if kind == "UPDATE":
        stack = _updatable(world, account, region, given["StackName"])
    if (
        stack is not None
        and name in stack.change_sets
        and stack.change_sets[name].execution != "EXECUTE_COMPLETE"
    ):
        raise Fault("AlreadyExistsException", f"ChangeSet {name} already exists for stack {stack.id}")
    parsed, values = _checked(given, region, stack if kind == "UPDATE" else None)
    old = stack.tags if stack and kind == "UPDATE" else {}
    wanted = tags(given["Tags"]) if "Tags" in given else old
    # Everything that can be refused was, or is now: a refused request must leave nothing behind.
    subject = stack or _stack(world, account, region, given["StackName"])
    plan = Plan(world, subject, parsed, values, wanted)
    changes = plan.changes()
    empty = plan.nothing(changes)
    if stack is None:
        world.stacks.append(subject)
        subject.note(world.clock, "REVIEW_IN_PROGRESS", "User Initiated")
    number = subject.serial(f"change set {name}")
    change_set = ChangeSet(
        id=f"arn:aws:cloudformation:{region}:{account}:changeSet/{name}/{identity(subject.id, name, number)}",
        name=name,
        kind=kind,
        created=world.clock(),
        template=parsed,
        parameters=values,
        tags=wanted,
        capabilities=list(given.get("Capabilities", ())),
        on_failure=given.get("OnStackFailure", "ROLLBACK"),
        description=given.get("Description", ""),
        changes=changes,
        status="FAILED" if empty else "CREATE_COMPLETE",
        reason=EMPTY if empty else None,
        execution="UNAVAILABLE" if empty else "AVAILABLE",
    )
    subject.change_sets[name] = change_set
    return {"Id": change_set.id, "StackId": subject.id}


def describe_change_set(world: World, account: str, region: str, given: Given) -> Answer:
    """DescribeChangeSet."""
    stack, change_set = _change_set(world, account, region, given)
    return answers.change_set(
        stack, change_set, bool(given.get("IncludePropertyValues")), given.get("NextToken")
    )


def list_change_sets(world: World, account: str, region: str, given: Given) -> Answer:
    """ListChangeSets."""
    stack = find(world, account, region, given["StackName"])
    return {"Summaries": [answers.change_set_summary(stack, item) for item in stack.change_sets.values()]}


def execute_change_set(world: World, account: str, region: str, given: Given) -> Answer:
    """ExecuteChangeSet; returns when the stack has settled."""
    stack, chosen = _change_set(world, account, region, given)
    if chosen.execution != "AVAILABLE":
        raise Fault(
            "InvalidChangeSetStatus",
            f"ChangeSet [{chosen.id}] cannot be executed in its current execution status of [{chosen.execution}]",
        )
    chosen.execution = "EXECUTE_COMPLETE"
    stack.change_sets = {chosen.name: chosen}  # the others were made against what is now the past
    deployment = Deployment(
        world, stack, chosen.template, chosen.parameters, chosen.tags, chosen.capabilities
    )
    keep = bool(given.get("DisableRollback"))
    if chosen.kind == "CREATE":
        stack.disable_rollback = keep or chosen.on_failure == "DO_NOTHING"
        deployment.create("DO_NOTHING" if keep else chosen.on_failure)
    else:
        deployment.update(keep or chosen.on_failure == "DO_NOTHING")
    return {}


def delete_change_set(world: World, account: str, region: str, given: Given) -> Answer:
    """DeleteChangeSet; one that is not there is no error."""
    try:
        stack, change_set = _change_set(world, account, region, given)
    except Fault as fault:
        if fault.code == "ChangeSetNotFound":
            return {}
        raise
    del stack.change_sets[change_set.name]
    return {}


def delete_stack(world: World, account: str, region: str, given: Given) -> Answer:
    """DeleteStack; one that is not there is no error."""
    try:
        stack = find(world, account, region, given["StackName"])
    except Fault:
        return {}
    if stack.deleted:
        return {}
    if stack.protected:
        raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    retained = frozenset(given.get("RetainResources", ()))
    if retained and stack.status != "DELETE_FAILED":
        raise invalid(
            f"Invalid operation on stack [{stack.id}]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state."
        )
    if retained - stack.resources.keys():
        raise invalid(
            f"The specified resources to retain must be in a valid state. Resources that do not exist: [{', '.join(sorted(retained - stack.resources.keys()))}]"
        )
    delete(world, stack, retained)
    return {}


def describe_stacks(world: World, account: str, region: str, given: Given) -> Answer:
    """DescribeStacks."""
    if "StackName" in given:
        return {"Stacks": [answers.stack(find(world, account, region, given["StackName"]))]}
    return {
        "Stacks": [answers.stack(stack) for stack in _of(world, account, region) if stack.deleted is None]
    }


def list_stacks(world: World, account: str, region: str, given: Given) -> Answer:
    """ListStacks, newest first."""
    wanted = given.get("StackStatusFilter")
    found = [stack for stack in reversed(_of(world, account, region)) if not wanted or stack.status in wanted]
    return {"StackSummaries": [answers.stack_summary(stack) for stack in found]}


def describe_stack_events(world: World, account: str, region: str, given: Given) -> Answer:
    """DescribeStackEvents, newest first."""
    stack = find(world, account, region, given["StackName"])
    events = [answers.event(stack, event) for event in reversed(stack.events)]
    return answers.page("StackEvents", events, given.get("NextToken"))


def describe_stack_resources(world: World, account: str, region: str, given: Given) -> Answer:
    """DescribeStackResources."""
    if "StackName" not in given:
        raise invalid("DescribeStackResources without StackName is not supported by Slipway's stand-in")
    stack = find(world, account, region, given["StackName"])
    wanted = given.get("LogicalResourceId")
    return {
        "StackResources": [
            answers.resource(stack, made) for name, made in stack.resources.items() if wanted in (None, name)
        ]
    }


def describe_stack_resource(world: World, account: str, region: str, given: Given) -> Answer:
    """DescribeStackResource."""
    stack, name = find(world, account, region, given["StackName"]), given["LogicalResourceId"]
    if name not in stack.resources:
        raise invalid(f"Resource {name} does not exist for stack {stack.name}")
    return {"StackResourceDetail": answers.resource_detail(stack, stack.resources[name])}


def list_stack_resources(world: World, account: str, region: str, given: Given) -> Answer:
    """ListStackResources."""
    stack = find(world, account, region, given["StackName"])
    found = [answers.resource_summary(made) for made in stack.resources.values()]
    return answers.page("StackResourceSummaries", found, given.get("NextToken"))


def get_template(world: World, account: str, region: str, given: Given) -> Answer:
    """GetTemplate; nothing processes templates here, so both stages are the text as it was sent."""
    if "ChangeSetName" in given:
        chosen: Template | None = _change_set(world, account, region, given)[1].template
    else:
        chosen = find(world, account, region, given["StackName"]).template
    return {"TemplateBody": chosen.body if chosen else "", "StagesAvailable": ["Original", "Processed"]}


def get_template_summary(world: World, account: str, region: str, given: Given) -> Answer:
    """GetTemplateSummary."""
    if "TemplateBody" in given:
        return answers.template_summary(template.read(given["TemplateBody"], region))
    stack = find(world, account, region, given.get("StackName", ""))
    if stack.template is None:
        raise invalid(f"Stack {stack.name} has no template yet")
    return answers.template_summary(stack.template)


def validate_template(world: World, account: str, region: str, given: Given) -> Answer:
    """ValidateTemplate."""
    return answers.validation(template.read(_body(given), region))


def update_termination_protection(world: World, account: str, region: str, given: Given) -> Answer:
    """UpdateTerminationProtection."""
    stack = find(world, account, region, given["StackName"])
    stack.protected = given["EnableTerminationProtection"]
    return {"StackId": stack.id}


def continue_update_rollback(world: World, account: str, region: str, given: Given) -> Answer:
    """ContinueUpdateRollback."""
    stack = find(world, account, region, given["StackName"])
    if stack.status != "UPDATE_ROLLBACK_FAILED" or stack.pending is None:
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not continue update rollback.")
    stack.note(world.clock, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
    stack.pending.roll_back(frozenset(given.get("ResourcesToSkip", ())))
    return {}


def detect_stack_drift(world: World, account: str, region: str, given: Given) -> Answer:
    """DetectStackDrift; the result is there at once."""
    stack = find(world, account, region, given["StackName"])
    if "LogicalResourceIds" in given:
        raise invalid("DetectStackDrift of single resources is not supported by Slipway's stand-in")
    if stack.status not in (*SETTLED, "UPDATE_ROLLBACK_FAILED"):
        raise invalid(
            f"Drift detection cannot be performed on stack [{stack.name}] while it is in {stack.status} state."
        )
    drift.detect(world, stack)
    return {"StackDriftDetectionId": identity(stack.id, "drift")}


def describe_stack_drift_detection_status(world: World, account: str, region: str, given: Given) -> Answer:
    """DescribeStackDriftDetectionStatus."""
    wanted = given["StackDriftDetectionId"]
    for stack in _of(world, account, region):
        if stack.drift and identity(stack.id, "drift") == wanted:
            return answers.drift_status(stack, wanted)
    raise invalid(f"Drift detection with id {wanted} does not exist")


def describe_stack_resource_drifts(world: World, account: str, region: str, given: Given) -> Answer:
    """DescribeStackResourceDrifts."""
    stack = find(world, account, region, given["StackName"])
    wanted = given.get("StackResourceDriftStatusFilters")
    found = [made.drift for made in stack.resources.values() if made.drift]
    return {
        "StackResourceDrifts": [
            item for item in found if not wanted or item["StackResourceDriftStatus"] in wanted
        ]
    }


def _of(world: World, account: str, region: str) -> list[Stack]:
    return [stack for stack in world.stacks if (stack.account, stack.region) == (account, region)]


def _constraint(value: str, field: str, pattern: str) -> Fault:
    return invalid(
        f"1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
    )


def _stack(world: World, account: str, region: str, name: str) -> Stack:
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        raise _constraint(name, "stackName", "[a-zA-Z][-a-zA-Z0-9]*")
    number = sum(stack.name == name for stack in _of(world, account, region))
    unique = identity(account, region, name, number)
    arn = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/{unique}"
    return Stack(arn, name, account, region, world.clock(), "REVIEW_IN_PROGRESS")


def _new(world: World, account: str, region: str, name: str) -> Stack:
    stack = _stack(world, account, region, name)
    world.stacks.append(stack)
    return stack


def _updatable(world: World, account: str, region: str, name: str) -> Stack:
    stack = find(world, account, region, name)
    if stack.deleted or stack.status == "REVIEW_IN_PROGRESS":
        raise invalid(f"Stack [{stack.name}] does not exist")
    if stack.status not in (*SETTLED, *FAILED):
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
    return stack


def _body(given: Given) -> str:
    if "TemplateBody" not in given:
        note = " (the stand-in reads no TemplateURL)" if "TemplateURL" in given else ""
        raise invalid(f"Either Template URL or Template Body must be specified.{note}")
    body: str = given["TemplateBody"]
    return body


def _checked(given: Given, region: str, stack: Stack | None) -> tuple[Template, dict[str, str]]:
    """Return the template and the values of its parameters, or refuse them."""
    if given.get("UsePreviousTemplate") and stack and stack.template:
        parsed = stack.template
    else:
        parsed = template.read(_body(given), region)
    values = parameters.settle(
        parsed.parameters, given.get("Parameters", ()), stack.parameters if stack else {}
    )
    wanted = parsed.capabilities
    if wanted:
        given_ones = set(given.get("Capabilities", ()))
        enough = {"CAPABILITY_NAMED_IAM", wanted[0]}
        if not given_ones & enough:
            raise Fault("InsufficientCapabilitiesException", f"Requires capabilities : [{wanted[0]}]")
    return parsed, values


def _deployment(
    world: World, stack: Stack, parsed: Template, values: dict[str, str], wanted: dict[str, str], given: Given
) -> Deployment:
    capabilities = list(given.get("Capabilities", ()))
    return Deployment(world, stack, parsed, values, wanted, capabilities)


def _change_set(world: World, account: str, region: str, given: Given) -> tuple[Stack, ChangeSet]:
    name = given["ChangeSetName"]
    stacks = _of(world, account, region)
    if not name.startswith("arn:"):
        if "StackName" not in given:
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        stacks = [find(world, account, region, given["StackName"])]
    for stack in stacks:
        for change_set in stack.change_sets.values():
            if name in (change_set.name, change_set.id):
                return stack, change_set
    raise Fault("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


_TEMPLATE = "StackName TemplateBody TemplateURL Parameters Tags Capabilities ClientRequestToken"

ACTIONS: dict[str, Action] = {
    name: Action(answer, frozenset(known.split()))
    for name, answer, known in (
        ("CreateStack", create_stack, f"{_TEMPLATE} DisableRollback OnFailure EnableTerminationProtection TimeoutInMinutes"),
        ("UpdateStack", update_stack, f"{_TEMPLATE} UsePreviousTemplate DisableRollback"),
        ("DeleteStack", delete_stack, "StackName RetainResources ClientRequestToken"),
        ("CreateChangeSet", create_change_set, f"{_TEMPLATE} ChangeSetName ChangeSetType ClientToken UsePreviousTemplate Description OnStackFailure"),
        ("DescribeChangeSet", describe_change_set, "ChangeSetName StackName NextToken IncludePropertyValues"),
        ("ListChangeSets", list_change_sets, "StackName NextToken"),
        ("ExecuteChangeSet", execute_change_set, "ChangeSetName StackName ClientRequestToken DisableRollback"),
        ("DeleteChangeSet", delete_change_set, "ChangeSetName StackName"),
        ("DescribeStacks", describe_stacks, "StackName NextToken"),
        ("ListStacks", list_stacks, "StackStatusFilter NextToken"),
        ("DescribeStackEvents", describe_stack_events, "StackName NextToken"),
        ("DescribeStackResources", describe_stack_resources, "StackName LogicalResourceId"),
        ("DescribeStackResource", describe_stack_resource, "StackName LogicalResourceId"),
        ("ListStackResources", list_stack_resources, "StackName NextToken"),
        ("GetTemplate", get_template, "StackName ChangeSetName TemplateStage"),
        ("GetTemplateSummary", get_template_summary, "TemplateBody StackName"),
        ("ValidateTemplate", validate_template, "TemplateBody TemplateURL"),
        ("UpdateTerminationProtection", update_termination_protection, "StackName EnableTerminationProtection"),
        ("ContinueUpdateRollback", continue_update_rollback, "StackName ResourcesToSkip ClientRequestToken"),
        ("DetectStackDrift", detect_stack_drift, "StackName LogicalResourceIds"),
        ("DescribeStackDriftDetectionStatus", describe_stack_drift_detection_status, "StackDriftDetectionId"),
        ("DescribeStackResourceDrifts", describe_stack_resource_drifts, "StackName StackResourceDriftStatusFilters NextToken MaxResults"),
    )
}  # fmt: skip
"""Every action that is answered."""
