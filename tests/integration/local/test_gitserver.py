"""The git server is as strict as GitHub where it matters, and tells the cluster about pushes."""

import dataclasses
import hashlib
import hmac
import json
import secrets
import ssl
import time
from pathlib import Path

import httpx
import pytest

from ci import shell
from ci.local import certificates, container, gitserver, secret
from ci.problem import Problem
from ci.settings import Settings
from tests.integration.local.parts import Node, Repository

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(settings: Settings, node: Node) -> Settings:
    gitserver.ensure(settings)
    return settings


@pytest.fixture
def fresh(server: Settings) -> Settings:
    """The server, with a new empty repository in the place of the followed one."""
    name = f"acme/r{time.monotonic_ns()}"
    container.execute(server, "git", "create-repository", name)
    wiring = dataclasses.replace(server.wiring, repo_url=f"https://github.com/{name}.git")
    return dataclasses.replace(server, wiring=wiring)


def as_(settings: Settings, user: str, password: str) -> tuple[str, dict[str, str]]:
    """URL with a credential in it, and an environment without one."""
    env = {
        "GIT_SSL_CAINFO": str(certificates.ca(settings)),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "0",
    }
    where = gitserver.url(settings)
    login = f"https://{user}:{password}@" if user else "https://"  # pragma: allowlist secret
    return where.replace("https://", login), env


def main_of(settings: Settings) -> str:
    listed = shell.run(
        "git", "ls-remote", gitserver.url(settings), "refs/heads/main", env=gitserver.environment(settings)
    )
    return listed.out.split("\t")[0]


def test_push_then_anonymous_clone(fresh: Settings, repository: Repository, tmp_path: Path) -> None:
    assert gitserver.push(fresh, repository.path) == repository.head
    where, env = as_(fresh, "", "")
    shell.run("git", "clone", "--quiet", where, str(tmp_path / "clone"), env=env)
    assert (tmp_path / "clone" / "README").read_text() == "first\n"


def test_both_url_forms_answer(fresh: Settings, repository: Repository) -> None:
    gitserver.push(fresh, repository.path)
    where, env = as_(fresh, "", "")
    with_suffix = shell.run("git", "ls-remote", where, env=env).out
    assert with_suffix.startswith(repository.head)
    assert shell.run("git", "ls-remote", where.removesuffix(".git"), env=env).out == with_suffix


@pytest.mark.parametrize("protocol", [0, 2])  # go-git speaks 0
def test_a_tag_is_fetched_shallow_and_a_commit_by_name(
    fresh: Settings, repository: Repository, tmp_path: Path, protocol: int
) -> None:
    inner = repository.head  # the tip of no ref
    tagged = repository.commit("README", "second\n")
    repository.git("tag", "v1.0.0")
    repository.commit("README", "third\n")
    gitserver.push(fresh, repository.path)
    where, env = as_(fresh, "", "")
    repository.git("push", "--quiet", where, "v1.0.0", env=gitserver.environment(fresh))
    for ref, commit in (("v1.0.0", tagged), (inner, inner)):
        clone = tmp_path / ref
        shell.run("git", "init", "--quiet", str(clone))
        fetch = ("git", "-c", f"protocol.version={protocol}", "fetch", "--depth=1", where, ref)
        shell.run(*fetch, cwd=clone, env=env)
        assert shell.run("git", "rev-parse", "FETCH_HEAD", cwd=clone).out.strip() == commit


@pytest.mark.parametrize(("user", "password"), [("", ""), ("slipway", "wrong"), ("root", "PASSWORD")])
def test_push_without_the_right_credential_is_401(
    fresh: Settings, repository: Repository, user: str, password: str
) -> None:
    where, env = as_(fresh, user, password.replace("PASSWORD", secret.value(fresh, secret.GIT_PASSWORD)))
    pushed = repository.git("push", where, "main", ok=(0, 128), env=env)
    assert pushed.code == 128
    assert any(words in pushed.err for words in ("Authentication failed", "could not read Username"))
    assert main_of(fresh) == ""
    auth = (user, password) if user else None
    for method, path in (("GET", "info/refs?service=git-receive-pack"), ("POST", "git-receive-pack")):
        answer = request(fresh, method, path, auth)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="GitHub"')


