"""Those who might knock at a role: who they are, what they ask, and the ones no web identity role should know."""

from dataclasses import dataclass

from policies.iam.document import Policy, parse
from policies.iam.evaluation import Decision, Request, decide
from policies.iam.trust import role_session

STRANGER = "999999999999"
"""An account of somebody else."""

_ANYTHING = parse(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, "identity"
)
"""What a stranger's own administrator may grant: everything."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One who asks for a role: `id` is stable and short, `who` completes "the trust policy lets in ..."."""

    id: str
    who: str
    request: Request

    def knock(self, trust: Policy) -> Decision:
        """Return what `trust` answers; the caller's own policies allow everything."""
        return decide(self.request, identity=(_ANYTHING,), resource=(trust,))


def outsiders(role: str) -> tuple[Caller, ...]:
    """Return callers that no role for web identities should let in: accounts, services, SAML, nobody at all."""
    own = role.split(":")[4]
    assume, context = "sts:AssumeRole", {"sts:externalid": ("slipway",)}
    saml = f"arn:aws:iam::{own}:saml-provider/any"

    def service(name: str) -> Caller:
        return Caller(
            f"service-{name.partition('.')[0]}",
            f"the service {name}",
            Request(assume, role, {}, {"Service": (name,)}),
        )

    return (
        Caller(
            "any-account",
            "a role of any AWS account",
            Request(assume, role, context, role_session(f"arn:aws:iam::{STRANGER}:role/stranger", "s")),
        ),
        Caller(
            "any-user",
            "a user of any AWS account",
            Request(assume, role, context, {"AWS": (f"arn:aws:iam::{STRANGER}:user/stranger",)}),
        ),
        Caller(
            "own-account",
            "another role of the same account",
            Request(assume, role, context, role_session(f"arn:aws:iam::{own}:role/another-role", "s")),
        ),
        Caller("anonymous", "anybody, without credentials", Request(assume, role, {})),
        Caller(
            "saml",
            "a user of a SAML provider",
            Request(
                "sts:AssumeRoleWithSAML",
                role,
                {"saml:aud": ("https://signin.aws.amazon.com/saml",)},
                {"Federated": (saml,)},
            ),
        ),
        *map(
            service,
            (
                "ec2.amazonaws.com",
                "lambda.amazonaws.com",
                "ecs-tasks.amazonaws.com",
                "pods.eks.amazonaws.com",
            ),
        ),
    )
