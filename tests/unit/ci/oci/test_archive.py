import io
import json
import tarfile
from pathlib import Path

import pytest

from ci.oci.archive import Archive
from ci.oci.media import CONFIG, digest

BASE, APP, WEB = b"base layer", b"app layer", b"web layer"


def config(*layers: bytes, **labels: str) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [digest(layer) for layer in layers]}
    return json.dumps({"config": {"Labels": labels or None}, "rootfs": rootfs}).encode()


def write(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type = tarfile.SYMTYPE
            member.linkname = target
            archive.addfile(member)
    return path


def old_layout(path: Path) -> Path:
    """As engine 20.10 saves two images that share a layer: the second one links to the first's."""
    app, web = config(BASE, APP, title="app"), config(BASE, WEB)
    listing = [
        {"Config": "1.json", "RepoTags": ["r/app:v1"], "Layers": ["aa/layer.tar", "bb/layer.tar"]},
        {"Config": "2.json", "RepoTags": ["r/web:v1"], "Layers": ["cc/layer.tar", "dd/layer.tar"]},
    ]
    files = {
        "1.json": app, "2.json": web, "aa/layer.tar": BASE, "bb/layer.tar": APP, "dd/layer.tar": WEB,
        "manifest.json": json.dumps(listing).encode(),
    }  # fmt: skip
    return write(path, files, {"cc/layer.tar": "../aa/layer.tar"})


def new_layout(path: Path) -> Path:
    """As engine 25 and later save: an OCI layout with the old manifest.json beside it."""
    app, web = config(BASE, APP, title="app"), config(BASE, WEB)
    name = {content: f"blobs/sha256/{digest(content)[7:]}" for content in (app, web, BASE, APP, WEB)}
    listing = [
        {"Config": name[app], "RepoTags": ["r/app:v1"], "Layers": [name[BASE], name[APP]]},
        {"Config": name[web], "RepoTags": ["r/web:v1"], "Layers": [name[BASE], name[WEB]]},
    ]
    files = {f"./{path}": content for content, path in name.items()}
    return write(path, {**files, "oci-layout": b"{}", "manifest.json": json.dumps(listing).encode()})


@pytest.mark.parametrize("layout", [old_layout, new_layout])
def test_both_layouts_say_the_same(layout: object, tmp_path: Path) -> None:
    assert callable(layout)
    with Archive(layout(tmp_path / "images.tar")) as archive:
        app, web = archive.images()
        assert archive.image("r/web:v1") == web
    assert (app.reference, web.reference) == ("r/app:v1", "r/web:v1")
    assert [layer.diff_id for layer in web.layers] == [digest(BASE), digest(WEB)]
    contents = []
    for layer in (*app.layers, *web.layers):
        with layer.open() as stream:
            contents.append(stream.read())
    assert contents == [BASE, APP, BASE, WEB]
    assert app.labels == {"title": "app"}
    assert web.labels == {}
    assert (app.descriptor.media_type, app.descriptor.digest) == (CONFIG, digest(app.config))


def test_an_image_that_was_not_saved(tmp_path: Path) -> None:
    with (
        Archive(old_layout(tmp_path / "images.tar")) as archive,
        pytest.raises(ValueError, match="has no image r/app:v2"),
    ):
        archive.image("r/app:v2")


def test_a_lacking_layer_is_named(tmp_path: Path) -> None:
    listing = [{"Config": "1.json", "RepoTags": ["r/app:v1"], "Layers": ["aa/layer.tar"]}]
    files = {"1.json": config(BASE), "manifest.json": json.dumps(listing).encode()}
    with (
        Archive(write(tmp_path / "images.tar", files, {"aa/layer.tar": "../aa/layer.tar"})) as archive,
        pytest.raises(ValueError, match=r"lacks aa/layer\.tar"),
    ):
        archive.images()


def test_layers_and_configuration_must_agree(tmp_path: Path) -> None:
    listing = [{"Config": "1.json", "RepoTags": ["r/app:v1"], "Layers": ["aa/layer.tar"]}]
    files = {"1.json": config(BASE, APP), "aa/layer.tar": BASE, "manifest.json": json.dumps(listing).encode()}
    with (
        Archive(write(tmp_path / "images.tar", files)) as archive,
        pytest.raises(ValueError, match="names 1 layers, its config 2"),
    ):
        archive.images()
