import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci import supply
from ci.local import host, kind, preflight
from ci.problem import Problem
from ci.settings import Settings, wiring


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings("slipway-unit", 29400, wiring("local"), tmp_path)


@pytest.fixture
def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "free_disk", lambda _folder: 100 * 2**30)


@pytest.fixture
def taken(settings: Settings) -> Iterator[int]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", settings.git_port))
        server.listen()
        yield settings.git_port


@pytest.mark.usefixtures("plenty")
def test_a_free_machine_passes(settings: Settings) -> None:
    preflight.check(settings, engine_answers=False)


@pytest.mark.usefixtures("plenty")
def test_a_taken_port_is_named_with_its_role(settings: Settings, taken: int) -> None:
    with pytest.raises(Problem) as caught:
        preflight.check(settings, engine_answers=False)
    assert caught.value.what == f"port {taken} on 127.0.0.1, needed for the git server, is taken"
    assert "SLIPWAY_PORT" in caught.value.fix


def test_too_little_disk_says_how_much_is_needed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "free_disk", lambda _folder: 3 * 2**30)
    with pytest.raises(Problem, match=r"3\.0 GiB are free .* 25 GiB are needed"):
        preflight.check(settings, engine_answers=False)
    (settings.cache / "images").mkdir()
    (settings.cache / "images" / "node-0123456789abcdef.tar").touch()
    assert preflight.disk_needed(settings) == host.DISK_NEEDED["cached"]


@pytest.mark.usefixtures("plenty")
def test_too_little_memory_says_how_much_is_needed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = host.Host(True, True, 2, (), 2**30, 2)
    monkeypatch.setattr(host, "read", lambda: poor)
    with pytest.raises(Problem, match=r"1\.0 GiB of memory are available, 6 GiB"):
        preflight.check(settings, engine_answers=False)


def test_kind_gets_the_wrapper_and_cgroup_setting_only_where_needed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "image", lambda _settings, _name: "node:1")
    monkeypatch.setattr(host, "read", lambda: host.Host(True, True, 2, (), 2**33, 2))
    plain = kind.configuration(settings, built=False, runc=None)
    assert "failCgroupV1" not in str(plain)
    assert "BinaryName" not in str(plain)
    assert plain["networking"]["disableDefaultCNI"] is False
    monkeypatch.setattr(host, "read", lambda: host.Host(True, True, 1, ("CAP_X",), 2**33, 2))
    special = kind.configuration(settings, built=True, runc=Path("/w"))
    assert "failCgroupV1: false" in str(special)
    assert "BinaryName" in str(special)
    assert {"hostPath": "/w", "containerPath": "/usr/local/sbin/slipway-runc", "readOnly": True} in special[
        "nodes"
    ][0]["extraMounts"]
