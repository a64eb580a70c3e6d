"""Measure what the IAM evaluator costs: `python -m tests.bench.iam_decisions`."""

import timeit
from collections.abc import Callable

from policies.iam import Request, decide, parse
from policies.iam.excess import Need, excess
from policies.iam.reach import reach
from policies.iam.repository import Repository, adversaries, rightful
from policies.iam.trust import GITHUB, WEB_IDENTITY, provider_arn, role_session, web_identity

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/role-github"
SECRET = f"arn:aws:secretsmanager:ap-northeast-1:{ACCOUNT}:secret:database-secrets-"
IDENTITY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            "Resource": f"{SECRET}??????",
        },
    ],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": WEB_IDENTITY,
        "Principal": {"Federated": provider_arn(ACCOUNT, GITHUB)},
        "Condition": {
            "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"},
            "StringLike": {
                f"{GITHUB}:sub": [
                    "repo:acme/slipway:ref:refs/tags/v*",
                    "repo:acme@1/slipway@2:ref:refs/tags/v*",
                ]
            },
        },
    },
}


def main() -> None:
    """Measure and print, in microseconds; the best of five rounds."""
    identity, trust = parse(IDENTITY, "identity"), parse(TRUST, "trust")
    read = Request("secretsmanager:GetSecretValue", f"{SECRET}AbCdEf", {}, role_session(ROLE, "s"))
    claims = {"aud": "sts.amazonaws.com", "sub": "repo:acme/slipway:ref:refs/tags/v1.2.3"}
    token = web_identity(ROLE, provider_arn(ACCOUNT, GITHUB), claims)
    other = web_identity(ROLE, provider_arn(ACCOUNT, GITHUB), {**claims, "sub": "repo:acme/x:pull_request"})
    ours = Repository("acme", "slipway", "1", "2")
    needs = [Need("secretsmanager:GetSecretValue", f"{SECRET}??????"), Need("ecr:GetAuthorizationToken", "*")]
    for name, count, measured in (
        ("parse, identity policy", 500, lambda: parse(IDENTITY)),
        ("parse, trust policy", 500, lambda: parse(TRUST)),
        ("decide, own policy allows", 5000, lambda: decide(read, identity=[identity])),
        ("decide, trust policy allows", 5000, lambda: decide(token, resource=[trust])),
        ("decide, trust policy refuses", 5000, lambda: decide(other, resource=[trust])),
        ("reach of a trust policy", 20, lambda: reach(trust, rightful(ours, ROLE), adversaries(ours, ROLE))),
        ("excess of a role", 20, lambda: excess([identity], needs, ACCOUNT)),
    ):
        print(f"{name:32} {_best(measured, count):8.1f} us")


def _best(measured: Callable[[], object], count: int) -> float:
    return min(timeit.repeat(measured, number=count, repeat=5)) / count * 1e6


if __name__ == "__main__":
    main()
