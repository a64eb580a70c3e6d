"""EventBridge: connections, API destinations, rules."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

import json
from typing import Any

from botocore.exceptions import ClientError

from standin.cloudformation.fault import Failure

from .adapter import Adapter, Call, document, entries, present, retag, words


def _found(ask: Any, **names: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = ask(**names)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise
    return found


def _free(ask: Any, name: str) -> None:
    """Refuse a name that is taken; moto would write over what is there."""
    if _found(ask, Name=name) is not None:
        raise Failure(f"{name} already exists. (Error Code: ResourceAlreadyExistsException)")


class Connection(Adapter):
    """AWS::Events::Connection."""

    type = "AWS::Events::Connection"
    properties = words("Name Description AuthorizationType AuthParameters")

    def create(self, call: Call) -> str:
        events = call.client("events")
        name = call.properties.get("Name") or call.name(64)
        _free(events.describe_connection, name)
        events.create_connection(Name=name, **call.pick("Description", "AuthorizationType", "AuthParameters"))
        return str(name)

    def update(self, call: Call) -> None:
        wanted = {"Description": ""} | call.pick("Description", "AuthorizationType", "AuthParameters")
        call.client("events").update_connection(Name=call.physical, **wanted)

    def delete(self, call: Call) -> None:
        call.client("events").delete_connection(Name=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = _found(call.client("events").describe_connection, Name=call.physical)
        if found is None:
            return None
        kept = ("Name", "Description", "AuthorizationType", "AuthParameters", "SecretArn")
        arn = found["ConnectionArn"]
        return {name: found[name] for name in kept if name in found} | {
            "Arn": arn,
            "ArnForPolicy": arn.rpartition("/")[0],
        }


class ApiDestination(Adapter):
    """AWS::Events::ApiDestination."""

    type = "AWS::Events::ApiDestination"
    properties = words(
        "Name Description ConnectionArn HttpMethod InvocationEndpoint InvocationRateLimitPerSecond"
    )

    def create(self, call: Call) -> str:
        events = call.client("events")
        name = call.properties.get("Name") or call.name(64)
        _free(events.describe_api_destination, name)
        self._check(call)
        events.create_api_destination(Name=name, **call.pick(*(self.properties - {"Name"})))
        return str(name)

    def update(self, call: Call) -> None:
        self._check(call)
        call.client("events").update_api_destination(
            Name=call.physical, **({"Description": ""} | call.pick(*(self.properties - {"Name"})))
        )

    def delete(self, call: Call) -> None:
        call.client("events").delete_api_destination(Name=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        found = _found(call.client("events").describe_api_destination, Name=call.physical)
        if found is None:
            return None
        arn = found["ApiDestinationArn"]
        return {name: found[name] for name in self.properties if found.get(name) is not None} | {
            "Arn": arn,
            "ArnForPolicy": arn.rpartition("/")[0],
        }

    def _check(self, call: Call) -> None:
        connections = call.client("events").list_connections()["Connections"]
        if call.properties["ConnectionArn"] not in [item["ConnectionArn"] for item in connections]:
            raise Failure(
                f"Connection '{call.properties['ConnectionArn']}' does not exist. (Error Code: ResourceNotFoundException)"
            )


class Rule(Adapter):
    """AWS::Events::Rule on the default bus, with its targets."""

    type = "AWS::Events::Rule"
    properties = words("Name Description EventPattern ScheduleExpression State Targets RoleArn Tags")

    def create(self, call: Call) -> str:
        events = call.client("events")
        name = call.properties.get("Name") or call.name(64)
        _free(events.describe_rule, name)
        self._put(call, name, {"Tags": entries(call.properties.get("Tags"))})
        call.started(name)
        self._targets(call, name)
        return str(name)

    def update(self, call: Call) -> None:
        events = call.client("events")
        arn = events.describe_rule(Name=call.physical)["Arn"]
        self._put(call, call.physical, {})
        self._targets(call, call.physical)
        retag(
            call,
            lambda tags: events.tag_resource(ResourceARN=arn, Tags=entries(tags)),
            lambda keys: events.untag_resource(ResourceARN=arn, TagKeys=keys),
        )

    def delete(self, call: Call) -> None:
        events, ids = call.client("events"), [target["Id"] for target in call.properties.get("Targets", [])]
        if ids:
            events.remove_targets(Rule=call.physical, Ids=ids)
        events.delete_rule(Name=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        events = call.client("events")
        found = _found(events.describe_rule, Name=call.physical)
        if found is None:
            return None
        pattern = found.get("EventPattern")
        return present(
            {
                "Name": call.physical,
                "Arn": found["Arn"],
                "Description": found.get("Description", ""),
                "EventPattern": pattern and json.loads(pattern),
                "ScheduleExpression": found.get("ScheduleExpression"),
                "State": found["State"],
                "RoleArn": found.get("RoleArn"),
            }
        ) | {
            "Targets": events.list_targets_by_rule(Rule=call.physical)["Targets"],
            "Tags": entries(events.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"]),
        }

    def _put(self, call: Call, name: str, tags: dict[str, Any]) -> None:
        wanted = call.pick("Description", "ScheduleExpression", "State", "RoleArn")
        if "EventPattern" in call.properties:
            wanted["EventPattern"] = document(call.properties["EventPattern"])
        call.client("events").put_rule(Name=name, **wanted, **present(tags))

    def _targets(self, call: Call, name: str) -> None:
        events, new = call.client("events"), call.properties.get("Targets", [])
        kept = {target["Id"] for target in new}
        gone = [target["Id"] for target in call.previous.get("Targets", []) if target["Id"] not in kept]
        if gone:
            events.remove_targets(Rule=name, Ids=gone)
        if new:
            answer = events.put_targets(Rule=name, Targets=new)
            if answer["FailedEntryCount"]:
                raise Failure(f"Targets of {name} were refused: {answer['FailedEntries']}")


ADAPTERS: tuple[Adapter, ...] = (Connection(), ApiDestination(), Rule())
