"""How identity, resource, boundary and session policies combine: AWS's tables, row by row."""

from typing import Any

import pytest

from policies.iam import Decision, Policy, Request, decide
from policies.iam.trust import role_session
from tests.unit.policies.iam.documents import SECRET, ask, policy, statement

ACCOUNT, OTHER = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/path/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/s"
USER = f"arn:aws:iam::{ACCOUNT}:user/u"
ALL = policy(statement())
NOTHING = policy(statement(Action="ec2:DescribeVpcs"))
DENY = policy(statement("Deny"))
TRUST = f"arn:aws:iam::{ACCOUNT}:role/target"


def to(principal: Any, effect: str = "Allow", **elements: Any) -> Policy:
    """Return a resource policy that names `principal`."""
    return policy(statement(effect, Resource=None, Principal=principal, **elements))


def read(principal: dict[str, tuple[str, ...]] | None = None, **layers: Any) -> Decision:
    given = role_session(ROLE, "s") if principal is None else principal
    return decide(Request("secretsmanager:GetSecretValue", SECRET, {}, given), **layers)


def test_a_session_goes_by_its_own_arn_and_its_roles() -> None:
    assert role_session(ROLE, "s") == {"AWS": (SESSION, ROLE)}
    assert role_session("arn:aws-cn:iam::1:role/r", "s")["AWS"][0] == "arn:aws-cn:sts::1:assumed-role/r/s"


@pytest.mark.parametrize("action", ["secretsmanager:GetSecretValue", "SecretsManager:getsecretvalue"])
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("*", True),
        ("*:*", True),
        ("secretsmanager:*", True),
        ("secretsmanager:GetSecretValue", True),
        ("SECRETSMANAGER:GETSECRETVALUE", True),
        ("secretsmanager:Get*Value", True),
        ("secretsmanager:GetSecretValu?", True),
        ("secretsmanager:GetSecretValue?", False),
        ("secretsmanager:Get", False),
        (["ec2:*", "secretsmanager:Get*"], True),
        ("ecr:*", False),
    ],
)
def test_actions(action: str, written: Any, expected: bool) -> None:
    assert ask(policy(statement(Action=written)), action).allowed == expected
    assert ask(policy(statement(NotAction=written)), action).allowed != expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("*", True),
        (SECRET, True),
        (SECRET.replace("database", "Database"), False),
        (f"{SECRET[:-6]}??????", True),
        (f"{SECRET[:-6]}?????", False),
        (f"{SECRET[:-6]}*", True),
        ("arn:aws:secretsmanager:*:*:secret:database-secrets-*", True),
        ("arn:aws:secretsmanager:*", True),
        ("arn:*:secretsmanager:ap-*-1:123456789012:secret:*", True),
        ("arn:aws:secretsmanager:ap-*-2:123456789012:secret:*", False),
        # Inside its segment, a star does not reach the account.
        ("arn:aws:secretsmanager:ap*456789012:secret:*", False),
        (["arn:aws:s3:::b", SECRET], True),
        (["arn:aws:s3:::b"], False),
    ],
)
def test_resources(written: Any, expected: bool) -> None:
    assert ask(policy(statement(Resource=written))).allowed == expected
    assert ask(policy(statement(NotResource=written))).allowed != expected


def test_nothing_allows_nothing() -> None:
    decision = read()
    assert (decision.allowed, decision.effect, decision.statement) == (False, "ImplicitDeny", None)
    assert decision.why == f"no identity policy allows secretsmanager:GetSecretValue on {SECRET}"


def test_the_statement_that_decided_is_told() -> None:
    given = policy(statement(Action="ec2:*"), statement(Sid="Read"))
    decision = read(identity=[NOTHING, given])
    assert (decision.effect, decision.statement) == ("Allow", given.statements[1])
    assert decision.why == f"identity[1].Statement[1] allows secretsmanager:GetSecretValue on {SECRET}"
    decision = read(identity=[given], session=[DENY])
    assert (decision.effect, decision.statement) == ("Deny", DENY.statements[0])
    assert decision.why == f"session[0].Statement[0] denies secretsmanager:GetSecretValue on {SECRET}"


@pytest.mark.parametrize("layer", ["identity", "resource", "boundary", "session"])
def test_a_deny_in_any_layer_wins(layer: str) -> None:
    layers: dict[str, Any] = {"identity": [ALL], "resource": [to("*")], "boundary": [ALL], "session": [ALL]}
    assert read(**layers).allowed
    deny = to("*", "Deny") if layer == "resource" else DENY
    assert read(**{**layers, layer: [*layers[layer], deny]}).effect == "Deny"
    elsewhere = to({"AWS": USER}, "Deny") if layer == "resource" else policy(statement("Deny", Action="s3:*"))
    assert read(**{**layers, layer: [*layers[layer], elsewhere]}).allowed


