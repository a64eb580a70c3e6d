"""One environment's infrastructure: roles, repositories, secrets, zones and certificates of the templates."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infra.environment import CONCERNS, Environment, check
from infra.parameters import Refused, read
from infra.stacks import Output, catalogue
from infra.wiring import read as read_wiring
from policies.finding import Position
from policies.model.shape import dig, mapping, sequence, texts
from policies.model.template import Scope
from policies.sources import Sources
from policies.yamltext import Document

TEMPLATES = "infra/templates"
_ATTACHED = frozenset({"host", "port", "dbname", "engine", "dbInstanceIdentifier"})
"""Keys that a SecretTargetAttachment writes beside username and password."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template, with its properties computed."""

    concern: str
    name: str
    type: str
    properties: Mapping[str, Any]
    document: Document

    def at(self, *path: str | int) -> Position:
        """The place of a property."""
        return self.document.at("Resources", self.name, "Properties", *path)

    @property
    def here(self) -> Position:
        """The place of the resource."""
        return self.document.at("Resources", self.name)


@dataclass(frozen=True, slots=True)
class Role:
    """One IAM role: its documents as JSON objects, as AWS will see them."""

    resource: Resource
    name: str
    arn: str
    trust: Mapping[str, Any]
    policies: tuple[Mapping[str, Any], ...]
    managed: tuple[str, ...]

    @property
    def trust_at(self) -> Position:
        """The place of the trust policy."""
        return self.resource.at("AssumeRolePolicyDocument")

    @property
    def policies_at(self) -> Position:
        """The place of the permissions."""
        return self.resource.at("Policies")


