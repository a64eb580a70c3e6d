from pathlib import Path

from ci.build import _cause, pip_options, secrets


def test_pip_settings_of_the_host_without_its_paths(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("[global]\nindex-url = https://one.example/simple\ncert = /host/only.pem\n")
    second.write_text("[install]\nextra-index-url =\n  https://two.example\n  https://three.example\n")
    assert pip_options([first, second], {"PIP_TIMEOUT": "60", "PIP_FIND_LINKS": "/host"}) == {
        "index-url": "https://one.example/simple",
        "extra-index-url": "https://two.example https://three.example",
        "timeout": "60",
    }


def test_a_variable_wins_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("[global]\nindex-url = https://one.example\n")
    options = pip_options([tmp_path / "a"], {"PIP_INDEX_URL": "https://other.example"})
    assert options == {"index-url": "https://other.example"}


def test_no_pip_settings(tmp_path: Path) -> None:
    assert pip_options([tmp_path / "missing"], {}) == {}


def test_secrets_are_files_that_only_the_owner_reads(tmp_path: Path) -> None:
    (tmp_path / "bundle.pem").write_text("x")
    environment = {
        "SSL_CERT_FILE": str(tmp_path / "gone.pem"),
        "PIP_CERT": str(tmp_path / "bundle.pem"),
        "PIP_INDEX_URL": "https://user:word@index.example/simple",  # pragma: allowlist secret
    }
    found = secrets(environment, tmp_path, tmp_path)
    assert found["CA_BUNDLE"] == tmp_path / "bundle.pem"
    wanted = "[global]\nindex-url = https://user:word@index"  # pragma: allowlist secret
    assert found["PIP_CONFIG"].read_text().startswith(wanted)
    assert found["PIP_CONFIG"].stat().st_mode & 0o777 == 0o600


def test_the_cause_of_a_failed_build() -> None:
    output = "#5 RUN x\n#5 1.0 no such thing\nERROR: failed to solve: exit code: 2\n\n"
    assert _cause(output) == "ERROR: failed to solve: exit code: 2"
    assert _cause("one\ntwo\n") == "two"
    assert _cause("") == "it said nothing"
