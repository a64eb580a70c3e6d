import pytest
from standin.cloudformation import source
from standin.cloudformation.fault import Fault


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !Ref Vpc", {"Ref": "Vpc"}),
        ("a: !Condition Big", {"Condition": "Big"}),
        ("a: !GetAtt Db.Endpoint.Address", {"Fn::GetAtt": ["Db", "Endpoint.Address"]}),
        ("a: !GetAtt [Db, Endpoint.Address]", {"Fn::GetAtt": ["Db", "Endpoint.Address"]}),
        ("a: !Sub '${A}-x'", {"Fn::Sub": "${A}-x"}),
        ("a: !Sub ['${B}', {B: !Ref C}]", {"Fn::Sub": ["${B}", {"B": {"Ref": "C"}}]}),
        (
            "a: !If [Big, !Ref A, !Ref 'AWS::NoValue']",
            {"Fn::If": ["Big", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]},
        ),
        ("a: !Join ['', [x, !Ref A]]", {"Fn::Join": ["", ["x", {"Ref": "A"}]]}),
        ("a: !Cidr {x: 1}", {"Fn::Cidr": {"x": 1}}),
        ("a: 2012-10-17", "2012-10-17"),
        ("a: true", True),
    ],
)
def test_yaml(text: str, expected: object) -> None:
    assert source.parse(text) == {"a": expected}


def test_json_is_read_as_json() -> None:
    assert source.parse('{"a":\t{"Ref": "B"}}') == {"a": {"Ref": "B"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "Template format error: YAML not well-formed. (line 1, column 6)"),
        ("a: 1\nb: 2\na: 3", "Template format error: YAML not well-formed. (line 3, column 1: key a twice)"),
        ("a: &x 1\nb: *x", "Template error: YAML aliases are not allowed in CloudFormation templates"),
        ("a: !Reff B", "Template format error: YAML not well-formed. (unknown tag !Reff)"),
        ('{"a": }', "Template format error: JSON not well-formed. (line 1, column 7)"),
        ("just text", "Template format error: unsupported structure."),
    ],
)
def test_what_is_no_template(text: str, message: str) -> None:
    with pytest.raises(Fault) as raised:
        source.parse(text)
    assert (raised.value.code, raised.value.message) == ("ValidationError", message)
