"""What a policy document may hold, and that each mistake is told with its position."""

from typing import Any

import pytest

from policies.iam import Malformed, parse
from policies.iam.document import Kind
from tests.unit.policies.iam.documents import statement

FEDERATED = {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}
WEB = "sts:AssumeRoleWithWebIdentity"


def document(*statements: Any, **top: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **top}


@pytest.mark.parametrize(
    "given",
    [
        {"Statement": statement()},
        {"Version": "2008-10-17", "Id": "x", "Statement": [statement()]},
        document(statement(Sid="A"), statement(Sid="B"), statement(Sid=""), statement(Sid="")),
        document(statement(Action=["s3:Get*", "S3:PutObject"], Resource=["*", "arn:aws:s3:::b/*"])),
        document(statement(NotAction="iam:*", NotResource="arn:aws:s3:::b")),
        document(statement(Action="*:*")),
        document(statement(Resource="arn:*:s3:::b")),
        document(statement(Resource="arn:aws:ec2:*")),
        document(statement(Resource=None, Principal="*")),
        document(statement(Principal={"AWS": ["123456789012", "arn:aws:iam::123456789012:root", "*"]})),
        document(statement("Deny", NotPrincipal={"AWS": "arn:aws:iam::123456789012:user/u"})),
        document(statement(Principal={"AWS": "AROA1234567890EXAMPLE"})),
        document(statement(Principal={"AWS": "arn:aws:sts::123456789012:assumed-role/r/s"})),
        document(statement(Principal={"CanonicalUser": "79a59df900b949e5", "Service": "s3.amazonaws.com"})),
        document(statement(Condition={})),
        document(statement(Condition={"Bool": {"aws:SecureTransport": True}})),
        document(statement(Condition={"NumericEquals": {"s3:max-keys": [10, 2.5, "3"]}})),
        document(statement(Condition={"StringEquals": {"aws:x": []}})),
    ],
)
def test_what_aws_accepts_is_read(given: dict[str, Any]) -> None:
    assert (
        len(parse(given).statements) == len(given["Statement"]) if isinstance(given["Statement"], list) else 1
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "document: an object is wanted, not list"),
        ({}, "Statement: is missing"),
        (document(), "Statement: is empty"),
        (document(Version="2012-10-18"), "Version: '2012-10-18' is neither '2012-10-17' nor '2008-10-17', as a string"),
        (document(statement(), Statements=[]), "Statements: unknown element (did you mean Statement?)"),
        (document(statement(), Id=1), "Id: a string is wanted, not int"),
        (document("x"), "Statement[0]: an object is wanted, not str"),
        ({"Statement": {"Effect": "Allow"}}, "Statement: needs Action or NotAction"),
        (document(statement(), statement(Effect=None)), "Statement[1].Effect: is missing"),
        (document(statement("allow")), "Statement[0].Effect: 'allow' is neither 'Allow' nor 'Deny'"),
        (document(statement(Actions="s3:*")), "Statement[0].Actions: unknown element (did you mean Action?)"),
        (document(statement(action="s3:*")), "Statement[0].action: unknown element (did you mean Action?)"),
        (document({**statement(), "NotAction": "s3:*"}), "Statement[0]: has both Action and NotAction"),
        (document({**statement(), "NotResource": "*"}), "Statement[0]: has both Resource and NotResource"),
        (document({**statement(), "Action": None}), "Statement[0].Action: is empty"),
        (document(statement(Action=[])), "Statement[0].Action: is empty"),
        (document(statement(Action=["s3:Get*", ""])), "Statement[0].Action[1]: is empty"),
        (document(statement(Action=[{"Ref": "A"}])), "Statement[0].Action[0]: a string is wanted, not dict"),
        (document(statement(Action="GetObject")), "Statement[0].Action: 'GetObject' is no action, as in secretsmanager:GetSecretValue, iam:Get* or *"),
        (document(statement(Action="s3:Get:Object")), "Statement[0].Action: 's3:Get:Object' is no action, as in secretsmanager:GetSecretValue, iam:Get* or *"),
        (document(statement(Action="s*:Get")), "Statement[0].Action: 's*:Get' is no action, as in secretsmanager:GetSecretValue, iam:Get* or *"),
        (document(statement(Action="${a:b}:Get")), "Statement[0].Action: '${a:b}:Get' is no action, as in secretsmanager:GetSecretValue, iam:Get* or *"),
        (document(statement(Resource="bucket")), "Statement[0].Resource: 'bucket' is neither '*' nor an ARN: arn:partition:service:region:account:resource"),
        (document(statement(Resource=["*", "arn:aws:s*:::b"])), "Statement[0].Resource[1]: 'arn:aws:s*:::b' is neither '*' nor an ARN: arn:partition:service:region:account:resource"),
        (document(statement(Resource="arn:aws:s3:${aws:x}::b")), "Statement[0].Resource: a variable may stand only after the fifth colon of an ARN"),
        (document(statement(Resource="arn:aws:s3:::b/${aws:x")), "Statement[0].Resource: a variable is not closed: '${' without '}'"),
        (document(statement(Resource="arn:aws:s3:::b/${x}")), "Statement[0].Resource: '${x}' is no variable: write ${aws:username} or ${aws:username, 'default'}"),
        (document(statement(Resource="arn:aws:s3:::b/${aws:x, y}")), "Statement[0].Resource: '${aws:x, y}' is no variable: write ${aws:username} or ${aws:username, 'default'}"),
        (document(statement(Resource=None)), "Statement[0]: needs Resource (of an identity policy) or Principal (of a resource policy)"),
        (document(statement(NotPrincipal="*")), "Statement[0].NotPrincipal: goes with Deny only; AWS does not support it with Allow"),
        (document(statement(Principal="123456789012")), """Statement[0].Principal: '123456789012' needs its type, as in {"AWS": "123456789012"}; only '*' stands alone"""),
        (document(statement(Principal={})), "Statement[0].Principal: names nobody"),
        (document(statement(Principal={"Aws": "*"})), "Statement[0].Principal.Aws: unknown element (did you mean AWS?)"),
        (document(statement(Principal={"AWS": "arn:aws:iam::123456789012:role/*"})), "Statement[0].Principal.AWS: a wildcard cannot stand for a part of a principal; only '*' alone, for everyone"),
        (document(statement(Principal={"AWS": ["*", "12345"]})), "Statement[0].Principal.AWS[1]: '12345' is no account, user, role or session"),
        (document(statement(Principal={"AWS": "arn:aws:iam::123456789012:group/g"})), "Statement[0].Principal.AWS: 'arn:aws:iam::123456789012:group/g' is no account, user, role or session"),
        (document(statement(Principal={"Service": "ec2"})), "Statement[0].Principal.Service: 'ec2' is no service, as in ec2.amazonaws.com"),
        (document(statement(Condition=[])), "Statement[0].Condition: an object is wanted, not list"),
        (document(statement(), statement(Condition={"StringEqualz": {"aws:x": "y"}})), "Statement[1].Condition.StringEqualz: unknown operator (did you mean StringEquals?)"),
        (document(statement(Condition={"stringequals": {"aws:x": "y"}})), "Statement[0].Condition.stringequals: unknown operator (did you mean StringEquals?)"),
        (document(statement(Condition={"ForAll:StringEquals": {"aws:x": "y"}})), "Statement[0].Condition.ForAll:StringEquals: unknown operator (did you mean StringEquals?)"),
        (document(statement(Condition={"Xy": {"aws:x": "y"}})), "Statement[0].Condition.Xy: unknown operator"),
        (document(statement(Condition={"StringEquals": "x"})), "Statement[0].Condition.StringEquals: an object is wanted, not str"),
        (document(statement(Condition={"StringEquals": {"sub": "y"}})), "Statement[0].Condition.StringEquals.sub: a condition key has a prefix, as in aws:SourceIp"),
        (document(statement(Condition={"StringEquals": {"aws:x": ["y", None]}})), "Statement[0].Condition.StringEquals.aws:x[1]: a string is wanted, not NoneType"),
        (document(statement(Condition={"StringLike": {"aws:x": "${"}})), "Statement[0].Condition.StringLike.aws:x: a variable is not closed: '${' without '}'"),
        (document(statement(Condition={"NumericEquals": {"aws:x": "ten"}})), "Statement[0].Condition.NumericEquals.aws:x: 'ten' is not a number"),
        (document(statement(Condition={"DateEquals": {"aws:x": "2026-13-01"}})), "Statement[0].Condition.DateEquals.aws:x: '2026-13-01' is not a date: 2026-11-25, 2026-11-25T16:05:00Z or seconds since 1970"),
        (document(statement(Condition={"DateEquals": {"aws:x": "25.11.2026"}})), "Statement[0].Condition.DateEquals.aws:x: '25.11.2026' is not a date: 2026-11-25, 2026-11-25T16:05:00Z or seconds since 1970"),
        (document(statement(Condition={"Bool": {"aws:x": "yes"}})), "Statement[0].Condition.Bool.aws:x: 'yes' is neither true nor false"),
        (document(statement(Condition={"Null": {"aws:x": "yes"}})), "Statement[0].Condition.Null.aws:x: 'yes' is neither true nor false"),
        (document(statement(Condition={"NullIfExists": {"aws:x": "true"}})), "Statement[0].Condition.NullIfExists: Null takes neither ForAllValues, ForAnyValue nor IfExists"),
        (document(statement(Condition={"ForAnyValue:Null": {"aws:x": "true"}})), "Statement[0].Condition.ForAnyValue:Null: Null takes neither ForAllValues, ForAnyValue nor IfExists"),
        (document(statement(Condition={"BinaryEquals": {"aws:x": "%"}})), "Statement[0].Condition.BinaryEquals.aws:x: '%' is not base64"),
        (document(statement(Condition={"IpAddress": {"aws:x": "10.0.0.0/33"}})), "Statement[0].Condition.IpAddress.aws:x: '10.0.0.0/33' is not an address or a network in CIDR notation"),
        (document(statement(Condition={"IpAddress": {"aws:x": "${aws:y}"}})), "Statement[0].Condition.IpAddress.aws:x: '${aws:y}' is not an address or a network in CIDR notation"),
        (document(statement(Condition={"ArnLike": {"aws:x": "arn:aws:s3"}})), "Statement[0].Condition.ArnLike.aws:x: 'arn:aws:s3' is no ARN: six parts, divided by colons"),
        (document(statement(Sid="A"), statement(Sid="A")), "Statement[1].Sid: 'A' is the Sid of Statement[0] too"),
        (document(statement(Sid=1)), "Statement[0].Sid: a string is wanted, not int"),
        (document({**statement(), 1: "x"}), "Statement[0]: the name 1 is no string"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_position(given: Any, message: str) -> None:
    with pytest.raises(Malformed) as raised:
        parse(given)
    assert str(raised.value) == message
    assert message == f"{raised.value.where}: {raised.value.why}"


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("identity", statement(Principal="*"), "Statement[0]: an identity policy names no Principal: it belongs to whom it is attached to"),
        ("resource", statement(), "Statement[0]: a resource policy needs Principal"),
        ("trust", statement(Action=WEB), "Statement[0]: a trust policy needs Principal"),
        ("trust", statement(Action=WEB, Principal=FEDERATED), "Statement[0]: a trust policy names no Resource: it is about its own role"),
        ("trust", statement("Deny", Action=WEB, Resource=None, NotPrincipal=FEDERATED), "Statement[0].NotPrincipal: is not allowed in a trust policy"),
        ("trust", statement(Action=[WEB, "s3:GetObject"], Resource=None, Principal=FEDERATED), "Statement[0]: a trust policy may specify only actions of sts, such as sts:AssumeRoleWithWebIdentity"),
        ("trust", statement(NotAction=WEB, Resource=None, Principal=FEDERATED), "Statement[0]: a trust policy may specify only actions of sts, such as sts:AssumeRoleWithWebIdentity"),
    ],
)  # fmt: skip
def test_each_kind_of_policy_refuses_what_belongs_to_another(
    kind: Kind, given: dict[str, Any], message: str
) -> None:
    parse(document(given))
    with pytest.raises(Malformed) as raised:
        parse(document(given), kind)
    assert str(raised.value) == message


def test_each_kind_of_policy_takes_its_own() -> None:
    parse(document(statement()), "identity")
    parse(document(statement(Principal="*"), statement(Resource=None, Principal="*")), "resource")
    parse(document(statement(Action=WEB, Resource=None, Principal=FEDERATED)), "trust")


def test_what_was_written_can_be_read_back() -> None:
    body = statement(Sid="Read", Action=["S3:Get*"], Condition={"StringLike": {"AWS:Username": "a*"}})
    read = parse(document(body)).statements[0]
    assert (read.where, read.sid, read.actions.texts) == ("Statement[0]", "Read", ("S3:Get*",))
    condition = read.conditions[0]
    assert (condition.operator, condition.key, condition.values) == ("StringLike", "aws:username", ("a*",))
    assert condition.where == "Statement[0].Condition.StringLike.AWS:Username"
