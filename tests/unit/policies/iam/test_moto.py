"""The evaluator against moto's, on generated policies: equal where both are defined, explained where not.

moto's evaluator (moto.iam.access_control.IAMPolicy) is a sketch; its own docstring says so. Each of its limits
is named below by a *mending*: a rewriting of policy and request that keeps their meaning in AWS and
avoids the limit. Three things are required:

- without any of the limits in the policy, both evaluators agree;
- with all mendings applied, they agree on every policy, so that nothing else differs;
- each limit shows: at least one policy differs as written, and agrees once only that limit is mended.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from moto.iam.access_control import IAMPolicy, PermissionResult

from policies.iam import Request, decide, parse
from tests.unit.policies.iam.documents import ROLE, statement

EFFECTS = {
    PermissionResult.PERMITTED: "Allow",
    PermissionResult.DENIED: "Deny",
    PermissionResult.NEUTRAL: "ImplicitDeny",
}

ACTIONS = ("s3:GetObject", "s3:PutObject", "secretsmanager:GetSecretValue", "ecr:PutImage", "iam:PassRole")
RESOURCES = (
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::bucket/a.b/c",
    "arn:aws:s3:::bucket/axb/c",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-secrets-AbCdEf",
    "arn:aws:secretsmanager:eu-west-1:210987654321:secret:database-secrets-AbCdEf",
    "arn:aws:ecr:us-east-1:123456789012:repository/eks-app",
)
COMMON_ACTIONS = ("*", "s3:*", "s3:Get*", "secretsmanager:*Value", *ACTIONS)
COMMON_RESOURCES = (
    "*",
    "arn:aws:s3:::bucket",
    "arn:aws:s3:::bucket/*",
    "arn:aws:secretsmanager:*:123456789012:secret:database-secrets-*",
    "arn:aws:secretsmanager:*",
    "arn:aws:ecr:*:*:repository/eks-*",
    RESOURCES[3],
)
ODD_ACTIONS = ("S3:getobject", "s3:Get?bject", "ecr:putimage", "SecretsManager:*")
ODD_RESOURCES = (
    "arn:aws:s3:::bucket/a.b/*",
    "arn:aws:s3:::bucket/a?b/c",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-secrets-??????",
    # As a glob over the whole ARN this star would swallow colons.
    "arn:aws:secretsmanager:e*1:210987654321:secret:*",
    "arn:aws:secretsmanager:eu-w*2:secret:database-secrets-*",
    "arn:aws:secretsmanager:eu-*21:secret:database-secrets-*",
    "arn:aws:s3:::bucket/${aws:username}/c",
    "arn:aws:s3:::bucket/${aws:username, 'axb'}/*",
)
CONTEXTS: tuple[dict[str, str], ...] = (
    {},
    {"aws:username": "a.b"},
    {"aws:username": "axb", "sts:ExternalId": "1"},
    {"sts:ExternalId": "2"},
)
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"StringEquals": {"sts:ExternalId": "1"}},
    {"StringEquals": {"sts:ExternalId": ["1", "2"]}},
    {"StringNotEquals": {"sts:ExternalId": "1"}},
    {"StringLike": {"aws:username": "a*"}},
    {"Null": {"sts:ExternalId": "false"}},
)


class Case(NamedTuple):
    statements: list[dict[str, Any]]
    action: str
    resource: str
    context: dict[str, str]


def ours(case: Case) -> str:
    policy = parse({"Version": "2012-10-17", "Statement": case.statements})
    context = {key: (value,) for key, value in case.context.items()}
    return decide(Request(case.action, case.resource, context), identity=[policy]).effect


def motos(case: Case) -> str:
    document = json.dumps({"Version": "2012-10-17", "Statement": case.statements})
    try:
        return EFFECTS[
            IAMPolicy(document).is_action_permitted(case.action, case.resource, None, case.context)
        ]
    except re.error:
        # Two question marks in a row are no regular expression.
        return "failure"


def several(random: Random, values: tuple[str, ...]) -> str | list[str]:
    return random.choice(values) if random.random() < 0.5 else random.sample(values, random.randint(1, 3))


def common(random: Random) -> Case:
    """Draw a case that both evaluators understand."""
    written = [
        statement(
            random.choice(("Allow", "Allow", "Deny")),
            **{random.choice(("Action", "Action", "Action", "NotAction")): several(random, COMMON_ACTIONS)},
            Resource=several(random, COMMON_RESOURCES),
        )
        for _ in range(random.randint(1, 4))
    ]
    return Case(written, random.choice(ACTIONS), random.choice(RESOURCES), {})


def any_case(random: Random) -> Case:
    """Draw a case with everything that an identity policy may hold."""
    written = [
        statement(
            random.choice(("Allow", "Allow", "Deny")),
            **{
                random.choice(("Action", "Action", "NotAction")): several(
                    random, COMMON_ACTIONS + ODD_ACTIONS
                )
            },
            **{
                random.choice(("Resource", "Resource", "NotResource")): several(
                    random, COMMON_RESOURCES + ODD_RESOURCES
                )
            },
            Condition=random.choice(CONDITIONS) if random.random() < 0.3 else None,
        )
        for _ in range(random.randint(1, 3))
    ]
    return Case(
        written, random.choice((*ACTIONS, "s3:getobject")), random.choice(RESOURCES), random.choice(CONTEXTS)
    )


# The mendings. What is rewritten for moto may be no policy any more, but a regular expression: moto turns `*`
# into `.*` and leaves the rest to Python.


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def element(body: dict[str, Any], name: str) -> str:
    return name if name in body else f"Not{name}"


def case_of_actions(case: Case) -> Case:
    """moto compares actions with their case."""
    written = [
        {
            **body,
            element(body, "Action"): [action.lower() for action in listed(body[element(body, "Action")])],
        }
        for body in case.statements
    ]
    return case._replace(statements=written, action=case.action.lower())


def conditions(case: Case) -> Case:
    """moto knows StringEquals only, takes a missing key for a match, and turns a condition that fails into a Deny.

    Mended by leaving out statements whose condition does not hold, said here by hand for each of CONDITIONS.
    """
    external, user = case.context.get("sts:ExternalId"), case.context.get("aws:username", "")
    holds = (
        external == "1",
        external in ("1", "2"),
        external != "1",
        user.startswith("a"),
        external is not None,
    )
    kept = [
        body
        for body in case.statements
        if "Condition" not in body or holds[CONDITIONS.index(body["Condition"])]
    ]
    written = [{name: value for name, value in body.items() if name != "Condition"} for body in kept]
    return case._replace(statements=written)


def not_resource(case: Case) -> Case:
    """moto does not know NotResource: it permits, Deny included. Mended by a negative look-ahead."""
    written = []
    for body in case.statements:
        if "NotResource" in body:
            alternatives = "|".join(item.replace("*", ".{0,}") for item in listed(body["NotResource"]))
            rest = {name: value for name, value in body.items() if name != "NotResource"}
            body = {**rest, "Resource": f"(?!(?:{alternatives})$)*"}
        written.append(body)
    return case._replace(statements=written)


def variables(case: Case) -> Case:
    """moto leaves variables as they are."""
    user = case.context.get("aws:username")

    def fill(text: str) -> str:
        text = text.replace("${aws:username, 'axb'}", user or "axb")
        return text.replace("${aws:username}", user) if user else text.replace("${aws:username}", "no-value")

    return in_resources(case, fill)


def regular_expressions(case: Case) -> Case:
    """moto's patterns are regular expressions, in which `.` and `?` mean something else."""

    def escape(text: str) -> str:
        if "${" in text:
            return text
        return text.replace(".", "[.]").replace("?", ".")

    mended = in_resources(case, escape)
    written = [
        {**body, element(body, "Action"): [escape(item) for item in listed(body[element(body, "Action")])]}
        for body in mended.statements
    ]
    return mended._replace(statements=written)


