"""Which service, operation and parameters a request means, by botocore's service models."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from . import wire
from .fault import Fault

_MODELS = {
    "elasticloadbalancing": "elbv2",
    "email": "ses",
    "eventbridge": "events",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
"""Names under which requests are signed, where botocore calls the service's model otherwise."""

_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag", "email": "ses", "eventbridge": "events"}
"""Names under which requests are signed, where policies write another prefix."""

_CLASSIC_LOAD_BALANCING = "2012-06-01"

GLOBAL = "us-east-1"
"""Where requests of services without a region are signed for."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service as its requests are signed (`name`), and botocore's model of it."""

    name: str
    model: ServiceModel
    protocol: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request, understood: `parameters` have the shape that botocore's clients take."""

    service: Service
    region: str
    operation: OperationModel
    parameters: dict[str, Any]

    @property
    def action(self) -> str:
        """The action as policies write it."""
        return f"{_PREFIXES.get(self.service.name, self.service.name)}:{self.operation.name}"


def find(request: wire.Request, signed_for: str) -> Service:
    """Return the service that a request was signed for; one that nobody knows is a Fault."""
    name = _MODELS.get(signed_for, signed_for)
    if name == "elbv2" and _form(request).get("Version") == _CLASSIC_LOAD_BALANCING:
        name = "elb"
    try:
        model = get_service_model(name)
    except UnknownServiceError:
        raise Fault("UnknownService", f"The stand-in for AWS knows no service '{signed_for}'", 501) from None
    return Service(signed_for, model, _protocol(request, model))


def understand(request: wire.Request, service: Service, region: str) -> Call:
    """Find the operation and its parameters; a request that the model does not know is a Fault."""
    seen = _moto_request(request)
    try:
        operation, in_path = get_service_router(service.model.service_name).match(seen)
    except NotFound:
        named = _form(request).get("Action") or request.headers.get("x-amz-target") or request.path
        code = "InvalidAction" if service.protocol in ("query", "ec2") else "UnknownOperationException"
        raise Fault(code, f"The service {service.name} has no operation '{named}'") from None
    parser = PROTOCOL_PARSERS[service.protocol](operation)
    try:
        parameters: dict[str, Any] = parser.parse(
            {
                "method": seen.method,
                "values": seen.values,
                "headers": seen.headers,
                "body": seen.data,
                "url_path": seen.path,
                "url_params": in_path,
            }
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Fault("SerializationException", f"The request cannot be read: {error}") from error
    return Call(service, region, operation, parameters)


def unsigned_action(request: wire.Request) -> str:
    """Return the action that an unsigned request of the query protocol names, or ''."""
    return _form(request).get("Action", "")


def _protocol(request: wire.Request, model: ServiceModel) -> str:
    try:
        return determine_request_protocol(model, request.headers.get("content-type"))
    except NotImplementedError:
        return str(model.protocol)  # the answer is then at least a refusal that the client can read


def _form(request: wire.Request) -> dict[str, str]:
    text = request.query
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        text += "&" + request.body.decode(errors="replace")
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}


def _moto_request(request: wire.Request) -> Request:
    seen = Request(wire.environment(request))
    seen.get_data(parse_form_data=False)  # the body first: reading the form would use it up
    return seen