@pytest.mark.parametrize("boundary", [None, [ALL], [NOTHING], []], ids=["none", "all", "other", "empty"])
@pytest.mark.parametrize("session", [None, [ALL], [NOTHING], []], ids=["none", "all", "other", "empty"])
def test_boundary_and_session_limit_identity_policies(boundary: Any, session: Any) -> None:
    limited = boundary in ([NOTHING], []) or session in ([NOTHING], [])
    assert read(identity=[ALL], boundary=boundary, session=session).allowed != limited
    assert not read(identity=[NOTHING], boundary=boundary, session=session).allowed


@pytest.mark.parametrize(
    ("named", "caller", "alone", "limited"),
    [
        # Named directly: nothing of the caller's own limits it.
        ({"AWS": USER}, {"AWS": (USER,)}, True, True),
        ({"AWS": SESSION}, None, True, True),
        ("*", None, True, True),
        ({"AWS": "*"}, None, True, True),
        # The role: its boundary and session policies still limit it.
        ({"AWS": ROLE}, None, True, False),
        # The account only delegates.
        ({"AWS": ACCOUNT}, None, False, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"AWS": (USER,)}, False, False),
        # Somebody else.
        ({"AWS": OTHER}, None, False, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/v"}, {"AWS": (USER,)}, False, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/U"}, {"AWS": (USER,)}, False, False),
        ({"Service": "ec2.amazonaws.com"}, None, False, False),
        ({"Federated": SESSION}, None, False, False),
    ],
)
def test_how_a_resource_policy_names_the_caller(named: Any, caller: Any, alone: bool, limited: bool) -> None:
    given = [to(named)]
    assert read(caller, resource=given).allowed == alone
    assert read(caller, resource=given, boundary=[NOTHING]).allowed == limited
    assert read(caller, resource=given, session=[NOTHING]).allowed == limited
    # With its own permission any caller of the account gets in, named or not.
    assert read(caller, resource=given, identity=[ALL]).allowed


def test_the_most_direct_of_several_grants_counts() -> None:
    given = [to({"AWS": ACCOUNT}), to({"AWS": ROLE}), to({"AWS": SESSION})]
    assert read(resource=given, boundary=[NOTHING]).allowed
    assert read(resource=given[:2]).allowed
    assert not read(resource=given[:2], boundary=[NOTHING]).allowed
    assert not read(resource=given[:1]).allowed


@pytest.mark.parametrize("named", ["*", {"AWS": ACCOUNT}, {"AWS": ROLE}, {"AWS": SESSION}])
def test_across_accounts_both_sides_must_allow(named: Any) -> None:
    secret = SECRET.replace(ACCOUNT, OTHER)

    def across(**layers: Any) -> bool:
        return decide(
            Request("secretsmanager:GetSecretValue", secret, {}, role_session(ROLE, "s")), **layers
        ).allowed

    assert across(identity=[ALL], resource=[to(named)])
    assert not across(identity=[ALL])
    assert not across(resource=[to(named)])
    assert not across(identity=[ALL], resource=[to({"AWS": USER})])
    assert not across(identity=[ALL], resource=[to(named)], boundary=[NOTHING])
    assert not across(identity=[ALL], resource=[to(named)], session=[])


def test_a_caller_of_unknown_account_is_not_taken_for_one_of_ours() -> None:
    unknown: dict[str, tuple[str, ...]] = {"AWS": ("AROA1234567890EXAMPLE",)}
    assert not read(unknown, identity=[ALL]).allowed
    assert read(unknown, identity=[ALL], resource=[to("*")]).allowed


def test_a_resource_without_account_crosses_nothing() -> None:
    for resource in ("*", "arn:aws:s3:::bucket", "arn:aws:iam::aws:policy/ReadOnlyAccess"):
        assert decide(Request("s3:GetObject", resource, {}, role_session(ROLE, "s")), identity=[ALL]).allowed


@pytest.mark.parametrize("action", ["sts:AssumeRole", "STS:assumerole", "sts:TagSession", "kms:Decrypt"])
def test_trust_and_key_policies_must_allow_themselves(action: str) -> None:
    def assume(**layers: Any) -> bool:
        return decide(Request(action, TRUST, {}, role_session(ROLE, "s")), **layers).allowed

    assert not assume(identity=[ALL], resource=[to({"AWS": USER})])
    assert assume(identity=[ALL], resource=[to({"AWS": ACCOUNT})])
    assert not assume(identity=[NOTHING], resource=[to({"AWS": ACCOUNT})])
    assert assume(resource=[to({"AWS": ROLE})])
    # A static question about one role's own policies brings no resource policy along.
    assert decide(Request(action, TRUST, {}), identity=[ALL]).allowed


