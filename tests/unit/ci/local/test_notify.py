"""The git server's push webhook: what GitHub would say, and how it is delivered."""

import hashlib
import hmac
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NONE = "0" * 40


@pytest.fixture(scope="module")
def notify(program: Callable[[str], ModuleType]) -> Any:
    return program("git/notify.py")


class Repository:
    """A work tree in which the hook's program is asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *args: str) -> str:
        who = ("-c", "user.name=Tester", "-c", "user.email=tester@example.com")
        done = subprocess.run(("git", *who, *args), cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, message: str = "change", **files: str | None) -> str:
        for name, content in files.items():
            if content is None:
                (self.path / name).unlink()
            else:
                (self.path / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path)


def push(notify: Any, old: str, new: str, ref: str = "refs/heads/main") -> dict[str, Any]:
    event: dict[str, Any] = notify.payload("acme/slipway", "slipway", old, new, ref)
    return event


def ids(event: dict[str, Any]) -> list[str]:
    return [commit["id"] for commit in event["commits"]]


def test_a_first_push_brings_every_commit(notify: Any, repository: Repository) -> None:
    first = repository.commit(a="1")
    second = repository.commit(b="1")
    event = push(notify, NONE, second)
    assert (event["created"], event["deleted"], event["forced"]) == (True, False, False)
    assert ids(event) == [first, second]
    assert [commit["added"] for commit in event["commits"]] == [["a"], ["b"]]
    assert event["head_commit"]["id"] == second


def test_a_new_branch_or_tag_brings_only_what_is_new(notify: Any, repository: Repository) -> None:
    first = repository.commit(a="1")
    repository.git("branch", "topic")
    repository.git("tag", "v1.0.0")
    assert ids(push(notify, NONE, first, "refs/heads/topic")) == []
    event = push(notify, NONE, first, "refs/tags/v1.0.0")
    assert (event["commits"], event["head_commit"], event["after"]) == ([], None, first)


def test_a_deletion(notify: Any, repository: Repository) -> None:
    first = repository.commit(a="1")
    event = push(notify, first, NONE, "refs/heads/topic")
    assert (event["created"], event["deleted"], event["commits"]) == (False, True, [])
    assert event["head_commit"] is None


def test_a_forced_push(notify: Any, repository: Repository) -> None:
    first = repository.commit(a="1")
    second = repository.commit(a="2")
    repository.git("reset", "--quiet", "--hard", first)
    third = repository.commit(a="3")
    event = push(notify, second, third, "refs/heads/topic")
    assert (event["forced"], ids(event)) == (True, [third])
    repository.git("checkout", "--quiet", "--orphan", "stranger")
    stranger = repository.commit(a="4")
    assert push(notify, third, stranger, "refs/heads/topic")["forced"] is True


def test_a_merge_names_what_it_brought_to_main(notify: Any, repository: Repository) -> None:
    first = repository.commit(a="1")
    repository.git("checkout", "--quiet", "-b", "topic")
    theirs = repository.commit(b="1")
    repository.git("checkout", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    merge = repository.git("rev-parse", "HEAD")
    event = push(notify, first, merge)
    assert ids(event) == [theirs, merge]
    assert [commit["added"] for commit in event["commits"]] == [["b"], ["b"]]


def test_odd_names_and_messages_come_through(notify: Any, repository: Repository) -> None:
    first = repository.commit()
    repository.commit('line one\n\n"quoted" ä\n', **{'ä "b"\nc': "1", "A": "x"})
    last = repository.commit("empty")
    event = push(notify, first, last)
    assert event["commits"][0]["message"] == 'line one\n\n"quoted" ä'
    assert event["commits"][0]["added"] == ["A", 'ä "b"\nc']
    assert [event["commits"][1][key] for key in ("added", "removed", "modified")] == [[], [], []]


def test_the_signature_is_githubs(notify: Any) -> None:
    headers = notify.request(b"body", b"key")
    digest = hmac.new(b"key", b"body", hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert headers["X-GitHub-Event"] == "push"
    assert headers["X-GitHub-Delivery"] != notify.request(b"body", b"key")["X-GitHub-Delivery"]


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([200], "answer 200, try 1"),
        ([502, OSError(), 429, 202], "answer 202, try 4"),
        ([400], "answer 400, try 1"),
        ([500, 500, 500, 503], "answer 503, try 4, given up"),
        ([OSError()] * 4, "no answer (OSError), try 4, given up"),
    ],
)
def test_tries_are_bounded(notify: Any, answers: list[int | Exception], outcome: str) -> None:
    left = list(answers)

    def send(_url: str, _body: bytes, _headers: dict[str, str]) -> int:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert notify.deliver("http://x", b"", {}, send, pauses=(0, 0, 0)) == outcome
    assert left == []
