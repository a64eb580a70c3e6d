"""CloudFormation's values, computed as AWS would."""

import pytest

from policies.model.template import Scope
from policies.yamltext import parse

TEMPLATE = """\
Parameters:
  Name: {Type: String}
  Size: {Type: Number, Default: 3}
  Flag: {Type: String}
Conditions:
  IsOn: !Equals [!Ref Flag, "true"]
  IsOff: !Not [!Condition IsOn]
  Both: !And [!Condition IsOn, !Equals [a, b]]
  Either: !Or [!Condition IsOn, !Equals [a, b]]
Resources:
  Repository: {Type: AWS::ECR::Repository, Properties: {RepositoryName: !Sub "x-${Name}"}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: s}}
  Cluster: {Type: AWS::EKS::Cluster, Properties: {Name: slipway-local}}
  Provider: {Type: AWS::IAM::OIDCProvider, Properties: {Url: !GetAtt Cluster.OpenIdConnectIssuerUrl}}
  Loop: {Type: AWS::ECR::Repository, Properties: {RepositoryName: !Ref Loop}}
Outputs:
  Arn: {Value: !GetAtt Repository.Arn}
"""
ACCOUNT, REGION = "123456789012", "ap-northeast-1"


@pytest.fixture
def scope() -> Scope:
    (document,), faults = parse("t.yaml", TEMPLATE)
    assert faults == ()
    return Scope(document.value, {"Name": "app", "Flag": "true"}, ACCOUNT, REGION)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"Ref": "Name"}, "app"),
        ({"Ref": "Size"}, 3),
        ({"Ref": "AWS::AccountId"}, ACCOUNT),
        ({"Ref": "AWS::NoValue"}, None),
        ({"Ref": "Repository"}, "x-app"),
        ({"Ref": "Secret"}, f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:s-AbCdEf"),
        ({"Fn::GetAtt": ["Repository", "Arn"]}, f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/x-app"),
        ({"Fn::Sub": "${Name}-${AWS::Region}-${!Name}-${Repository.Arn}"},
         f"app-{REGION}-${{Name}}-arn:aws:ecr:{REGION}:{ACCOUNT}:repository/x-app"),
        ({"Fn::Sub": ["${a}/${Name}", {"a": {"Ref": "Size"}}]}, "3/app"),
        ({"Fn::Join": [",", ["a", {"Ref": "Name"}]]}, "a,app"),
        ({"Fn::Select": [1, {"Fn::Split": ["//", "https://a"]}]}, "a"),
        ({"Fn::If": ["IsOn", "yes", "no"]}, "yes"),
        ({"Fn::If": ["IsOff", "yes", "no"]}, "no"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ([{"Ref": "Name"}, {"a": {"Ref": "Size"}}], ["app", {"a": 3}]),
    ],
)  # fmt: skip
def test_values(scope: Scope, value: object, found: object) -> None:
    assert scope.resolve(value) == found


def test_issuer_is_that_of_the_stand_in(scope: Scope) -> None:
    issuer = scope.resolve({"Fn::GetAtt": ["Cluster", "OpenIdConnectIssuerUrl"]})
    assert issuer == "https://oidc.eks.ap-northeast-1.amazonaws.com/id/F0CBAFE877A6663A7E64F0608633E906"
    assert scope.resolve({"Ref": "Provider"}) == (
        f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer.removeprefix('https://')}"
    )


def test_a_circle_ends(scope: Scope) -> None:
    assert scope.resolve({"Ref": "Loop"}) == "unknown-Loop.Ref"


def test_outputs(scope: Scope) -> None:
    assert scope.outputs() == {"Arn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/x-app"}
