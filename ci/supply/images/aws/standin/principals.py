"""Who makes a request, and who stands behind a registry token."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operator:
    """The owner of an account: may do everything in it, and nothing elsewhere."""

    account: str
    access_key: str

    @property
    def arn(self) -> str:
        """The ARN that AWS would show for this caller."""
        return f"arn:aws:iam::{self.account}:user/slipway-operator"

    @property
    def user_id(self) -> str:
        """The unique id that AWS would show."""
        return f"AIDA{self.access_key[4:]}"


@dataclass(frozen=True, slots=True)
class RoleSession:
    """A role that somebody assumed.

    `role_id` tells a role from a later one of the same name. `policies` are the documents of the
    session policies, None where the session was opened without any.
    """

    account: str
    role_arn: str
    role_id: str
    name: str
    policies: tuple[str, ...] | None = None

    @property
    def role(self) -> str:
        """The role's name, without its path."""
        return self.role_arn.rpartition("/")[2]

    @property
    def arn(self) -> str:
        """The ARN that AWS shows for this caller."""
        return f"arn:aws:sts::{self.account}:assumed-role/{self.role}/{self.name}"

    @property
    def user_id(self) -> str:
        """The unique id that AWS shows."""
        return f"{self.role_id}:{self.name}"


Principal = Operator | RoleSession