def segments(case: Case) -> Case:
    """moto's star crosses the colons of an ARN from anywhere."""
    return in_resources(case, lambda text: re.sub(r"(?<=:)(e[a-z-]*)\*(?=[0-9])", r"\1[^:]{0,}", text))


def in_resources(case: Case, change: Callable[[str], str]) -> Case:
    written = [
        {
            **body,
            element(body, "Resource"): [change(item) for item in listed(body[element(body, "Resource")])],
        }
        for body in case.statements
    ]
    return case._replace(statements=written)


# In this order: variables bring in dots, which are escaped with the rest; NotResource wraps what the others wrote.
MENDINGS = (case_of_actions, conditions, variables, segments, regular_expressions, not_resource)


def mended(case: Case, *mendings: Callable[[Case], Case]) -> Case:
    for mend in mendings:
        case = mend(case)
    return case


def motos_mended(case: Case) -> str:
    if not case.statements:
        return "ImplicitDeny"
    return motos(case)


def cases(draw: Callable[[Random], Case], seed: str, count: int) -> Iterator[Case]:
    random = Random(seed)  # noqa: S311  (reproducible on purpose)
    return (draw(random) for _ in range(count))


def test_both_agree_where_both_are_defined() -> None:
    seen: Counter[str] = Counter()
    for case in cases(common, "common", 600):
        assert ours(case) == motos(case), case
        seen[ours(case)] += 1
    # The cases are worth something only if every verdict is among them, and often.
    assert min(seen[effect] for effect in ("Allow", "Deny", "ImplicitDeny")) >= 60, seen


