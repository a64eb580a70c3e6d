"""A GitHub repository as STS sees it: the tokens of its tags, and those of everybody who is not its tags.

A repository's tokens name it in one of two forms: by name, or by name and immutable id. Repositories created
since July 2026 send the second. A trust policy has to take both of ours, and neither of anybody else's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from policies.iam.callers import Caller, outsiders
from policies.iam.trust import AUDIENCE, GITHUB, provider_arn, web_identity

_OWNER_ID, _ID = "1001", "2002"
"""Stand for ids that nobody told; a pattern that fits any id fits these."""
_OTHER_OWNER_ID, _OTHER_ID = "90009", "80008"
_WORKFLOW = ".github/workflows/release.yml"


@dataclass(frozen=True, slots=True)
class Repository:
    """`owner/name`, and their immutable ids as far as they are known (decimal digits, or empty)."""

    owner: str
    name: str
    owner_id: str = ""
    id: str = ""

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def has_ids(self) -> bool:
        """Return whether the immutable form of the subject can be told exactly."""
        return bool(self.owner_id and self.id)

    def subjects(self, rest: str) -> tuple[str, ...]:
        """Return the subject in both forms; `rest` as in `ref:refs/tags/v1.2.3`."""
        owner, name = self.owner_id or _OWNER_ID, self.id or _ID
        return (f"repo:{self}:{rest}", f"repo:{self.owner}@{owner}/{self.name}@{name}:{rest}")


@dataclass(frozen=True, slots=True)
class _Job:
    """Where a token comes from: what follows the repository in its subject, and the claims beside it."""

    id: str
    who: str
    rest: str
    ref: str
    environment: str = ""


def _tag(name: str) -> _Job:
    return _Job(f"tag-{name}", f"the tag {name}", f"ref:refs/tags/{name}", f"refs/tags/{name}")


def _branch(name: str) -> _Job:
    return _Job(f"branch-{name}", f"the branch {name}", f"ref:refs/heads/{name}", f"refs/heads/{name}")


RELEASES = (_tag("v1.2.3"), _tag("v0.0.1"), _tag("v10.20.30"))
"""What must be let in."""

_OTHER_JOBS = (
    _branch("main"),
    _branch("v1.2.3"),
    _branch("refs/tags/v1.2.3"),
    _tag("nightly"),
    _tag("x-v1.2.3"),
    _tag("V1.2.3"),
    _Job("pull-request", "a pull request, from a fork too", "pull_request", "refs/pull/7/merge"),
    _Job("environment", "a job with environment production", "environment:production", "refs/tags/v1.2.3", "production"),
    _Job("environment-branch", "a branch's job with environment v1", "environment:v1", "refs/heads/main", "v1"),
    _Job("workflow-subject", "a subject customised to the workflow", f"workflow:{_WORKFLOW}", "refs/heads/main"),
)  # fmt: skip
"""The repository's own jobs that are no release."""


def rightful(repository: Repository, role: str) -> tuple[Caller, ...]:
    """Return who must be let in: `v*` tags, by name, and with ids where the repository's ids are known."""
    return tuple(
        _caller(repository, job, subject, role, f"{job.id}-{form}")
        for job in RELEASES
        for form, subject in _forms(repository, job.rest)
        if form == "name" or repository.has_ids
    )


def adversaries(repository: Repository, role: str) -> tuple[Caller, ...]:
    """Return who must not be let in, in both forms of the subject."""
    return (
        *_own_jobs(repository, role),
        *_other_repositories(repository, role),
        *_wrong_tokens(repository, role),
        *_other_issuers(repository, role),
        *outsiders(role),
    )


def _own_jobs(repository: Repository, role: str) -> Iterator[Caller]:
    for job in _OTHER_JOBS:
        for form, subject in _forms(repository, job.rest):
            yield _caller(repository, job, subject, role, f"{job.id}-{form}")


def _other_repositories(repository: Repository, role: str) -> Iterator[Caller]:
    release = RELEASES[0]
    for label, who, other in _lookalikes(repository):
        for form, subject in _forms(other, release.rest):
            yield _caller(other, release, subject, role, f"{label}-{form}", f"{who}, {other}")
    taken = Repository(repository.owner, repository.name, _OTHER_OWNER_ID, _OTHER_ID)
    moved = Repository(repository.owner, repository.name, repository.owner_id or _OWNER_ID, _OTHER_ID)
    for label, who, other in (
        ("name-taken-over", "whoever registers the names again, with other ids", taken),
        ("repository-made-again", "a repository made again under the name, with another id", moved),
    ):
        yield _caller(other, release, other.subjects(release.rest)[1], role, label, who)
    stranger = Repository("mallory", "x", _OTHER_OWNER_ID, _OTHER_ID)
    ours = f"{repository}/{_WORKFLOW}@refs/tags/v1.2.3"
    for label, rest in (
        ("calls-our-workflow", release.rest),
        ("subject-is-our-workflow", f"job_workflow_ref:{ours}"),
    ):
        who = "a stranger's repository that calls our reusable workflow"
        for form, subject in _forms(stranger, rest):
            yield _caller(stranger, release, subject, role, f"{label}-{form}", who, workflow=ours)


