"""Laws that hold for every policy and request."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.iam import Policy, Request, decide, parse
from tests.unit.policies.iam.documents import statement

ACTIONS = ("s3:GetObject", "s3:PutObject", "S3:getobject", "ecr:PutImage")
RESOURCES = ("arn:aws:s3:::a", "arn:aws:s3:::a/b", "arn:aws:ecr:eu-west-1:123456789012:repository/a")
KEYS = ("aws:a", "aws:b")
VALUES = ("x", "y", "xy", "")
LAW = settings(max_examples=60, deadline=None, database=None)

actions = st.sampled_from(("*", "s3:*", "s3:Get*", "s3:PutObject", "ecr:Put?mage", "ec2:*"))
resources = st.sampled_from(
    ("*", "arn:aws:s3:::*", "arn:aws:s3:::a", "arn:aws:s3:::a/${aws:a}", "arn:aws:ecr:*")
)
operators = st.sampled_from(
    ("StringEquals", "StringNotEquals", "StringLike", "StringNotLikeIfExists", "ForAllValues:StringLike",
     "ForAnyValue:StringNotEquals", "StringEqualsIfExists")
)  # fmt: skip
wanted = st.lists(st.sampled_from(("x", "x*", "y", "${aws:b}", "")), min_size=1, max_size=2)
conditions = st.dictionaries(
    operators, st.dictionaries(st.sampled_from(KEYS), wanted, min_size=1), max_size=2
)


@st.composite
def bodies(draw: st.DrawFn, effect: str | None = None) -> dict[str, Any]:
    several = st.lists(actions, min_size=1, max_size=3)
    return statement(
        effect or draw(st.sampled_from(("Allow", "Allow", "Deny"))),
        **{draw(st.sampled_from(("Action", "Action", "NotAction"))): draw(several)},
        **{draw(st.sampled_from(("Resource", "Resource", "NotResource"))): draw(resources)},
        Condition=draw(conditions),
    )


requests = st.builds(
    Request,
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    st.dictionaries(
        st.sampled_from(KEYS),
        st.lists(st.sampled_from(VALUES), min_size=1, max_size=2).map(tuple),
        max_size=2,
    ),
)


def read(*written: dict[str, Any]) -> Policy:
    return parse({"Version": "2012-10-17", "Statement": list(written)})


@given(st.lists(bodies(), min_size=1, max_size=3), bodies("Deny"), requests)
@LAW
def test_another_deny_never_grants(
    written: list[dict[str, Any]], deny: dict[str, Any], request: Request
) -> None:
    before = decide(request, identity=[read(*written)])
    after = decide(request, identity=[read(*written, deny)])
    assert before.allowed or not after.allowed
    assert before.effect != "Deny" or after.effect == "Deny"


@given(st.lists(bodies(), min_size=1, max_size=3), bodies("Allow"), requests)
@LAW
def test_another_allow_never_takes_away(
    written: list[dict[str, Any]], allow: dict[str, Any], request: Request
) -> None:
    before = decide(request, identity=[read(*written)])
    after = decide(request, identity=[read(*written, allow)])
    assert after.allowed or not before.allowed
    assert (before.effect == "Deny") == (after.effect == "Deny")


@given(st.lists(bodies(), min_size=1, max_size=3), bodies(), requests)
@LAW
def test_a_statement_of_another_action_changes_nothing(
    written: list[dict[str, Any]], body: dict[str, Any], request: Request
) -> None:
    other = {name: value for name, value in body.items() if name != "NotAction"} | {"Action": "route53:*"}
    before = decide(request, identity=[read(*written)])
    after = decide(request, identity=[read(*written, other)])
    assert (before.effect, before.why) == (after.effect, after.why)


@given(st.lists(bodies(), min_size=2, max_size=5), requests, st.randoms(use_true_random=False))
@LAW
def test_order_does_not_matter(written: list[dict[str, Any]], request: Request, order: random.Random) -> None:
    shuffled = list(written)
    order.shuffle(shuffled)
    assert (
        decide(request, identity=[read(*written)]).effect
        == decide(request, identity=[read(*shuffled)]).effect
    )


@given(st.lists(bodies(), min_size=2, max_size=5), requests)
@LAW
def test_one_policy_is_the_same_as_many(written: list[dict[str, Any]], request: Request) -> None:
    together = decide(request, identity=[read(*written)])
    apart = decide(request, identity=[read(body) for body in written])
    assert together.effect == apart.effect


@given(bodies("Allow"), requests)
@LAW
def test_an_allow_and_its_deny_cover_the_same(body: dict[str, Any], request: Request) -> None:
    allowed = decide(request, identity=[read(body)]).allowed
    everything = statement()
    denied = decide(request, identity=[read(everything, {**body, "Effect": "Deny"})])
    assert (denied.effect == "Deny") == allowed


@given(bodies("Allow"), requests)
@LAW
def test_each_element_and_its_not_divide_the_requests(body: dict[str, Any], request: Request) -> None:
    body = {**body, "Condition": {}}
    for element in ("Action", "Resource"):
        plain = f"Not{element}" if f"Not{element}" in body else element
        inverse = element if plain.startswith("Not") else f"Not{element}"
        rest = {name: value for name, value in body.items() if name != plain}
        other = "Resource" if element == "Action" else "Action"
        rest = {name: value for name, value in rest.items() if other not in name} | {other: "*"}
        one = decide(request, identity=[read({**rest, plain: body[plain]})]).allowed
        two = decide(request, identity=[read({**rest, inverse: body[plain]})]).allowed
        assert one != two


@given(st.lists(bodies(), min_size=1, max_size=3), st.lists(bodies(), min_size=1, max_size=3), requests)
@LAW
def test_a_boundary_and_a_session_only_take_away(
    written: list[dict[str, Any]], limit: list[dict[str, Any]], request: Request
) -> None:
    own, limits = read(*written), read(*limit)
    both = decide(request, identity=[own]).allowed and decide(request, identity=[limits]).allowed
    assert decide(request, identity=[own], boundary=[limits]).allowed == both
    assert decide(request, identity=[own], session=[limits]).allowed == both


@given(bodies(), requests)
@LAW
def test_a_string_is_a_list_of_one(body: dict[str, Any], request: Request) -> None:
    listed = {
        name: value if isinstance(value, dict | list) or name == "Effect" else [value]
        for name, value in body.items()
    }
    assert decide(request, identity=[read(body)]).effect == decide(request, identity=[read(listed)]).effect


@given(st.lists(bodies(), min_size=1, max_size=3), requests)
@LAW
def test_the_case_of_actions_and_keys_does_not_matter(
    written: list[dict[str, Any]], request: Request
) -> None:
    changed = Request(
        request.action.swapcase(),
        request.resource,
        {key.swapcase(): value for key, value in request.context.items()},
    )
    given_policy = [read(*written)]
    assert decide(request, identity=given_policy).effect == decide(changed, identity=given_policy).effect
