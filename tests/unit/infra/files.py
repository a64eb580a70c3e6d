"""An environment's files in a folder of their own, so that a test can spoil them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from ci.settings import ROOT


def copy(root: Path) -> Path:
    for folder in ("infra/parameters", "infra/templates", "gitops/wiring"):
        shutil.copytree(ROOT / folder, root / folder)
    return root


def parameters(root: Path, environment: str = "production") -> Path:
    return root / "infra" / "parameters" / f"{environment}.yaml"


def wiring(root: Path, environment: str = "production") -> Path:
    return root / "gitops" / "wiring" / environment / "wiring.yaml"


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Let `change` alter the file's data in place."""
    data = yaml.safe_load(path.read_text())
    change(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def put(path: Path, place: str, value: Any) -> None:
    """Set the value at a dotted place."""

    def change(data: Any) -> None:
        *way, last = place.split(".")
        for name in way:
            data = data[name]
        data[last] = value

    edit(path, change)