@pytest.mark.parametrize(
    ("named", "caller", "expected"),
    [
        ({"Federated": "arn:f"}, {"Federated": ("arn:f",)}, True),
        ({"Federated": ["arn:e", "arn:f"]}, {"Federated": ("arn:f",)}, True),
        ({"Federated": "arn:f"}, {"Federated": ("arn:F",)}, False),
        ({"Federated": "*"}, {"Federated": ("arn:f",)}, True),
        ({"Federated": "*"}, {"Service": ("ec2.amazonaws.com",)}, False),
        ({"Federated": "*"}, {}, False),
        ({"Service": "ec2.amazonaws.com"}, {"Service": ("ec2.amazonaws.com",)}, True),
        ({"Service": "ec2.amazonaws.com"}, {"Service": ("ecs.amazonaws.com",)}, False),
        ({"CanonicalUser": "79a5"}, {"CanonicalUser": ("79a5",)}, True),
        ("*", {"Federated": ("arn:f",)}, True),
        ({"AWS": "*"}, {"Federated": ("arn:f",)}, True),
        ({"AWS": "*"}, {"Service": ("ec2.amazonaws.com",)}, True),
        ("*", {}, True),
        ({"AWS": "arn:aws:iam::123456789012:root"}, {"Federated": ("arn:aws:iam::123456789012:oidc-provider/x",)}, False),
    ],
)  # fmt: skip
def test_callers_that_are_no_identity_of_aws_need_the_resource_policy_only(
    named: Any, caller: dict[str, tuple[str, ...]], expected: bool
) -> None:
    request = Request("sts:AssumeRoleWithWebIdentity", TRUST, {}, caller)
    assert decide(request, resource=[to(named)]).allowed == expected


@pytest.mark.parametrize(
    ("spared", "caller", "denied"),
    [
        ([ROLE, SESSION, ACCOUNT], None, False),
        ([ROLE, SESSION, f"arn:aws:iam::{ACCOUNT}:root"], None, False),
        ([ROLE, SESSION], None, True),
        ([ROLE, ACCOUNT], None, True),
        ([ACCOUNT], None, True),
        ([USER, ACCOUNT], {"AWS": (USER,)}, False),
        ([USER], {"AWS": (USER,)}, True),
        (["*"], None, False),
        ([USER], {}, True),
        ([USER], {"Service": ("ec2.amazonaws.com",)}, True),
    ],
)
def test_not_principal_denies_all_whose_every_identity_is_not_named(
    spared: Any, caller: Any, denied: bool
) -> None:
    deny = policy(statement("Deny", Resource=None, NotPrincipal={"AWS": spared}))
    given = [to("*"), deny]
    assert (read(caller, resource=given).effect == "Deny") == denied


def test_not_principal_always_denies_a_caller_with_a_boundary() -> None:
    deny = policy(statement("Deny", Resource=None, NotPrincipal={"AWS": [USER, ACCOUNT]}))
    assert read({"AWS": (USER,)}, resource=[to("*"), deny]).allowed
    assert read({"AWS": (USER,)}, resource=[to("*"), deny], boundary=[ALL]).effect == "Deny"


def test_a_statement_in_the_wrong_kind_of_policy_never_allows_and_always_denies() -> None:
    anybody = policy(statement(Principal="*"))
    trust = to("*")
    assert not read(identity=[anybody]).allowed
    assert not read(identity=[trust]).allowed
    assert not read(resource=[ALL]).allowed
    assert read(identity=[ALL, policy(statement("Deny", Principal={"AWS": OTHER}))]).effect == "Deny"
    assert read(identity=[ALL, to("*", "Deny")]).effect == "Deny"
    assert read(identity=[ALL], resource=[DENY]).effect == "Deny"


def test_a_resource_policy_may_name_its_resource() -> None:
    named = {"AWS": ROLE}
    assert read(resource=[policy(statement(Principal=named, Resource=SECRET))]).allowed
    assert not read(resource=[policy(statement(Principal=named, Resource=f"{SECRET}x"))]).allowed


def test_an_implicit_deny_tells_what_came_nearest() -> None:
    given = policy(statement(Condition={"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}))
    assert ask(given).why.endswith(
        "identity[0].Statement[0] wants StringEquals aws:requestedregion 'eu-west-1', which is absent"
    )
    assert ask(given, aws__RequestedRegion=("us-east-1",)).why.endswith("which is 'us-east-1'")
    assert ask(given, aws__RequestedRegion=()).why.endswith("which is empty")
    request = Request("sts:AssumeRole", TRUST, {}, role_session(ROLE, "s"))
    decision = decide(request, identity=[ALL], resource=[to({"AWS": USER})])
    assert decision.why == (
        f"the resource's policies do not allow sts:AssumeRole on {TRUST}: resource[0].Statement[0] names another principal"
    )
    assert read(identity=[ALL], boundary=[]).why == (
        f"the boundary policies do not allow secretsmanager:GetSecretValue on {SECRET}"
    )


def test_a_bare_string_for_values_is_refused() -> None:
    with pytest.raises(TypeError, match="'aws:k'"):
        Request("s3:GetObject", "*", {"aws:k": "value"})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="'AWS'"):
        Request("s3:GetObject", "*", {}, {"AWS": "arn"})  # type: ignore[dict-item]


def test_context_keys_are_kept_in_lower_case() -> None:
    assert Request("s3:GetObject", "*", {"AWS:Username": ("U",)}).context == {"aws:username": ("U",)}
