"""Templates with their intrinsic functions resolved, as far as a test needs it: no engine, no AWS."""

import json
import re
from collections.abc import Mapping
from typing import Any

from infra import template
from infra.environment import Environment, load
from infra.stacks import Output, catalogue

ISSUER = "oidc.eks.ap-northeast-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"


class Stack:
    """One stack's resources with every value resolved; what AWS would make up has a telling form."""

    def __init__(self, environment: str | Environment, concern: str) -> None:
        loaded = load(environment) if isinstance(environment, str) else environment
        stack = next(stack for stack in catalogue(loaded) if stack.concern == concern)
        self.account, self.region = loaded.wiring.account, loaded.wiring.region
        self.data = template.parse(stack.template)
        self.values: dict[str, str] = {
            name: self._told(value) if isinstance(value, Output) else value
            for name, value in stack.inputs.items()
        } | {
            "AWS::AccountId": self.account, "AWS::Region": self.region, "AWS::Partition": "aws",
        }  # fmt: skip

    def properties(self, logical: str) -> Any:
        return self._resolve(self.data["Resources"][logical].get("Properties", {}))

    def of_type(self, kind: str) -> dict[str, Any]:
        return {
            name: self.properties(name)
            for name, resource in self.data["Resources"].items()
            if resource["Type"] == kind
        }

    def _told(self, output: Output) -> str:
        known = {
            "Issuer": ISSUER,
            "OidcProviderArn": f"arn:aws:iam::{self.account}:oidc-provider/{ISSUER}",
            "AppArn": f"arn:aws:ecr:{self.region}:{self.account}:repository/eks-app",
            "WebArn": f"arn:aws:ecr:{self.region}:{self.account}:repository/eks-web",
            "MigrationArn": f"arn:aws:ecr:{self.region}:{self.account}:repository/eks-migration",
            "HostedZoneId": "Z0123456789ABCDEFGHIJ",
            "SecretArn": f"arn:aws:secretsmanager:{self.region}:{self.account}:secret:database-secrets-a1B2c3",
            "ResourceId": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            "ClusterName": "slipway-production",
        }
        return known.get(output.name, f"{output.concern}-{output.name}")

    def _resolve(self, value: Any, extra: Mapping[str, str] | None = None) -> Any:
        if isinstance(value, list):
            return [self._resolve(item, extra) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, inner),) = value.items()
            if name == "Ref":
                return self._reference(inner)
            if name == "Fn::GetAtt":
                return f"{'.'.join(inner)} of {self.data['Resources'][inner[0]]['Type']}"
            if name == "Fn::Sub":
                text, names = (inner, {}) if isinstance(inner, str) else inner
                return self._text(text, {key: self._resolve(item) for key, item in names.items()})
            if name == "Fn::Select" and inner[1] == {
                "Fn::Split": ["//", {"Fn::GetAtt": ["Cluster", "OpenIdConnectIssuerUrl"]}]
            }:
                return ISSUER
            if name.startswith("Fn::"):
                return {name: self._resolve(inner, extra)}
        return {key: self._resolve(item, extra) for key, item in value.items()}

    def _reference(self, name: str) -> str:
        if name in self.values:
            return self.values[name]
        resource = self.data["Resources"][name]
        if resource["Type"] == "AWS::IAM::OIDCProvider":
            url = str(self._resolve(resource["Properties"]["Url"])).removeprefix("https://")
            return f"arn:aws:iam::{self.account}:oidc-provider/{ISSUER if ' of ' in url else url}"
        if resource["Type"] == "AWS::SecretsManager::Secret":
            secret = resource["Properties"]["Name"]
            return f"arn:aws:secretsmanager:{self.region}:{self.account}:secret:{secret}-a1B2c3"
        return f"ref-{name}"

    def _text(self, text: str, names: Mapping[str, str]) -> str:
        return re.sub(
            r"\$\{([\w:.]+)\}", lambda found: str(names.get(found[1]) or self._reference(found[1])), text
        )


def document(value: Any) -> Any:
    """A policy document: CloudFormation takes JSON text for an object."""
    return json.loads(value) if isinstance(value, str) else value
