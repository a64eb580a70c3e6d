import subprocess
from pathlib import Path

import pytest

from ci import git
from ci.problem import Problem


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "main.py").write_text("one")
    (folder / "other").write_text("x")
    run(folder, "init", "-q", "-b", "main")
    run(folder, "add", ".")
    run(folder, "commit", "-q", "-m", "one")
    return folder


def run(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode().strip()


def test_a_clean_tree_has_no_changes(source: Path) -> None:
    assert git.changes(source) == ()
    assert git.revision(source) == run(source, "rev-parse", "HEAD")


def test_changed_and_unknown_files_are_changes(source: Path) -> None:
    (source / "other").write_text("y")
    (source / "new").write_text("z")
    assert git.changes(source) == ("other", "new")


def test_a_folder_without_commit(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    with pytest.raises(Problem, match="has no commit to build from"):
        git.revision(tmp_path)


def test_an_export_is_the_commit_and_only_the_path(source: Path, tmp_path: Path) -> None:
    commit = git.revision(source)
    (source / "app" / "main.py").write_text("edited meanwhile")
    target = tmp_path / "target"
    target.mkdir()
    git.export(source, commit, "app", target)
    assert [str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()] == ["app/main.py"]
    assert (target / "app" / "main.py").read_text() == "one"


def test_a_remote_is_read_and_tagged_once(source: Path, tmp_path: Path) -> None:
    run(tmp_path, "clone", "-q", "--bare", str(source), "server.git")
    server = git.Remote((tmp_path / "server.git").as_uri(), {})
    first = git.revision(source)
    assert server.head() == first
    assert server.head("none") is None
    assert server.read("app/main.py") == "one"
    assert server.tag("v0.1.0") is None
    server.push_tag(source, first, "v0.1.0")
    server.push_tag(source, first, "v0.1.0")
    assert server.tag("v0.1.0") == first
    run(source, "commit", "-q", "--allow-empty", "-m", "two")
    with pytest.raises(Problem, match=r"tag v0\.1\.0 was not accepted"):
        server.push_tag(source, git.revision(source), "v0.1.0")
    assert server.tag("v0.1.0") == first


def test_an_annotated_tag_stands_for_its_commit(source: Path) -> None:
    run(source, "tag", "-a", "-m", "x", "v0.1.0")
    assert git.Remote(source.as_uri(), {}).tag("v0.1.0") == git.revision(source)


def test_a_missing_file_on_the_remote(source: Path) -> None:
    with pytest.raises(Problem, match="none is missing on main"):
        git.Remote(source.as_uri(), {}).read("none")


def test_a_remote_that_does_not_answer() -> None:
    with pytest.raises(Problem, match="does not answer") as raised:
        git.Remote("https://127.0.0.1:9/acme/slipway.git", {"GIT_TERMINAL_PROMPT": "0"}).head()
    assert raised.value.fix == "invoke bootstrap"


def test_the_recorded_version() -> None:
    assert (
        git.recorded_version("images:\n- {name: eks-app, newName: r/eks-app, newTag: v1.2.3}\n") == "v1.2.3"
    )
    assert git.recorded_version("images:\n- {name: r.example/eks-app, newTag: v1.2.3}\n") == "v1.2.3"


@pytest.mark.parametrize("text", ["", "images: []\n", "images:\n- {name: eks-web, newTag: v1.0.0}\n"])
def test_no_recorded_version(text: str) -> None:
    with pytest.raises(Problem, match="names no version of eks-app"):
        git.recorded_version(text)
