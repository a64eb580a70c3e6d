from typing import Any

import pytest
from standin.cloudformation import parameters
from standin.cloudformation.fault import Fault


def settle(fields: dict[str, Any], value: str | None, previous: str | None = None) -> Any:
    declared = {"P": parameters.declare("P", fields)}
    given: list[dict[str, Any]] = [] if value is None else [{"ParameterKey": "P", "ParameterValue": value}]
    if previous is not None:
        given = [{"ParameterKey": "P", "UsePreviousValue": True}]
    values = parameters.settle(declared, given, {"P": previous} if previous is not None else {})
    return declared["P"].ref(values["P"])


@pytest.mark.parametrize(
    ("fields", "value", "expected"),
    [
        ({"Type": "String"}, "a", "a"),
        ({"Type": "String", "Default": 5}, None, "5"),
        ({"Type": "Number", "MinValue": 1, "MaxValue": 3}, "3", "3"),
        ({"Type": "CommaDelimitedList"}, "a, b,c", ["a", "b", "c"]),
        ({"Type": "CommaDelimitedList"}, "", []),
        ({"Type": "List<AWS::EC2::Subnet::Id>"}, "subnet-1,subnet-2", ["subnet-1", "subnet-2"]),
        ({"Type": "CommaDelimitedList", "AllowedPattern": r"\w+"}, "ab,cd", ["ab", "cd"]),
        ({"Type": "String", "AllowedValues": [True, "x"]}, "true", "true"),
    ],
)
def test_accepted(fields: dict[str, Any], value: str | None, expected: Any) -> None:
    assert settle(fields, value) == expected


def test_previous_value() -> None:
    assert settle({"Type": "String"}, None, previous="old") == "old"


@pytest.mark.parametrize(
    ("fields", "value", "message"),
    [
        ({"Type": "String"}, None, "Parameters: [P] must have values"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "ab1", "Parameter 'P' must match pattern [a-z]+"),
        ({"Type": "CommaDelimitedList", "AllowedPattern": "[a-z]+"}, "ab,1", "Parameter 'P' must match pattern [a-z]+"),
        ({"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "letters"}, "1", "Parameter P failed to satisfy constraint: letters"),
        ({"Type": "String", "MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
        ({"Type": "String", "MaxLength": "3"}, "abcd", "Parameter 'P' must contain at most 3 characters"),
        ({"Type": "Number"}, "1x", "Parameter 'P' must be a number"),
        ({"Type": "Number", "MinValue": 2}, "1.5", "Parameter 'P' must be a number not less than 2"),
        ({"Type": "Number", "MaxValue": "2"}, "3", "Parameter 'P' must be a number not greater than 2"),
        ({"Type": "Strin"}, "x", "Template format error: Unrecognized parameter type: Strin"),
        ({"Type": "AWS::SSM::Parameter::Value<String>"}, "x", "Template format error: Unrecognized parameter type: AWS::SSM::Parameter::Value<String>"),
        ({"Type": "String", "Pattern": "x"}, "x", "Invalid template parameter property 'Pattern'"),
        ({"Default": "x"}, None, "Template format error: Every Parameters object must contain a Type member."),
    ],
)  # fmt: skip
def test_refused(fields: dict[str, Any], value: str | None, message: str) -> None:
    with pytest.raises(Fault) as raised:
        settle(fields, value)
    assert (raised.value.code, raised.value.message) == ("ValidationError", message)


def test_unknown_parameter() -> None:
    with pytest.raises(Fault, match=r"Parameters: \[Q\] do not exist in the template"):
        parameters.settle({}, [{"ParameterKey": "Q", "ParameterValue": "x"}], {})


def test_previous_value_of_a_new_parameter() -> None:
    declared = {"P": parameters.declare("P", {"Type": "String"})}
    with pytest.raises(Fault, match="Cannot specify usePreviousValue as true"):
        parameters.settle(declared, [{"ParameterKey": "P", "UsePreviousValue": True}], {})