def _lookalikes(repository: Repository) -> Iterator[tuple[str, str, Repository]]:
    owner, name, owner_id = repository.owner, repository.name, repository.owner_id or _OWNER_ID
    for label, who, other in (
        ("same-owner", "another repository of the same owner", "another"),
        ("name-suffix", "a repository whose name begins like ours", f"{name}-fork"),
        ("name-prefix", "a repository whose name ends like ours", f"not-{name}"),
        ("name-typo", "a repository one letter away", f"{name[:-1]}{_next(name[-1])}"),
        ("name-case", "a repository of the same name in another case", name.swapcase()),
    ):
        yield label, who, Repository(owner, other, owner_id, _OTHER_ID)
    for label, who, other in (
        ("fork", "a fork", "mallory"),
        ("owner-suffix", "an owner whose name begins like ours", f"{owner}-evil"),
        ("owner-prefix", "an owner whose name ends like ours", f"evil-{owner}"),
        ("owner-typo", "an owner one letter away", f"{owner[:-1]}{_next(owner[-1])}"),
        ("owner-case", "an owner of the same name in another case", owner.swapcase()),
    ):
        yield label, who, Repository(other, name, _OTHER_OWNER_ID, _OTHER_ID)
    yield "unrelated", "any repository", Repository("mallory", "x", _OTHER_OWNER_ID, _OTHER_ID)


def _next(letter: str) -> str:
    return "b" if letter == "a" else "a"


def _wrong_tokens(repository: Repository, role: str) -> Iterator[Caller]:
    """Yield tokens of a stranger and of ours in which the audience or the subject is wrong or missing."""
    release = RELEASES[0]
    provider = provider_arn(role.split(":")[4], GITHUB)
    stranger = Repository("mallory", "x", _OTHER_OWNER_ID, _OTHER_ID)
    for form, subject in _forms(repository, release.rest):
        ours = _claims(repository, release, subject)
        for label, who, claims in (
            ("no-audience", "our release with a token for no audience", _without(ours, "aud")),
            (
                "owner-audience",
                "our release with a token for GitHub's own default audience",
                {**ours, "aud": f"https://github.com/{repository.owner}"},
            ),
            (
                "other-audience",
                "our release with a token for another cloud",
                {**ours, "aud": "api://AzureADTokenExchange"},
            ),
        ):
            yield Caller(f"{label}-{form}", who, web_identity(role, provider, claims))
    theirs = _claims(stranger, release, stranger.subjects(release.rest)[0])
    yield Caller(
        "no-subject",
        "a stranger's token without subject",
        web_identity(role, provider, _without(theirs, "sub")),
    )
    yield Caller(
        "empty-subject",
        "a stranger's token with an empty subject",
        web_identity(role, provider, {**theirs, "sub": ""}),
    )
    yield Caller("no-claims", "a token without claims", web_identity(role, provider, {}))


def _other_issuers(repository: Repository, role: str) -> Iterator[Caller]:
    account = role.split(":")[4]
    claims = _claims(repository, RELEASES[0], repository.subjects(RELEASES[0].rest)[0])
    for label, provider in (
        ("other-issuer", provider_arn(account, "gitlab.com")),
        ("enterprise-issuer", provider_arn(account, f"{GITHUB}/mallory-enterprise")),
        ("cognito", "cognito-identity.amazonaws.com"),
    ):
        yield Caller(label, f"a token of another issuer, {provider}", web_identity(role, provider, claims))


def _forms(repository: Repository, rest: str) -> Iterator[tuple[str, str]]:
    return zip(("name", "ids"), repository.subjects(rest), strict=True)


def _caller(
    repository: Repository,
    job: _Job,
    subject: str,
    role: str,
    label: str,
    who: str = "",
    *,
    workflow: str = "",
) -> Caller:
    claims = _claims(repository, job, subject)
    if workflow:
        claims["job_workflow_ref"] = workflow
    request = web_identity(role, provider_arn(role.split(":")[4], GITHUB), claims)
    return Caller(label, f"{who or job.who} (sub {subject})", request)


def _claims(repository: Repository, job: _Job, subject: str) -> dict[str, str]:
    claims = {
        "aud": AUDIENCE,
        "sub": subject,
        "repository": str(repository),
        "repository_id": repository.id or _ID,
        "repository_owner": repository.owner,
        "repository_owner_id": repository.owner_id or _OWNER_ID,
        "actor": "mallory" if repository.owner_id == _OTHER_OWNER_ID else "developer",
        "actor_id": "7",
        "ref": job.ref,
        "workflow": "release",
        "job_workflow_ref": f"{repository}/{_WORKFLOW}@{job.ref}",
    }
    return {**claims, "environment": job.environment} if job.environment else claims


def _without(claims: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in claims.items() if key != name}
