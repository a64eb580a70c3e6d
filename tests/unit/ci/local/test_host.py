import json
import socket
import subprocess
from pathlib import Path

import pytest

from ci.local import engine, host

STATUS = "Name:\tx\nCapBnd:\t{:016x}\n"


def test_a_full_bounding_set_misses_nothing() -> None:
    assert host.missing_capabilities(STATUS.format((1 << 41) - 1)) == ()


def test_a_clear_bit_is_named() -> None:
    assert host.missing_capabilities(STATUS.format(((1 << 41) - 1) & ~(1 << 24))) == ("CAP_SYS_RESOURCE",)


def test_available_memory_is_in_bytes() -> None:
    assert host.available_memory("MemTotal: 9 kB\nMemAvailable:    2048 kB\n") == 2 * 2**20


def test_free_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert host.free_disk(tmp_path / "a" / "b") > 0


def test_a_listening_port_is_taken() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        server.listen()
        assert host.port_taken(port)
    assert not host.port_taken(port)


@pytest.fixture
def wrapper(tmp_path: Path) -> Path:
    """The wrapper for a host without two capabilities; runc itself is replaced by `true`."""
    text = Path(engine.__file__).with_name("runc-wrapper.sh").read_text()
    text = text.replace("@MISSING@", '["CAP_SYS_RESOURCE","CAP_BPF"]').replace("/usr/sbin/runc", "/bin/true")
    path = tmp_path / "wrapper"
    path.write_text(text)
    path.chmod(0o755)
    return path


def capabilities(*names: str) -> dict[str, list[str]]:
    return {"bounding": list(names), "effective": list(names)}


@pytest.mark.parametrize("flags", [["--bundle", "{}"], ["-b", "{}"], ["--bundle={}"]])
def test_create_loses_what_the_host_lacks(tmp_path: Path, wrapper: Path, flags: list[str]) -> None:
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({"process": {"capabilities": capabilities("CAP_CHOWN", "CAP_SYS_RESOURCE")}, "x": 1})
    )
    arguments = [flag.format(tmp_path) for flag in flags]
    subprocess.run([wrapper, "--root", "/r", "create", *arguments, "id"], check=True)
    assert json.loads(config.read_text()) == {
        "process": {"capabilities": capabilities("CAP_CHOWN")},
        "x": 1,
    }


def test_exec_loses_what_the_host_lacks(tmp_path: Path, wrapper: Path) -> None:
    process = tmp_path / "process.json"
    process.write_text(json.dumps({"capabilities": capabilities("CAP_BPF", "CAP_KILL")}))
    subprocess.run([wrapper, "exec", "--process", process, "id"], check=True)
    assert json.loads(process.read_text()) == {"capabilities": capabilities("CAP_KILL")}


def test_a_process_without_capabilities_stays_so(tmp_path: Path, wrapper: Path) -> None:
    process = tmp_path / "process.json"
    process.write_text(json.dumps({"args": ["sh"]}))
    subprocess.run([wrapper, "exec", "--process", process, "id"], check=True)
    assert json.loads(process.read_text()).get("capabilities") is None


def test_other_commands_pass_untouched(tmp_path: Path, wrapper: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text("not json")
    subprocess.run([wrapper, "delete", "--bundle", tmp_path, "id"], check=True)
    assert config.read_text() == "not json"
