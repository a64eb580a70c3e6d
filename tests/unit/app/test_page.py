import base64
import hashlib
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

WEB = Path(__file__).resolve().parents[3] / "app" / "web"


@pytest.fixture
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("page_build", WEB / "page" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_shows_its_version(build: ModuleType, tmp_path: Path) -> None:
    build.write("v1.2.3", "0123456789abcdef", tmp_path / "out")
    page = (tmp_path / "out/html/index.html").read_text()
    assert '<dd id="page-version" title="revision 0123456789ab">v1.2.3</dd>' in page
    assert '<meta name="version" content="v1.2.3">' in page
    assert "{{" not in page
    version = json.loads((tmp_path / "out/html/version.json").read_text())
    assert version == {"version": "v1.2.3", "revision": "0123456789abcdef"}


def test_version_cannot_inject_markup(build: ModuleType) -> None:
    assert "<b>" not in build.page('"><b>', "x")


def test_policy_has_the_digests_of_what_the_page_holds(build: ModuleType) -> None:
    page, headers = build.page("v1", "x"), build.headers()
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in headers


def test_page_has_no_external_resource_and_no_inline_handler(build: ModuleType) -> None:
    page = build.page("v1", "x")
    references = re.findall(r"""(?:src|href|action)\s*=\s*["'](\w+:)""", page)
    assert references == ["data:"]
    assert re.findall(r"""\s(?:on\w+|style)\s*=\s*["']""", page) == []
    assert "innerHTML" not in page


def test_every_id_that_the_script_uses_exists() -> None:
    used = set(re.findall(r'\bat\("([\w-]+)"\)', (WEB / "page/script.js").read_text()))
    used |= set(re.findall(r'\bsay\("([\w-]+)"', (WEB / "page/script.js").read_text()))
    ids = re.findall(r'\bid="([\w-]+)"', (WEB / "page/index.html").read_text())
    assert len(ids) == len(set(ids))
    assert used - set(ids) == set()


def test_nginx_closes_idle_connections_before_the_api_does() -> None:
    from ledger import server

    conf = (WEB / "nginx.conf").read_text()
    (upstream,) = re.findall(r"upstream api \{(.*?)\n    \}", conf, re.DOTALL)
    (seconds,) = re.findall(r"keepalive_timeout (\d+)s;", upstream)
    assert int(seconds) < server._KEEP_ALIVE_SECONDS
