"""Which tags production takes: asked of real repositories."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ci import ship
from ci.problem import Problem
from ci.version import parse

Git = Callable[..., str]


@pytest.fixture
def clone(tmp_path: Path) -> tuple[Path, Git]:
    """A clone whose origin/main has one commit, and git in it."""
    work = tmp_path / "work"
    work.mkdir()

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=work, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "one")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    return work, git


def test_a_tag_on_main_is_taken(clone: tuple[Path, Git]) -> None:
    work, git = clone
    git("tag", "v1.0.0")
    assert ship.check_tag(work, parse("v1.0.0")) == git("rev-parse", "HEAD")


def test_an_annotated_tag_on_an_older_commit_of_main_is_taken(clone: tuple[Path, Git]) -> None:
    work, git = clone
    git("tag", "-a", "-m", "first", "v1.0.0")
    first = git("rev-parse", "HEAD")
    git("commit", "-q", "--allow-empty", "-m", "two")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    git("checkout", "-q", "v1.0.0")
    assert ship.check_tag(work, parse("v1.0.0")) == first


def test_a_tag_that_is_not_checked_out_is_refused(clone: tuple[Path, Git]) -> None:
    work, git = clone
    with pytest.raises(Problem, match=r"the tag v1\.0\.0 does not exist"):
        ship.check_tag(work, parse("v1.0.0"))
    git("tag", "v1.0.0")
    git("commit", "-q", "--allow-empty", "-m", "two")
    with pytest.raises(Problem, match="and this is"):
        ship.check_tag(work, parse("v1.0.0"))


def test_a_tag_beside_main_is_refused(clone: tuple[Path, Git]) -> None:
    work, git = clone
    git("checkout", "-q", "-b", "feature")
    git("commit", "-q", "--allow-empty", "-m", "two")
    git("tag", "v1.0.0")
    with pytest.raises(Problem, match=r"v1\.0\.0 is not on main"):
        ship.check_tag(work, parse("v1.0.0"))


@pytest.mark.parametrize(
    ("tags", "published", "refused"),
    [
        (["v1.0.0"], [], False),
        (["v1.0.0", "v0.9.0", "nightly", "v2"], ["v0.9.0"], False),
        (["v1.0.0", "v1.0.1"], [], True),
        (["v1.0.0"], ["v1.1.0"], True),
        (["v1.0.0", "v0.10.0"], [], False),
    ],
)
def test_only_the_newest_is_published(
    clone: tuple[Path, Git], tags: list[str], published: list[str], refused: bool
) -> None:
    work, git = clone
    for tag in tags:
        git("tag", tag)
    versions = tuple(map(parse, published))
    if refused:
        with pytest.raises(Problem, match=r"v1\.0\.0 is older than"):
            ship.check_newest(work, parse("v1.0.0"), versions)
    else:
        ship.check_newest(work, parse("v1.0.0"), versions)


@pytest.mark.parametrize(("value", "found"), [({}, False), ({"SLIPWAY_ENVIRONMENT": "production"}, True)])
def test_environment(value: dict[str, str], found: bool) -> None:
    assert ship.in_production(value) is found


def test_another_environment_is_refused() -> None:
    with pytest.raises(Problem, match="'staging' is no environment"):
        ship.in_production({"SLIPWAY_ENVIRONMENT": "staging"})