class Infra:
    """The templates in one environment."""

    def __init__(self, sources: Sources, environment: str, wiring: Mapping[str, str]) -> None:
        self._sources = sources
        self._environment = environment
        self._wiring = wiring

    @cached_property
    def refused(self) -> tuple[Position, str] | None:
        """The first value of the parameters or wiring file that cannot stand."""
        if not self._parameters:
            return None
        for read_it, document, before in (
            (lambda value: read_wiring(self._environment, value), self._wired, ()),
            (lambda value: check(read(value), self._wiring.get("region", "")), self._parameters, ()),
        ):
            if document is None:
                continue
            try:
                read_it(document.value)
            except Refused as refused:
                path = (*before, *refused.key.replace("[", ".").replace("]", "").split("."))
                return document.at(*(int(part) if part.isdecimal() else part for part in path)), str(refused)
        return None

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource whose condition holds."""
        return tuple(self._resources())

    def of(self, kind: str) -> list[Resource]:
        """The resources of one type, as `AWS::IAM::Role`."""
        return [each for each in self.resources if each.type == kind]

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """Every role by name."""
        return {role.name: role for role in map(self._role, self.of("AWS::IAM::Role"))}

    @cached_property
    def repositories(self) -> Mapping[str, Resource]:
        """ECR repositories by name."""
        return {str(each.properties.get("RepositoryName")): each for each in self.of("AWS::ECR::Repository")}

    @cached_property
    def secrets(self) -> Mapping[str, Resource]:
        """Secrets Manager's secrets by name."""
        return {str(each.properties.get("Name")): each for each in self.of("AWS::SecretsManager::Secret")}

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """Names of the hosted zones."""
        return tuple(
            str(each.properties.get("Name")).rstrip(".") for each in self.of("AWS::Route53::HostedZone")
        )

    def shape(self, name: str) -> set[str] | None:
        """The keys of a secret's value; None where only its operator knows them."""
        secret = self.secrets.get(name)
        if secret is None:
            return None
        generated = mapping(secret.properties.get("GenerateSecretString"))
        text = secret.properties.get("SecretString") or generated.get("SecretStringTemplate")
        if text is None:
            return None
        keys = set(mapping(_json(text)))
        if "GenerateStringKey" in generated:
            keys.add(str(generated["GenerateStringKey"]))
        arn = self._scopes[secret.concern].resolve({"Ref": secret.name})
        attached = any(
            each.properties.get("SecretId") == arn
            for each in self.of("AWS::SecretsManager::SecretTargetAttachment")
        )
        return keys | _ATTACHED if attached else keys

    def arn(self, resource: Resource, attribute: str = "Arn") -> str:
        """An attribute of a resource, in AWS's form."""
        return str(self._scopes[resource.concern].resolve({"Fn::GetAtt": [resource.name, attribute]}))

    def reference(self, resource: Resource) -> str:
        """What `!Ref` gives for a resource."""
        return str(self._scopes[resource.concern].resolve({"Ref": resource.name}))

    @property
    def account(self) -> str:
        """The environment's AWS account."""
        return self._wiring.get("account", "000000000000")

    @property
    def region(self) -> str:
        """The environment's region."""
        return self._wiring.get("region", "us-east-1")

    @cached_property
    def issuer(self) -> str:
        """The cluster's OIDC issuer, without scheme."""
        for cluster in self.of("AWS::EKS::Cluster"):
            return self.arn(cluster, "OpenIdConnectIssuerUrl").removeprefix("https://")
        return "issuer.example"

    @property
    def _parameters(self) -> Document | None:
        return self._sources.document(f"infra/parameters/{self._environment}.yaml")

    @property
    def _wired(self) -> Document | None:
        return self._sources.document(f"gitops/wiring/{self._environment}/wiring.yaml")

    @cached_property
    def _documents(self) -> Mapping[str, Document]:
        found = {}
        for name in self._sources.under(TEMPLATES, ".yaml"):
            document = self._sources.document(name)
            if document is not None and isinstance(document.value, Mapping):
                found[name.removeprefix(f"{TEMPLATES}/").removesuffix(".yaml")] = document
        return found

    @cached_property
    def _inputs(self) -> Mapping[str, Mapping[str, str | Output]]:
        """Each stack's parameters; those of the wiring file by name where the files do not agree."""
        if self._parameters is not None and self._wired is not None and self.refused is None:
            parameters = check(read(self._parameters.value), self.region)
            wired = read_wiring(self._environment, self._wired.value)
            whole = Environment(wired, parameters, dict.fromkeys(CONCERNS, ""))
            return {stack.concern: stack.inputs for stack in catalogue(whole)}
        named = {key[:1].upper() + key[1:]: value for key, value in self._wiring.items()}
        return dict.fromkeys(self._documents, named)

    @cached_property
    def _scopes(self) -> Mapping[str, Scope]:
        scopes: dict[str, Scope] = {}
        order = [*(each for each in CONCERNS if each in self._documents), *self._documents]
        for concern in dict.fromkeys(order):
            inputs = {
                name: self._output(scopes, value) if isinstance(value, Output) else value
                for name, value in self._inputs.get(concern, {}).items()
            }
            body = self._documents[concern].value
            scopes[concern] = Scope(body, inputs, self.account, self.region)
        return scopes

    def _output(self, scopes: Mapping[str, Scope], output: Output) -> Any:
        scope = scopes.get(output.concern)
        return scope.outputs().get(output.name, output.placeholder) if scope else output.placeholder

    def _resources(self) -> Iterator[Resource]:
        for concern, scope in self._scopes.items():
            for name, body in scope.resources.items():
                if "Condition" not in body or scope.holds(str(body["Condition"])):
                    properties = mapping(scope.resolve(body.get("Properties") or {}))
                    yield Resource(concern, name, str(body.get("Type")), properties, self._documents[concern])

    def _role(self, resource: Resource) -> Role:
        properties = resource.properties
        name = str(properties.get("RoleName") or resource.name)
        policies = [_json(dig(each, "PolicyDocument")) for each in sequence(properties.get("Policies"))]
        return Role(
            resource, name, f"arn:aws:iam::{self.account}:role/{name}",
            mapping(_json(properties.get("AssumeRolePolicyDocument"))),
            tuple(mapping(each) for each in policies), tuple(texts(properties.get("ManagedPolicyArns"))),
        )  # fmt: skip


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return {}
