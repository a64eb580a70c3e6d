"""The one door to git: the work tree's revision, and the repository that the cluster follows."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from ci.local import gitserver
from ci.problem import Problem
from ci.settings import Settings
from ci.shell import CommandFailed, Result, run

OVERLAY = "gitops/main/overlays/{environment}/kustomization.yaml"
"""The file in which Image Updater records the version; {environment} is local or production."""


def revision(source: Path) -> str:
    """Return the commit that the work tree at `source` stands on."""
    try:
        return run("git", "rev-parse", "--verify", "HEAD", cwd=source).out.strip()
    except CommandFailed as failure:
        raise Problem(
            f"{source} has no commit to build from: {failure.last_words}",
            fix="run the command in a clone, and commit first",
        ) from None


def changes(source: Path) -> tuple[str, ...]:
    """Return the paths that differ from the commit, files git does not know included."""
    listing = run("git", "status", "--porcelain", "--untracked-files=normal", cwd=source).out
    return tuple(line[3:] for line in listing.splitlines())


def export(source: Path, commit: str, path: str, target: Path) -> None:
    """Write `path` as it is in `commit` below the folder `target`."""
    archive = target / ".export.tar"
    run("git", "archive", "--format=tar", f"--output={archive}", commit, "--", path, cwd=source)
    run("tar", "-xf", str(archive), "-C", str(target))
    archive.unlink()


@dataclass(frozen=True, slots=True)
class Remote:
    """The repository that Argo CD follows, reached over HTTPS with a login in the environment."""

    url: str
    environment: Mapping[str, str] = field(repr=False)

    def head(self, branch: str = "main") -> str | None:
        """Return the commit at the tip of `branch`, or None where there is no such branch."""
        return self._refs(f"refs/heads/{branch}").get(f"refs/heads/{branch}")

    def tag(self, name: str) -> str | None:
        """Return the commit that the tag stands for, or None where there is no such tag."""
        refs = self._refs(f"refs/tags/{name}", f"refs/tags/{name}^{{}}")
        return refs.get(f"refs/tags/{name}^{{}}") or refs.get(f"refs/tags/{name}")

    def read(self, path: str, branch: str = "main") -> str:
        """Return the text of the file `path` at the tip of `branch`."""
        with tempfile.TemporaryDirectory(prefix="slipway-git-") as folder:
            run("git", "init", "-q", "--bare", folder)
            self._git("fetch", "-q", "--no-tags", "--depth=1", self.url, branch, cwd=Path(folder))
            try:
                return run("git", "show", f"FETCH_HEAD:{path}", cwd=Path(folder)).out
            except CommandFailed:
                raise Problem(
                    f"{path} is missing on {branch} of {self.url}",
                    fix="push the repository's gitops folder there, or run: invoke bootstrap",
                ) from None

    def push_tag(self, source: Path, commit: str, name: str) -> None:
        """Give the tag `name` to `commit`; the server takes a new tag once and never moves it."""
        try:
            self._git("push", "-q", self.url, f"{commit}:refs/tags/{name}", cwd=source)
        except CommandFailed as failure:
            if self.tag(name) == commit:
                return
            raise Problem(
                f"tag {name} was not accepted: {failure.last_words}",
                fix="take the next version, or look at: invoke status",
            ) from None

    def _refs(self, *patterns: str) -> dict[str, str]:
        lines = self._git("ls-remote", self.url, *patterns).out.splitlines()
        return {name: commit for commit, _, name in (line.partition("\t") for line in lines)}

    def _git(self, *arguments: str, cwd: Path | None = None) -> Result:
        try:
            return run("git", *arguments, cwd=cwd, env=self.environment, timeout=60)
        except CommandFailed as failure:
            said = failure.result.err
            if any(words in said for words in _UNREACHABLE) or failure.result.code == 124:
                raise Problem(
                    f"the git server {self.url} does not answer: {failure.last_words}",
                    fix="invoke bootstrap",
                ) from None
            raise


_UNREACHABLE = ("unable to access", "Could not resolve host", "Connection refused", "Connection timed out")


def remote(settings: Settings) -> Remote:
    """Return the environment's git server, as this machine reaches it."""
    return Remote(gitserver.url(settings), gitserver.environment(settings))


def recorded_version(kustomization: str) -> str:
    """Return the app's version that a kustomization.yaml records; Problem where it has none."""
    data = yaml.safe_load(kustomization) or {}
    for image in data.get("images") or ():
        if str(image.get("name", "")).rsplit("/", 1)[-1] == "eks-app" and image.get("newTag"):
            return str(image["newTag"])
    raise Problem(
        "the overlay in git names no version of eks-app",
        fix="add it under images: name eks-app, newTag v0.1.0",
    )


def live_version(settings: Settings, server: Remote) -> str:
    """Return the version that git asks the cluster to run."""
    return recorded_version(server.read(OVERLAY.format(environment=settings.wiring.environment)))
