import pytest

from infra import template

TEXT = """
Conditions:
  Two: !Equals [!Ref Count, "2"]
  Both: !And [!Condition Two, !Not [!Equals [!Ref Name, ""]]]
  Any: !Or [!Condition Two, !Equals [!Ref Name, x]]
Resources:
  A: {Type: T::A}
  B: {Type: T::B, Condition: Two}
  C: {Type: T::C, Condition: Both}
  D: {Type: T::D, Condition: Any}
"""


@pytest.mark.parametrize(
    ("count", "name", "made"), [("1", "", "A"), ("2", "", "ABD"), ("2", "n", "ABCD"), ("1", "x", "AD")]
)
def test_conditions_decide_what_is_made(count: str, name: str, made: str) -> None:
    assert "".join(template.resources(template.parse(TEXT), {"Count": count, "Name": name})) == made


def test_references_are_found_in_every_form() -> None:
    data = template.parse("""
    a: !Ref One
    b: !GetAtt Two.Arn.More
    c: !Sub "x-${Three}-${Four.Arn}-${AWS::Region}"
    d: !Sub ["${Five}", {Five: !Ref Six}]
    e: [!If [Condition, !Ref Seven, {"Fn::GetAtt": Eight.Arn}]]
    """)
    assert list(template.references(data)) == ["One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight"]
