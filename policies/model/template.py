"""A CloudFormation template's values, as they will be: parameters filled in, functions computed.

What only AWS knows is made up in AWS's form, so that ARNs can be compared. Pure.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from policies.model.shape import dig, mapping, sequence

_IN_TEXT = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """One template in one environment."""

    body: Mapping[str, Any]
    inputs: Mapping[str, Any]
    account: str
    region: str
    cache: dict[str, Any] = field(default_factory=dict)

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """Logical id to resource."""
        return {name: mapping(each) for name, each in mapping(self.body.get("Resources")).items()}

    def outputs(self) -> Mapping[str, Any]:
        """The template's outputs, computed."""
        return {
            name: self.resolve(dig(each, "Value")) for name, each in mapping(self.body.get("Outputs")).items()
        }

    def resolve(self, value: Any) -> Any:
        """Compute a value."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((name, inner),) = value.items()
            compute = _FUNCTIONS.get(name)
            if compute is not None:
                return compute(self, inner)
        return {key: self.resolve(item) for key, item in value.items()}

    def holds(self, test: Any) -> bool:
        """Whether a condition holds."""
        if isinstance(test, str):
            return self.holds(dig(self.body, "Conditions", test))
        ((name, inner),) = mapping(test).items() or (("", None),)
        if name == "Condition":
            return self.holds(str(inner))
        if name == "Fn::Equals":
            left, right = (str(self.resolve(side)) for side in sequence(inner))
            return left == right
        parts = [self.holds(part) for part in sequence(inner)]
        return {"Fn::Not": not all(parts), "Fn::And": all(parts), "Fn::Or": any(parts)}.get(name, True)

    def property(self, name: str, *path: str) -> Any:
        """A resource's property, computed."""
        return self.resolve(dig(self.resources.get(name), "Properties", *path))


def _ref(scope: Scope, name: Any) -> Any:
    pseudo = {
        "AWS::AccountId": scope.account, "AWS::Region": scope.region, "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "stack", "AWS::NoValue": None,
    }  # fmt: skip
    if name in pseudo:
        return pseudo[name]
    if name in scope.inputs:
        return scope.inputs[name]
    if name in mapping(scope.body.get("Parameters")):
        return dig(scope.body, "Parameters", name, "Default") or f"parameter-{name}"
    return _attribute(scope, str(name), "Ref")


def _get(scope: Scope, inner: Any) -> Any:
    name, attribute = inner if isinstance(inner, list) else str(inner).split(".", 1)
    return _attribute(scope, str(name), str(attribute))


def _sub(scope: Scope, inner: Any) -> Any:
    text, extra = (inner[0], mapping(inner[1])) if isinstance(inner, list) else (str(inner), {})

    def fill(found: re.Match[str]) -> str:
        literal, name = found.groups()
        if literal:
            return f"${{{name}}}"
        if name in extra:
            return str(scope.resolve(extra[name]))
        return str(_get(scope, name) if "." in name and "::" not in name else _ref(scope, name))

    return _IN_TEXT.sub(fill, str(text))


def _join(scope: Scope, inner: Any) -> Any:
    values = scope.resolve(inner[1])
    return str(inner[0]).join(map(str, values if isinstance(values, list) else [values]))


def _select(scope: Scope, inner: Any) -> Any:
    values, number = scope.resolve(inner[1]), int(inner[0])
    return values[number] if isinstance(values, list) and number < len(values) else f"selected-{number}"


def _split(scope: Scope, inner: Any) -> Any:
    return str(scope.resolve(inner[1])).split(str(inner[0]))


def _if(scope: Scope, inner: Any) -> Any:
    return scope.resolve(inner[1] if scope.holds(inner[0]) else inner[2])


_FUNCTIONS: Mapping[str, Callable[[Scope, Any], Any]] = {
    "Ref": _ref, "Fn::GetAtt": _get, "Fn::Sub": _sub, "Fn::Join": _join,
    "Fn::Select": _select, "Fn::Split": _split, "Fn::If": _if,
}  # fmt: skip


def _attribute(scope: Scope, name: str, attribute: str) -> Any:
    key = f"{name}.{attribute}"
    if key not in scope.cache:
        scope.cache[key] = f"unknown-{key}"  # a circle ends here
        scope.cache[key] = _made_up(scope, name, attribute)
    return scope.cache[key]


def _made_up(scope: Scope, name: str, attribute: str) -> Any:
    kind = str(dig(scope.resources.get(name), "Type"))
    shape = _SHAPES.get((kind, attribute))
    if shape is None:
        return f"{name}.{attribute}"
    text = shape
    for field_name in re.findall(r"<(\w+)>", shape):
        value = scope.property(name, field_name)
        text = text.replace(f"<{field_name}>", str(name if value is None else value))
    text = text.replace("{account}", scope.account).replace("{region}", scope.region)
    if "{issuer}" in text:
        text = text.replace("{issuer}", _issuer(scope, name))
    return text.replace("{host}", str(scope.property(name, "Url")).removeprefix("https://"))


def _issuer(scope: Scope, name: str) -> str:
    seed = f"{scope.account}/{scope.region}/{scope.property(name, 'Name')}"
    return hashlib.sha256(seed.encode()).hexdigest()[:32].upper()


_SHAPES: Mapping[tuple[str, str], str] = {
    ("AWS::ECR::Repository", "Ref"): "<RepositoryName>",
    ("AWS::ECR::Repository", "Arn"): "arn:aws:ecr:{region}:{account}:repository/<RepositoryName>",
    ("AWS::SecretsManager::Secret", "Ref"): "arn:aws:secretsmanager:{region}:{account}:secret:<Name>-AbCdEf",
    ("AWS::IAM::OIDCProvider", "Ref"): "arn:aws:iam::{account}:oidc-provider/{host}",
    ("AWS::IAM::OIDCProvider", "Arn"): "arn:aws:iam::{account}:oidc-provider/{host}",
    ("AWS::EKS::Cluster", "Ref"): "<Name>",
    ("AWS::EKS::Cluster", "OpenIdConnectIssuerUrl"): "https://oidc.eks.{region}.amazonaws.com/id/{issuer}",
    ("AWS::Route53::HostedZone", "Ref"): "ZSLIPWAY",
    ("AWS::IAM::Role", "Ref"): "<RoleName>",
    ("AWS::IAM::Role", "Arn"): "arn:aws:iam::{account}:role/<RoleName>",
    ("AWS::RDS::DBInstance", "DbiResourceId"): "db-SLIPWAY",
    ("AWS::CertificateManager::Certificate", "Ref"): "arn:aws:acm:{region}:{account}:certificate/slipway",
    (
        "AWS::Events::ApiDestination",
        "Arn",
    ): "arn:aws:events:{region}:{account}:api-destination/<Name>/slipway",
}