def test_a_read_with_a_wrong_credential_is_401(fresh: Settings) -> None:
    assert request(fresh, "GET", "info/refs?service=git-upload-pack").status_code == 200
    wrong = request(fresh, "GET", "info/refs?service=git-upload-pack", ("slipway", "wrong"))
    assert wrong.status_code == 401


@pytest.mark.parametrize("path", ["HEAD", "objects/info/packs", "config", "hooks/update", "../../etc/passwd"])
def test_nothing_but_the_smart_protocol_is_served(fresh: Settings, path: str) -> None:
    assert request(fresh, "GET", path).status_code in (400, 404)


def request(
    settings: Settings, method: str, path: str, auth: tuple[str, str] | None = None
) -> httpx.Response:
    trust = ssl.create_default_context(cafile=str(certificates.ca(settings)))
    with httpx.Client(verify=trust, trust_env=False) as client:
        return client.request(method, f"{gitserver.url(settings)}/{path}", auth=auth)


def test_main_refuses_a_forced_push_and_its_deletion(fresh: Settings, repository: Repository) -> None:
    first = gitserver.push(fresh, repository.path)
    repository.git("commit", "--quiet", "--amend", "-m", "another past")
    where, _ = as_(fresh, "", "")
    for spec in ("+main:main", ":main"):
        pushed = repository.git("push", where, spec, ok=(0, 1), env=gitserver.environment(fresh))
        assert pushed.code == 1
        assert "GH006: Protected ref update failed for refs/heads/main" in pushed.err
    assert main_of(fresh) == first


def test_another_branch_may_be_forced(fresh: Settings, repository: Repository) -> None:
    env = gitserver.environment(fresh)
    repository.git("push", "--quiet", gitserver.url(fresh), "main:topic", env=env)
    repository.git("commit", "--quiet", "--amend", "-m", "another past")
    repository.git("push", "--quiet", gitserver.url(fresh), "+main:topic", env=env)
    repository.git("push", "--quiet", gitserver.url(fresh), ":topic", env=env)


def test_version_tags_never_move(fresh: Settings, repository: Repository) -> None:
    env, where = gitserver.environment(fresh), gitserver.url(fresh)
    repository.git("tag", "v1.0.0")
    repository.git("tag", "other")
    repository.git("push", "--quiet", where, "v1.0.0", "other", env=env)
    repository.commit("README", "second\n")
    for spec, code in (("+HEAD:refs/tags/v1.0.0", 1), (":refs/tags/v1.0.0", 1), ("+HEAD:refs/tags/other", 0)):
        pushed = repository.git("push", where, spec, ok=(0, 1), env=env)
        assert (spec, pushed.code) == (spec, code)
        assert ("Version tags are immutable" in pushed.err) == (code == 1)


def test_a_push_is_told_to_the_cluster_as_github_tells_it(
    fresh: Settings, node: Node, repository: Repository
) -> None:
    first = gitserver.push(fresh, repository.path)
    beginning = json.loads(node.wait(lambda request: first in request.body).body)
    assert (beginning["created"], beginning["head_commit"]["id"]) == (True, first)
    (repository.path / "gone").write_text("x")
    (repository.path / 'ä "quoted"\tname').write_text("x")
    second = repository.commit("README", "second\n")
    repository.git("rm", "--quiet", "gone")
    third = repository.commit("new", "new\n")
    gitserver.push(fresh, repository.path)

    told = node.wait(lambda request: third in request.body)
    assert (told.port, told.path) == (30081, "/api/webhook")
    assert told.headers["x-github-event"] == "push"
    assert len(told.headers["x-github-delivery"]) == 36
    key = secret.value(fresh, secret.GIT_WEBHOOK).encode()
    digest = hmac.new(key, told.body.encode(), hashlib.sha256).hexdigest()
    assert told.headers["x-hub-signature-256"] == f"sha256={digest}"
    event = json.loads(told.body)
    assert (event["ref"], event["before"], event["after"]) == ("refs/heads/main", first, third)
    assert (event["created"], event["deleted"], event["forced"]) == (False, False, False)
    name = gitserver.repository(fresh)
    assert event["repository"]["full_name"] == name
    assert event["repository"]["html_url"] == f"https://github.com/{name}"
    assert event["repository"]["default_branch"] == "main"
    assert event["pusher"]["name"] == "slipway"
    assert [commit["id"] for commit in event["commits"]] == [second, third]
    assert event["commits"][0]["message"] == "change README\n\nin two lines"
    assert event["commits"][0]["added"] == ["gone", 'ä "quoted"\tname']
    assert event["commits"][0]["modified"] == ["README"]
    assert (event["commits"][1]["added"], event["commits"][1]["removed"]) == (["new"], ["gone"])
    assert event["head_commit"]["id"] == third


