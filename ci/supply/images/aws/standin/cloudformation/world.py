"""What a deployment stands on: moto's services, the clock, and all stacks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from . import dynamic, schemas
from .fault import Failure, Fault
from .functions import Lookup, Resolver
from .resources import ADAPTERS
from .resources.adapter import Adapter, Call, entries, pairs
from .state import Clock, Made, Stack
from .template import Resource, Template

Clients = Callable[[str, str, str], Any]
"""(service, account, region) -> boto3 client that reaches moto."""


@dataclass(slots=True)
class World:
    """Builds calls for adapters and turns their errors into reasons."""

    clients: Clients
    clock: Clock
    stacks: list[Stack] = field(default_factory=list)

    def call(
        self, stack: Stack, made: Made, previous: Mapping[str, Any] | None = None, serial: int = 0
    ) -> Call:
        """Return what an adapter needs for `made`."""

        def client(service: str) -> Any:
            return self.clients(service, stack.account, stack.region)

        return Call(
            account=stack.account,
            region=stack.region,
            stack=stack.name,
            stack_id=stack.id,
            logical=made.logical,
            serial=serial,
            client=client,
            properties=made.properties,
            previous=previous or {},
            physical=made.physical,
            siblings=lambda kind: [item.properties for item in self._all(stack, kind)],
        )

    def _all(self, stack: Stack, kind: str) -> Iterator[Made]:
        for other in self.stacks:
            if (other.account, other.region) == (stack.account, stack.region):
                yield from (made for made in other.resources.values() if made.type == kind)

    def read(self, stack: Stack, made: Made) -> dict[str, Any] | None:
        """Return the live properties and attributes of `made`, or None if it is gone."""
        live: dict[str, Any] | None = perform(ADAPTERS[made.type].read, self.call(stack, made))
        return live

    def attribute(self, stack: Stack, made: Made, name: str) -> Any:
        """Return what GetAtt gives; raise Failure if there is no such value."""
        value: Any = self.read(stack, made)
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            raise Failure(f"Attribute {name} of {made.logical} ({made.physical}) has no value")
        return value

    def resolver(
        self, stack: Stack, template: Template, parameters: Mapping[str, str], lookup: Lookup
    ) -> Resolver:
        """Return what gives the template's nodes their values."""
        names: dict[str, Any] = {
            "AWS::AccountId": stack.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": stack.region,
            "AWS::StackId": stack.id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        names |= {name: template.parameters[name].ref(value) for name, value in parameters.items()}
        return Resolver(names, template.mappings, template.conditions, lookup, lambda: self._zones(stack))

    def _zones(self, stack: Stack) -> list[str]:
        answer = self.clients("ec2", stack.account, stack.region).describe_availability_zones()
        return sorted(zone["ZoneName"] for zone in answer["AvailabilityZones"])


def desired(
    resource: Resource, resolver: Resolver, stack: Stack, tags: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the properties `resource` should have, the stack's tags among them, and what is wrong with them."""
    schema = schemas.load(resource.type, stack.region)
    values, problems = schema.checked(resolver.value(dict(resource.properties)))
    if schema.tags and tags:
        own = pairs(values.get(schema.tags))
        merged = own | {key: value for key, value in tags.items() if key not in own}
        values[schema.tags] = merged if schema.tags_are_a_map else entries(merged)
    return values, problems


def active(template: Template, resolver: Resolver) -> list[Resource]:
    """Return the resources whose condition holds, in the order in which they can be made."""
    found = [template.resources[name] for name in template.order]
    return [item for item in found if item.condition is None or resolver.holds(item.condition)]


def differences(
    adapter: Adapter, region: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, str]:
    """Return {changed property: Always, Conditionally or Never replaces}."""
    schema = schemas.load(adapter.type, region)
    changed = [
        name for name in {**old, **new} if old.get(name) != new.get(name) or (name in old) != (name in new)
    ]
    return {
        name: "Always" if name in adapter.replaces else schema.recreation(name, old.get(name), new.get(name))
        for name in changed
    }


def filled(call: Call) -> Call:
    """Return `call` with dynamic references resolved."""
    values = {name: dynamic.filled(getattr(call, name), call.client) for name in ("properties", "previous")}
    return Call(**{name: getattr(call, name) for name in Call.__slots__} | values)


def perform(operation: Callable[[Call], Any], call: Call) -> Any:
    """Run an adapter's operation; every error becomes a Failure with AWS's kind of words."""
    try:
        return operation(call)
    except (Failure, Fault):
        raise
    except ClientError as error:
        details, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        text = f"{details['Message']} (Error Code: {details['Code']}, Status Code: {status})"
        raise Failure(
            f'Resource handler returned message: "{text}" (HandlerErrorCode: GeneralServiceException)'
        ) from None
    except BotoCoreError as error:
        raise Failure(
            f'Resource handler returned message: "{error}" (HandlerErrorCode: InvalidRequest)'
        ) from None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise Failure(
            f'Resource handler returned message: "{reason}" (HandlerErrorCode: InternalFailure)'
        ) from error
