"""A chart from a chart repository: pulled and rendered where one answers, noted where none does."""

import functools
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ci import shell, supply
from ci.settings import Settings
from ci.validate import tree
from ci.validate.tree import Tree
from tests.unit.ci.validate.conftest import Plant
from tests.unit.ci.validate.test_rendering import FILES, ROOT, walk

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {size: '{{ .Values.size }}'}\n"


@dataclass
class Charts:
    """A chart repository on 127.0.0.1."""

    helm: Path
    folder: Path
    asked: list[str] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.server_port}"

    def add(self, version: str, template: str = MAP) -> None:
        """Package the chart `thing`, with a definition, and index it."""
        source = self.folder.parent / "thing"
        for name, text in {
            "Chart.yaml": f"apiVersion: v2\nname: thing\nversion: {version}\n",
            "values.yaml": "size: small\n",
            "templates/map.yaml": template,
            "crds/things.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.x.y}\n",
        }.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text(text)
        shell.run(str(self.helm), "package", str(source), "--destination", str(self.folder))
        shell.run(str(self.helm), "repo", "index", str(self.folder), "--url", self.url)


@pytest.fixture
def charts(configuration: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Charts]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("SLIPWAY_SUPPLY", raising=False)
    folder = tmp_path / "charts" / "served"
    folder.mkdir(parents=True)
    made = Charts(supply.tool(configuration, "helm"), folder)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            made.asked.append(self.path)

    made.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    made.add("1.2.3")
    yield made
    made.server.shutdown()
    made.server.server_close()


def planted(plant: Plant, url: str, version: str = "1.2.3", values: str = "{}") -> Tree:
    source = f"chart: thing, repoURL: {url}, targetRevision: {version}, helm: {{valuesObject: {values}}}"
    return plant(
        {**FILES, "gitops/apps/main.yaml": ROOT.replace("path: gitops/apps", source).replace("root", "x")}
    )


def test_is_rendered_with_the_applications_values_name_and_namespace(plant: Plant, charts: Charts) -> None:
    given = planted(plant, charts.url, values="{size: large}")
    rendered, findings, kept = walk(given)
    definition, found = rendered["local"][f"{charts.url}#thing"]
    assert definition["kind"] == "CustomResourceDefinition"
    assert found["metadata"] == {"name": "x", "namespace": "argocd"}
    assert found["data"] == {"size": "large"}
    assert (findings, kept, given.notes) == ([], False, [])


def test_is_asked_for_once_and_kept(plant: Plant, charts: Charts) -> None:
    first = walk(planted(plant, charts.url))[0]
    charts.asked.clear()
    assert walk(planted(plant, charts.url)) == (first, [], True)
    assert walk(planted(plant, charts.url, values="{size: large}"))[1] == []
    assert charts.asked == []


def test_a_version_that_was_replaced_is_a_finding(plant: Plant, charts: Charts) -> None:
    given = planted(plant, charts.url)
    walk(given)
    shutil.rmtree(given.settings.cache / "charts")
    charts.add("1.2.3", MAP.replace("size:", "sizes:"))
    _, (finding,), _ = walk(planted(plant, charts.url, values="{size: large}"))
    assert "is locked" in finding.message
    assert str(finding.position) == "gitops/apps/main.yaml:4:17"


def test_a_version_that_is_not_there_is_a_finding(plant: Plant, charts: Charts) -> None:
    _, (finding,), _ = walk(planted(plant, charts.url, version="9.9.9"))
    assert finding.id == "RENDER"
    assert "chart thing 9.9.9 cannot be pulled" in finding.message


def test_a_silent_repository_is_noted_and_not_asked_again_soon(plant: Plant) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    given = planted(plant, url)
    rendered, findings, kept = walk(given)
    assert f"{url}#thing" not in rendered["local"]
    assert (findings, kept) == ([], False)
    note = "the repository of chart thing of local does not answer: its values are checked, not its output"
    assert given.notes == [note]
    (mark,) = (given.settings.cache / "charts").iterdir()
    seen = mark.stat().st_mtime_ns
    again = tree.load(given.settings, given.root)
    assert walk(again)[2] is True
    assert again.notes == [note]
    assert mark.stat().st_mtime_ns == seen


def test_is_left_out_where_all_is_built(
    plant: Plant, charts: Charts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_SUPPLY", "build")
    charts.asked.clear()
    given = planted(plant, charts.url)
    walk(given)
    assert len(given.notes) == 1
    assert charts.asked == []


def test_that_it_can_be_had_again_is_seen(
    plant: Plant, charts: Charts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_SUPPLY", "build")
    given = planted(plant, charts.url)
    walk(given)
    without = given.rendered
    monkeypatch.delenv("SLIPWAY_SUPPLY")
    walk(given)
    assert given.rendered != without