def test_a_push_does_not_wait_for_a_webhook_that_fails(
    fresh: Settings, node: Node, repository: Repository
) -> None:
    node.start(502, 502)
    gitserver.push(fresh, repository.path)
    ended = time.time()
    taken = node.wait(lambda request: repository.head in request.body and request.status == 200)
    tries = [request for request in node.received() if repository.head in request.body]
    assert [request.status for request in tries] == [502, 502, 200]
    assert len({request.headers["x-github-delivery"] for request in tries}) == 1
    assert ended < taken.time > tries[0].time + 1


def test_a_push_larger_than_gits_buffer(fresh: Settings, repository: Repository) -> None:
    """Such a push comes in chunks, without a length."""
    (repository.path / "blob").write_bytes(secrets.token_bytes(6_000_000))
    assert gitserver.push(fresh, repository.path, repository.commit("README", "x")) == repository.head


def test_push_does_nothing_where_main_has_it(fresh: Settings, repository: Repository) -> None:
    first = gitserver.push(fresh, repository.path)
    second = repository.commit("README", "second\n")
    gitserver.push(fresh, repository.path)
    assert gitserver.push(fresh, repository.path, first) == second == main_of(fresh)


def release(settings: Settings, folder: Path, name: str, content: str) -> str:
    """Commit to the server's main as Image Updater does."""
    shell.run(
        "git", "clone", "--quiet", gitserver.url(settings), str(folder), env=gitserver.environment(settings)
    )
    other = Repository(folder)
    made = other.commit(name, content)
    other.git("push", "--quiet", "origin", "main", env=gitserver.environment(settings))
    return made


def test_push_merges_what_was_released_meanwhile(
    fresh: Settings, repository: Repository, tmp_path: Path
) -> None:
    gitserver.push(fresh, repository.path)
    released = release(fresh, tmp_path / "updater", "kustomization.yaml", "newTag: v0.2.0\n")
    mine = repository.commit("README", "mine\n")
    (repository.path / "untracked").write_text("x")
    before = repository.git("status", "--porcelain").out, repository.git("for-each-ref").out

    merged = gitserver.push(fresh, repository.path)

    assert merged == main_of(fresh) == gitserver.push(fresh, repository.path)
    assert (repository.git("status", "--porcelain").out, repository.git("for-each-ref").out) == before
    clone = tmp_path / "after"
    shell.run("git", "clone", "--quiet", gitserver.url(fresh), str(clone), env=as_(fresh, "", "")[1])
    parents = shell.run("git", "log", "-1", "--format=%P", merged, cwd=clone).out.split()
    assert parents == [released, mine]
    assert (clone / "kustomization.yaml").read_text() == "newTag: v0.2.0\n"
    assert (clone / "README").read_text() == "mine\n"


def test_push_names_the_file_where_both_sides_changed_it(
    fresh: Settings, repository: Repository, tmp_path: Path
) -> None:
    gitserver.push(fresh, repository.path)
    released = release(fresh, tmp_path / "updater", "README", "theirs\n")
    repository.commit("README", "mine\n")
    with pytest.raises(Problem) as caught:
        gitserver.push(fresh, repository.path)
    assert caught.value.what == f"your commits and main of {gitserver.url(fresh)} both change README"
    assert main_of(fresh) == released
    command = caught.value.fix.split(", ")[0]
    assert repository.git("config", "pull.ff", "false").code == 0
    pulled = shell.run("bash", "-c", command, cwd=repository.path, ok=(0, 1))
    assert "Merge conflict in README" in pulled.out


