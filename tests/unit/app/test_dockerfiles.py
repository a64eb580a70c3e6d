"""What the bake file and the Dockerfiles promise each other."""

import re
from pathlib import Path

import pytest

from ci.settings import IMAGES

APP = Path(__file__).resolve().parents[3] / "app"
DOCKERFILES = {"eks-app": APP, "eks-migration": APP / "migration", "eks-web": APP / "web"}


def _text(image: str) -> str:
    return (DOCKERFILES[image] / "Dockerfile").read_text()


def _stages(image: str) -> list[str]:
    return re.split(r"(?m)^(?=FROM )", _text(image))[1:]


def test_python_stage_is_the_same_so_that_its_layer_is_shared() -> None:
    assert len({_stages(image)[0] for image in IMAGES}) == 1


def test_dependencies_are_installed_the_same_way() -> None:
    stages = {
        _stages(image)[1].partition("-r /requirements.lock")[0] for image in ("eks-app", "eks-migration")
    }
    assert len(stages) == 1
    assert "--require-hashes" in stages.pop()


@pytest.mark.parametrize("image", IMAGES)
def test_version_comes_after_every_layer_of_the_final_stage(image: str) -> None:
    final = _stages(image)[-1]
    first = final.index("ARG VERSION")
    assert not re.search(r"(?m)^(RUN|COPY|ADD|WORKDIR) ", final[first:])
    assert "USER 10001:10001" in final
    assert f'title="{image}"' in final


@pytest.mark.parametrize("folder", [APP, APP / "migration"], ids=["app", "migration"])
def test_lock_has_every_requirement_with_hashes(folder: Path) -> None:
    lock = (folder / "requirements.lock").read_text()
    locked = dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", lock))
    wanted = re.findall(r"(?m)^([a-z0-9-]+)", (folder / "requirements.in").read_text())
    assert set(wanted) <= set(locked)
    for name in locked:
        block = lock.split(f"\n{name}==", 1)[1].split("\n    # via", 1)[0]
        assert "--hash=sha256:" in block, name


def test_both_images_have_the_same_driver() -> None:
    versions = [
        re.findall(r"(?m)^psycopg(?:-binary)?==(\S+)", (folder / "requirements.lock").read_text())
        for folder in (APP, APP / "migration")
    ]
    assert versions[0] == versions[1]


def test_bake_file_has_exactly_the_images_in_publishing_order() -> None:
    bake = (APP / "docker-bake.hcl").read_text()
    (group,) = re.findall(r"targets = \[(.*?)\]", bake)
    assert tuple(re.findall(r'"([\w-]+)"', group)) == IMAGES
    for image in IMAGES:
        assert f'tags     = ["${{REGISTRY}}/{image}:${{VERSION}}"]' in bake
