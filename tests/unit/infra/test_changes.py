from typing import Any

from infra.changes import Row, rows


def change(action: str, logical: str, **more: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": logical, "ResourceType": "AWS::EC2::VPC", **more}


def detail(name: str, cause: str = "", recreation: str = "Never") -> dict[str, Any]:
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": "Static", **({"CausingEntity": cause} if cause else {})}


def only(found: tuple[Row, ...]) -> Row:
    (row,) = found
    return row


def test_what_is_added_needs_no_reason() -> None:
    row = only(rows("s", [change("Add", "Vpc")]))
    assert (row.action, row.why, row.destructive) == ("Add", "", False)


def test_a_replacement_names_the_property_and_what_moved_it() -> None:
    moved = change(
        "Modify", "Vpc", Replacement="True", PhysicalResourceId="vpc-1", Scope=["Properties"],
        Details=[detail("CidrBlock", "VpcCidr", "Always"), detail("CidrBlock", recreation="Always"), detail("Tags")],
    )  # fmt: skip
    row = only(rows("s", [moved]))
    assert (row.action, row.why) == ("Replace", "CidrBlock (recreates) <- VpcCidr; Tags")
    assert (row.destructive, row.physical, row.key) == (True, "vpc-1", ("s", "Vpc"))


def test_a_conditional_replacement_counts_as_one() -> None:
    row = only(rows("s", [change("Modify", "Vpc", Replacement="Conditional", Details=[detail("X")])]))
    assert (row.action, row.destructive) == ("May replace", True)


def test_what_cloudformation_calls_dynamic_may_replace_too() -> None:
    assert only(rows("s", [change("Dynamic", "Vpc")])).action == "May replace"


def test_a_removal_tells_what_is_kept() -> None:
    found = rows(
        "s", [change("Remove", "A", PolicyAction="Snapshot"), change("Remove", "B", PolicyAction="Delete")]
    )
    assert [row.why for row in found] == ["(a snapshot is kept)", ""]
    assert all(row.destructive for row in found)


def test_the_dangerous_come_first() -> None:
    found = rows("s", [
        change("Add", "E"), change("Modify", "D", Replacement="False"), change("Modify", "C", Replacement="Conditional"),
        change("Modify", "B", Replacement="True"), change("Remove", "A"),
    ])  # fmt: skip
    assert [row.resource for row in found] == ["A", "B", "C", "D", "E"]


def test_without_details_the_scope_is_the_reason() -> None:
    assert only(rows("s", [change("Modify", "A", Scope=["Tags"])])).why == "Tags"
