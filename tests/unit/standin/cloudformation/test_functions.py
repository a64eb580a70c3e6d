from typing import Any

import pytest
from standin.cloudformation.fault import Fault
from standin.cloudformation.functions import NO_VALUE, Resolver, Unknown, references

RESOURCES = {
    ("Vpc", None): "vpc-1",
    ("Db", "Endpoint.Address"): "db.example",
    ("Zone", "NameServers"): ["a", "b"],
}


def resolver(**conditions: Any) -> Resolver:
    return Resolver(
        names={"Size": "3", "List": ["x", "y"], "AWS::Region": "ap-northeast-1", "AWS::StackName": "s"},
        mappings={"Zones": {"ap-northeast-1": {"names": ["a", "c"]}}},
        conditions=conditions,
        lookup=lambda name, attribute: RESOURCES.get((name, attribute), Unknown(name, attribute)),
        zones=lambda: ["ap-northeast-1a", "ap-northeast-1c"],
    )


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"Ref": "Size"}, "3"),
        ({"Ref": "List"}, ["x", "y"]),
        ({"Ref": "Vpc"}, "vpc-1"),
        ({"Ref": "AWS::NoValue"}, NO_VALUE),
        ({"Fn::GetAtt": ["Db", "Endpoint.Address"]}, "db.example"),
        ({"Fn::GetAtt": "Db.Endpoint.Address"}, "db.example"),
        ({"Fn::Sub": "${AWS::Region}/${Vpc}/${Db.Endpoint.Address}/${!Literal}/${Size}"}, "ap-northeast-1/vpc-1/db.example/${Literal}/3"),
        ({"Fn::Sub": ["${Own}-${Vpc}", {"Own": {"Ref": "Size"}}]}, "3-vpc-1"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Vpc"}, 1, True]]}, "a-vpc-1-1-true"),
        ({"Fn::Join": [",", {"Fn::GetAtt": ["Zone", "NameServers"]}]}, "a,b"),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "y"),
        ({"Fn::Split": [".", {"Fn::GetAtt": ["Db", "Endpoint.Address"]}]}, ["db", "example"]),
        ({"Fn::FindInMap": ["Zones", {"Ref": "AWS::Region"}, "names"]}, ["a", "c"]),
        ({"Fn::GetAZs": ""}, ["ap-northeast-1a", "ap-northeast-1c"]),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Base64": "text"}, "dGV4dA=="),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        ({"Condition": {"StringEquals": {"Ref": "Size"}}}, {"Condition": {"StringEquals": "3"}}),
    ],
)  # fmt: skip
def test_values(node: Any, expected: Any) -> None:
    assert resolver().value(node) == expected


EQUAL, UNEQUAL = {"Fn::Equals": [{"Ref": "Size"}, 3]}, {"Fn::Equals": [{"Ref": "Size"}, "4"]}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (EQUAL, True),
        (UNEQUAL, False),
        ({"Fn::Not": [EQUAL]}, False),
        ({"Fn::And": [EQUAL, EQUAL]}, True),
        ({"Fn::And": [EQUAL, UNEQUAL]}, False),
        ({"Fn::Or": [UNEQUAL, EQUAL]}, True),
        ({"Fn::Or": [UNEQUAL, UNEQUAL]}, False),
        ({"Condition": "Other"}, True),
    ],
)
def test_conditions(condition: Any, expected: bool) -> None:
    found = resolver(Asked=condition, Other=EQUAL)
    assert found.holds("Asked") is expected
    assert found.value({"Fn::If": ["Asked", "yes", "no"]}) == ("yes" if expected else "no")


@pytest.mark.parametrize(
    "node",
    [
        {"Ref": "New"},
        {"Fn::GetAtt": ["New", "Arn"]},
        {"Fn::Sub": "x-${New.Arn}"},
        {"Fn::Join": ["", ["x", {"Ref": "New"}]]},
        {"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "New"}]}]},
        {"Fn::Base64": {"Ref": "New"}},
    ],
)
def test_what_is_not_known_yet_makes_the_whole_unknown(node: Any) -> None:
    assert isinstance(resolver().value(node), Unknown)


def test_unknown_equals_nothing() -> None:
    assert Unknown("A") != Unknown("A")
    assert {"a": [Unknown("A")]} != {"a": [Unknown("A")]}


def test_references() -> None:
    node = {
        "a": {"Ref": "P"},
        "b": [{"Fn::GetAtt": ["R", "X.Y"]}, {"Fn::Sub": ["${V} ${Q.Z} ${S}", {"V": {"Ref": "W"}}]}],
    }
    assert set(references(node)) == {("P", None), ("R", "X.Y"), ("Q", "Z"), ("S", None), ("W", None)}


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"Fn::Select": [5, ["a"]]}, "Template error: Fn::Select cannot select nonexistent value at index 5"),
        ({"Fn::FindInMap": ["Zones", "us-east-1", "names"]}, "Template error: Unable to get mapping for Zones::us-east-1::names"),
        ({"Fn::FindInMap": ["Nope", "a", "b"]}, "Template error: Mapping named 'Nope' is not present in the 'Mappings' section of template."),
        ({"Fn::GetAtt": ["Db"]}, "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute"),
        ({"Fn::ImportValue": "x"}, "Template error: Fn::ImportValue is not supported by Slipway's stand-in"),
        ({"Fn::If": ["Nope", 1, 2]}, "Template format error: Unresolved condition dependency Nope"),
        ({"Fn::Cidr": ["10.0.0.0/24", 3, 7]}, "Template error: Fn::Cidr cannot cut 3 blocks of 25 bits out of 10.0.0.0/24"),
    ],
)  # fmt: skip
def test_refusals(node: Any, message: str) -> None:
    with pytest.raises(Fault) as raised:
        resolver().value(node)
    assert raised.value.message == message