def test_push_of_unrelated_history_and_of_nothing(
    fresh: Settings, repository: Repository, tmp_path: Path
) -> None:
    gitserver.push(fresh, repository.path)
    stranger = Repository.create(tmp_path / "stranger")
    stranger.git("commit", "--quiet", "--amend", "-m", "another beginning")
    with pytest.raises(Problem, match=r"cannot be merged: .*unrelated histories"):
        gitserver.push(fresh, stranger.path)
    with pytest.raises(Problem, match="has no commit 'nothing'"):
        gitserver.push(fresh, repository.path, "nothing")
    shell.run("git", "init", "--quiet", str(tmp_path / "empty"))
    with pytest.raises(Problem, match="has no commit 'HEAD'"):
        gitserver.push(fresh, tmp_path / "empty")
    (tmp_path / "plain").mkdir()
    with pytest.raises(Problem, match=r"has no commit 'HEAD' .*not a git repository"):
        gitserver.push(fresh, tmp_path / "plain")


def test_push_of_a_shallow_clone_says_what_to_do(
    fresh: Settings, repository: Repository, tmp_path: Path
) -> None:
    repository.commit("README", "second\n")
    shell.run("git", "clone", "--quiet", "--depth=1", f"file://{repository.path}", str(tmp_path / "shallow"))
    with pytest.raises(Problem) as caught:
        gitserver.push(fresh, tmp_path / "shallow")
    assert caught.value.fix == "git fetch --unshallow"


def test_mirror_is_served_read_only_and_replaced_when_it_changes(
    server: Settings, repository: Repository, tmp_path: Path
) -> None:
    repository.git("tag", "v3.6.1")
    bare = tmp_path / "bare.git"
    shell.run("git", "clone", "--quiet", "--bare", str(repository.path), str(bare))
    gitserver.mirror(server, "argoproj/argo-cd", bare)
    gitserver.mirror(server, "argoproj/argo-cd", bare)
    where, env = gitserver.url(server, "argoproj/argo-cd"), gitserver.environment(server)
    assert repository.head in shell.run("git", "ls-remote", where, "refs/tags/v3.6.1", env=env).out
    repository.commit("README", "second\n")
    refused = repository.git("push", where, "main", ok=(0, 1, 128), env=env)
    assert "403" in refused.err
    repository.git("tag", "--force", "v3.6.1")
    repository.git("push", "--quiet", "--force", str(bare), "main", "v3.6.1")
    gitserver.mirror(server, "argoproj/argo-cd", bare)
    assert repository.head in shell.run("git", "ls-remote", where, "refs/tags/v3.6.1", env=env).out


def test_the_cluster_reaches_it_under_the_manifests_url(fresh: Settings, repository: Repository) -> None:
    gitserver.push(fresh, repository.path)
    ca = certificates.ca(fresh)
    seen = shell.run(
        "docker", "run", "--rm", "--network", fresh.network, "--mount", f"type=bind,src={ca},dst=/ca.pem",
        "--env", "GIT_SSL_CAINFO=/ca.pem", "--entrypoint", "git",
        container._inspect(fresh.container("git"))["Config"]["Image"],  # type: ignore[index]
        "ls-remote", fresh.wiring.repo_url, "refs/heads/main",
    )  # fmt: skip
    assert seen.out.startswith(repository.head)


def test_nothing_secret_is_visible(server: Settings) -> None:
    inspected = shell.run("docker", "inspect", server.container("git")).out
    logged = "\n".join(container.logs(server, "git", lines=1000))
    for name in (secret.GIT_PASSWORD, secret.GIT_WEBHOOK):
        assert secret.value(server, name) not in inspected + logged


def test_ensure_again_changes_nothing_and_a_stopped_server_keeps_its_data(
    server: Settings, repository: Repository
) -> None:
    name = server.container("git")
    asked = ("docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}}", name)
    before = shell.run(*asked).out
    gitserver.ensure(server)
    assert shell.run(*asked).out == before
    shell.run("docker", "stop", name)
    gitserver.ensure(server)
    assert shell.run(*asked).out.split()[0] == before.split()[0]
    (server.state / "secrets" / secret.GIT_WEBHOOK).write_text("another")
    gitserver.ensure(server)
    assert shell.run(*asked).out.split()[0] != before.split()[0]
    gitserver.push(server, repository.path)
