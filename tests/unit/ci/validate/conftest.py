"""Small trees for validate's parts, and a cache of their own."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ci import settings
from ci.settings import Settings
from ci.validate import tree
from ci.validate.tree import Tree

Plant = Callable[[Mapping[str, str]], Tree]


@pytest.fixture
def configuration() -> Settings:
    return settings.load()


@pytest.fixture
def plant(configuration: Settings, tmp_path: Path) -> Plant:
    """Returns a tree of these files; what it learns is kept beside it and not on the machine."""
    own = settings.Settings("validate-test", 1024, configuration.wiring, tmp_path / "cache")
    # The tools are the machine's: made once, found by content.
    (tmp_path / "cache").mkdir()
    for name in ("bin", "mirrors", "go", "toolchain"):
        (configuration.cache / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / name).symlink_to(configuration.cache / name)

    def planted(files: Mapping[str, str]) -> Tree:
        root = tmp_path / "tree"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tree.load(own, root)

    return planted