def test_nothing_differs_but_motos_known_limits() -> None:
    differing = 0
    for case in cases(any_case, "any", 1200):
        assert motos_mended(mended(case, *MENDINGS)) == ours(case), case
        differing += motos(case) != ours(case)
    assert differing >= 300


def test_each_limit_shows_and_goes_away_when_it_alone_is_mended() -> None:
    shown: Counter[str] = Counter()
    for case in cases(any_case, "limits", 500):
        if motos(case) != ours(case):
            for mend in MENDINGS:
                shown[mend.__name__] += motos_mended(mend(case)) == ours(case)
    assert {name for name, count in shown.items() if count} == {mend.__name__ for mend in MENDINGS}, shown


def trust(
    principal: Any, effect: str = "Allow", condition: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    return [
        statement(effect, Action="sts:AssumeRole", Resource=None, Principal=principal, Condition=condition)
    ]


USER = "arn:aws:iam::123456789012:user/u"
OTHER_USER = "arn:aws:iam::123456789012:user/v"
EXTERNAL = {"StringEquals": {"sts:ExternalId": "1"}}
MOTO_IS_WRONG = {
    "a Deny in a trust policy permits": (trust("*", "Deny"), {}, True, False),
    "a missing external id is let in": (trust({"AWS": USER}, "Allow", EXTERNAL), {}, True, False),
    "a user is found inside a longer name": (trust({"AWS": f"{USER}ser"}), {}, True, False),
    "the account does not stand for its users": (trust({"AWS": "123456789012"}), {}, False, True),
    "unknown operators are passed over": (trust({"AWS": USER}, "Allow", {"StringLike": {"sts:ExternalId": "9*"}}), {"sts:ExternalId": "1"}, True, False),
}  # fmt: skip


def trusted(written: list[dict[str, Any]], context: dict[str, str]) -> tuple[bool, bool]:
    """Return moto's answer and ours to USER, whose own policies allow everything."""
    document = json.dumps({"Version": "2012-10-17", "Statement": written})
    # moto fails on the bare star.
    theirs = IAMPolicy(document.replace('"Principal": "*"', '"Principal": {"AWS": "*"}'))
    result = theirs.is_action_permitted("sts:AssumeRole", ROLE, USER, context)
    own = parse({"Version": "2012-10-17", "Statement": [statement()]})
    policy = parse({"Version": "2012-10-17", "Statement": written}, "trust")
    request = Request(
        "sts:AssumeRole", ROLE, {key: (value,) for key, value in context.items()}, {"AWS": (USER,)}
    )
    return result is PermissionResult.PERMITTED, decide(request, identity=[own], resource=[policy]).allowed


def test_trust_policies_agree_where_both_are_defined() -> None:
    seen: Counter[bool] = Counter()
    for named in (USER, OTHER_USER, "arn:aws:iam::210987654321:user/u", [USER, OTHER_USER], "*"):
        for condition in (None, EXTERNAL, {"StringEquals": {"sts:ExternalId": ["1", "2"]}}):
            for value in ("1", "2", "3"):
                theirs, our = trusted(trust({"AWS": named}, "Allow", condition), {"sts:ExternalId": value})
                assert theirs == our, (named, condition, value)
                seen[our] += 1
    assert seen == {True: 18, False: 27}


def test_trust_policies_that_moto_reads_wrongly() -> None:
    for why, (written, context, theirs, our) in MOTO_IS_WRONG.items():
        assert trusted(written, context) == (theirs, our), why
