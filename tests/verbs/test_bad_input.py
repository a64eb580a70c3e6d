"""What every verb says to bad input where there is no environment: two lines, exit 1, no trace."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.invocation import invoke
from tests.ports import free_range

DEAD_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment that does not exist, in a cache that must still not exist afterwards."""
    port = free_range(5)
    cache = tmp_path / "cache"
    yield {"SLIPWAY_NAME": "slipway-nowhere", "SLIPWAY_PORT": str(port), "SLIPWAY_CACHE": str(cache)}
    left = [str(path.relative_to(cache)) for path in cache.rglob("*")]
    assert left == []


@pytest.mark.parametrize(
    ("verb", "version"),
    [("build", "1.2.3"), ("build", "latest"), ("push", "v1.2"), ("push", "v1.2.3-rc.1"),
     ("release", "v01.2.3"), ("release", "v1.2.3+1"), ("release", "v1.2.3 ")],
)  # fmt: skip
def test_version_must_be_three_numbers(nowhere: dict[str, str], verb: str, version: str) -> None:
    invoke(verb, "--version", version, env=nowhere).refused("is not a version", "v1.2.3")


@pytest.mark.parametrize("verb", ["build", "push", "release"])
def test_version_must_be_given(nowhere: dict[str, str], verb: str) -> None:
    invoke(verb, env=nowhere).refused(f"'{verb}' needs --version", f"invoke {verb} --help")


@pytest.mark.parametrize("verb", ["bootstrap", "build", "push", "release", "status", "doctor", "destroy"])
def test_help_needs_nothing(nowhere: dict[str, str], verb: str) -> None:
    ended = invoke(verb, "--help", env=nowhere | DEAD_ENGINE)
    assert (ended.code, ended.err) == (0, "")
    assert "Docstring:" in ended.out


@pytest.mark.parametrize(
    "argv", [("status",), ("status", "--json"), ("release", "--version", "v9.9.9")], ids=" ".join
)
def test_no_cluster(nowhere: dict[str, str], argv: tuple[str, ...]) -> None:
    invoke(*argv, env=nowhere).refused("there is no cluster 'slipway-nowhere'", "invoke bootstrap")


def test_push_without_registry(nowhere: dict[str, str]) -> None:
    invoke("push", "--version", "v9.9.9", env=nowhere).refused("no registry answers", "invoke bootstrap")


def test_build_without_engine(nowhere: dict[str, str]) -> None:
    invoke("build", "--version", "v9.9.9", env=nowhere | DEAD_ENGINE).refused("no Docker engine answers")


def test_destroy_without_engine_keeps_the_secrets(tmp_path: Path) -> None:
    """The volumes are still there, and without their secrets nobody could open them again."""
    secret = tmp_path / "environments" / "slipway-nowhere" / "secrets" / "database-password"
    secret.parent.mkdir(parents=True)
    secret.write_text("x")
    env = {"SLIPWAY_NAME": "slipway-nowhere", "SLIPWAY_CACHE": str(tmp_path)} | DEAD_ENGINE
    invoke("destroy", "--yes", "--keep-cache", env=env).refused("no Docker engine answers")
    assert secret.exists()


def test_bootstrap_leaves_a_chosen_engine_alone(nowhere: dict[str, str], big_cache: None) -> None:
    invoke("bootstrap", env=nowhere | DEAD_ENGINE).refused(
        "DOCKER_HOST=unix:///nonexistent", "unset DOCKER_HOST"
    )


@pytest.fixture
def big_cache(nowhere: dict[str, str]) -> Iterator[None]:
    """Let the cache look filled: a bootstrap then asks for less disk than any machine that ran one has."""
    cache = Path(nowhere["SLIPWAY_CACHE"])
    (cache / "images").mkdir(parents=True)
    archive = cache / "images" / "node-0123456789abcdef.tar"
    archive.touch()
    yield
    archive.unlink()
    (cache / "images").rmdir()


@pytest.mark.parametrize(
    ("verb", "offset"), [("bootstrap", 0), ("bootstrap", 1), ("doctor", 2), ("doctor", 3)]
)
def test_port_is_taken(nowhere: dict[str, str], big_cache: None, verb: str, offset: int) -> None:
    port = int(nowhere["SLIPWAY_PORT"]) + offset
    with socket.create_server(("127.0.0.1", port)):
        ended = invoke(verb, env=nowhere | DEAD_ENGINE)
    ended.refused(f"port {port} on 127.0.0.1, .* is taken", "SLIPWAY_PORT")


@pytest.mark.parametrize("verb", ["bootstrap", "doctor"])
def test_disk_is_full(nowhere: dict[str, str], verb: str) -> None:
    # /proc is a file system without a free byte, for any user.
    invoke(verb, env=nowhere | {"SLIPWAY_CACHE": "/proc/slipway"}).refused(
        r"0\.0 GiB are free where /proc/slipway is", "SLIPWAY_CACHE"
    )


@pytest.mark.parametrize(
    ("verb", "name"),
    [("bootstrap", "Slipway"), ("build", "a_b"), ("push", "-x"), ("release", "a b"), ("status", "x" * 32),
     ("doctor", "é"), ("destroy", "../x")],
)  # fmt: skip
def test_name_must_be_usable(nowhere: dict[str, str], verb: str, name: str) -> None:
    version = ("--version", "v9.9.9") if verb in ("build", "push", "release") else ()
    ended = invoke(verb, *version, env=nowhere | {"SLIPWAY_NAME": name})
    ended.refused("SLIPWAY_NAME", "lower-case letters")


@pytest.mark.parametrize("port", ["80", "-1", "65501", "http"])
def test_port_must_be_usable(nowhere: dict[str, str], port: str) -> None:
    invoke("status", env=nowhere | {"SLIPWAY_PORT": port}).refused("SLIPWAY_PORT", "1024 to 65500")


def test_supply_mode_must_exist(nowhere: dict[str, str], big_cache: None) -> None:
    invoke("doctor", env=nowhere | {"SLIPWAY_SUPPLY": "steal"}).refused("SLIPWAY_SUPPLY 'steal'", "auto")


def test_destroy_asks_and_takes_no_answer_for_no(nowhere: dict[str, str]) -> None:
    ended = invoke("destroy", env=nowhere).refused("nothing was removed", "--yes")
    assert "environment 'slipway-nowhere'" in ended.out


@pytest.mark.parametrize(
    "argv", [("relaese",), ("status", "--jsn"), ("release", "--version"), ("destroy", "-y")]
)
def test_what_invoke_itself_refuses_has_two_lines_too(nowhere: dict[str, str], argv: tuple[str, ...]) -> None:
    invoke(*argv, env=nowhere).refused("", "invoke --list")
