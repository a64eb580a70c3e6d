"""The git server in GitHub's place: the cluster reaches it under the repository's own URL."""

import base64
import hashlib
import hmac
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ci import shell, supply
from ci.local import certificates, container, secret
from ci.local.container import Service
from ci.problem import Problem
from ci.progress import Step
from ci.settings import Settings

USER = "slipway"
TARGET_PORT = 30081
"""NodePort of argocd-server."""

_ATTEMPTS = 5
"""How often a push is tried while Image Updater moves main at the same time."""


def repository(settings: Settings) -> str:
    """Return OWNER/NAME of the repository that the cluster follows."""
    return urlsplit(settings.wiring.repo_url).path.strip("/").removesuffix(".git")


def url(settings: Settings, name: str | None = None) -> str:
    """Return the URL of repository `name` (default: the one the cluster follows) on this machine."""
    return f"https://127.0.0.1:{settings.git_port}/{name or repository(settings)}.git"


def target(settings: Settings) -> str:
    """Return the one URL that pushes are told to: Argo CD's webhook on the cluster's node."""
    return f"http://{settings.node}:{TARGET_PORT}/api/webhook"


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables with which git on this machine trusts and may push to the server."""
    token = f"{USER}:{secret.value(settings, secret.GIT_PASSWORD)}"
    base = f"http.https://127.0.0.1:{settings.git_port}/"
    options = {
        f"{base}.extraHeader": f"Authorization: Basic {base64.b64encode(token.encode()).decode()}",
        f"{base}.proxy": "",
        "credential.helper": "",  # the user's own are not asked
    }
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    env = {
        "GIT_SSL_CAINFO": str(certificates.ca(settings)),  # outranks http.sslCAInfo
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(first + len(options)),
    }
    for number, (key, value) in enumerate(options.items(), start=first):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def ensure(settings: Settings, step: Step | None = None) -> None:
    """Have the server answering, with the (perhaps still empty) repository that the cluster follows."""
    name = repository(settings)
    authority = certificates.ca(settings)
    root = f"https://127.0.0.1:{settings.git_port}"
    healthy = container.http_probe(f"{root}/healthz", verify=authority)
    container.ensure(settings, service(settings), healthy, step=step)
    there = container.http_probe(f"{root}/{name}/info/refs?service=git-upload-pack", verify=authority)
    if there() is not None:
        container.execute(settings, "git", "create-repository", name)
        container.wait(settings, "git", there, seconds=10, step=step)


def service(settings: Settings) -> Service:
    """Describe the container."""
    certificate, key = certificates.issue(settings, "git", certificates.git_names(settings))
    return Service(
        role="git",
        image=supply.image(settings, "git"),
        alias=urlsplit(settings.wiring.repo_url).hostname or "",
        port=(settings.git_port, 443),
        volume="/srv/git",
        files={
            "/run/secrets/tls.crt": certificate.read_text(),
            "/run/secrets/tls.key": key.read_text(),
            "/run/secrets/htpasswd": _htpasswd(secret.value(settings, secret.GIT_PASSWORD)),
            "/run/secrets/webhook": secret.value(settings, secret.GIT_WEBHOOK),
            "/etc/slipway/webhook-url": target(settings),
        },
    )


def push(settings: Settings, source: Path, revision: str = "HEAD") -> str:
    """Bring `revision` of the repository at `source` to the server's main; return where main is then.

    Nothing happens when main has it already. Main is moved forward where that is possible; where
    the server has commits of its own (releases), the two are merged. All of it happens in a
    temporary repository, so `source` keeps its work tree, index and refs.
    """
    commit = _resolve(source, revision)
    with tempfile.TemporaryDirectory(prefix="slipway-git-") as folder:
        work = _Scratch(settings, Path(folder), source, commit)
        for _ in range(_ATTEMPTS):
            main = work.fetch_main()
            if main is not None and work.contains(main, commit):
                return main
            wanted = commit if main is None or work.contains(commit, main) else work.merge(main)
            if work.push(wanted):
                return wanted
    raise Problem(f"main of {url(settings)} moved at each of {_ATTEMPTS} pushes", fix="run it again")


def mirror(settings: Settings, name: str, bare: Path) -> None:
    """Have the server serve the bare repository `bare` as `name`, read-only; nothing if it does."""

    def refs(where: str) -> set[str]:
        asked = shell.run("git", "ls-remote", where, env=environment(settings), ok=(0, 128))
        return set(asked.out.splitlines())

    if refs(str(bare)) == refs(url(settings, name)):
        return
    with tempfile.TemporaryDirectory(prefix="slipway-git-") as folder:
        bundle = Path(folder) / "mirror.bundle"
        shell.run("git", "-C", str(bare), "bundle", "create", "--quiet", str(bundle), "--all", "HEAD")
        bundle.chmod(0o644)
        shell.run("docker", "cp", str(bundle), f"{settings.container('git')}:/srv/git/.bundle")
    container.execute(settings, "git", "install-mirror", name)


class _Scratch:
    """A temporary bare repository that borrows the source's objects."""

    def __init__(self, settings: Settings, folder: Path, source: Path, commit: str) -> None:
        self.settings = settings
        self.commit = commit
        self.env = environment(settings)
        self.git = ("git", "--git-dir", str(folder))
        objects = shell.run("git", "rev-parse", "--path-format=absolute", "--git-path", "objects", cwd=source)
        shell.run("git", "init", "--quiet", "--bare", str(folder))
        (folder / "objects" / "info" / "alternates").write_text(objects.out)
        self.run("update-ref", "refs/heads/ours", commit)  # what a fetch may say it has

    def run(
        self, *args: str, ok: tuple[int, ...] = (0,), env: Mapping[str, str] | None = None
    ) -> shell.Result:
        return shell.run(*self.git, *args, env={**self.env, **(env or {})}, ok=ok)

    def fetch_main(self) -> str | None:
        """Fetch the server's main and return its commit; None while it has none."""
        where = url(self.settings)
        try:
            listed = self.run("ls-remote", where, "refs/heads/main").out
            if not listed:
                return None
            self.run("fetch", "--quiet", "--no-tags", where, "+refs/heads/main:refs/heads/theirs")
        except shell.CommandFailed as error:
            raise Problem(
                f"git server {where} does not answer: {error.last_words}", fix="invoke bootstrap"
            ) from error
        return self.run("rev-parse", "refs/heads/theirs").out.strip()

    def contains(self, descendant: str, ancestor: str) -> bool:
        return self.run("merge-base", "--is-ancestor", ancestor, descendant, ok=(0, 1)).code == 0

    def merge(self, main: str) -> str:
        """Merge our commit into `main` without a work tree; return the merge commit."""
        where = url(self.settings)
        try:
            merged = self.run(
                "merge-tree", "--write-tree", "--name-only", "--no-messages", main, self.commit, ok=(0, 1)
            )
        except shell.CommandFailed as error:
            raise Problem(
                f"{self.commit[:12]} and main of {where} cannot be merged: {error.last_words}",
                fix="if that is another project's environment, `invoke destroy` it",
            ) from error
        tree, *files = merged.out.split("\n\n")[0].splitlines()
        if merged.code != 0:
            ca = certificates.ca(self.settings)
            raise Problem(
                f"your commits and main of {where} both change {', '.join(files)}",
                fix=f"GIT_SSL_CAINFO={ca} git pull --no-rebase {where} main, solve it, commit, run it again",
            )
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
               for what, value in (("NAME", "Slipway"), ("EMAIL", "slipway@localhost"))}  # fmt: skip
        message = f"Merge {self.commit[:12]} into main"
        made = self.run("commit-tree", tree, "-p", main, "-p", self.commit, "-m", message, env=who)
        return made.out.strip()

    def push(self, commit: str) -> bool:
        """Push `commit` to main; False when main has moved since it was fetched."""
        done = self.run("push", "--quiet", url(self.settings), f"{commit}:refs/heads/main", ok=(0, 1))
        if done.code == 0:
            return True
        moved = ("fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref", "GH006")
        if any(words in done.err for words in moved):
            return False
        raise Problem(
            f"push to {url(self.settings)} was refused: {done.err.strip()[-300:]}",
            fix=f"read `docker logs {self.settings.container('git')}`",
        )


def _resolve(source: Path, revision: str) -> str:
    """Return the full commit that `revision` names in `source`, which must be a whole clone."""
    asked = ("git", "rev-parse", "--quiet", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    found = shell.run(*asked, cwd=source, ok=(0, 1, 128))
    if found.code != 0:
        why = found.err.strip().splitlines()[:1]
        raise Problem(
            f"{source} has no commit '{revision}'" + (f" ({why[0]})" if why else ""),
            fix="git add --all && git commit, or name a commit that exists",
        )
    if shell.run("git", "rev-parse", "--is-shallow-repository", cwd=source).out.strip() == "true":
        raise Problem(f"{source} is a shallow clone", fix="git fetch --unshallow")
    return found.out.strip()


def _htpasswd(password: str) -> str:
    """Return nginx's password file; the salt follows from the password, so the text is stable."""
    salt = hmac.new(password.encode(), b"htpasswd", hashlib.sha256).digest()[:8]
    digest = hashlib.sha1(password.encode() + salt).digest()  # noqa: S324 (nginx's {SSHA}; 256-bit password)
    return f"{USER}:{{SSHA}}{base64.b64encode(digest + salt).decode()}\n"
