import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from ci.settings import ROOT

Program = Callable[[str], ModuleType]


@pytest.fixture(scope="session")
def program() -> Program:
    """Load a program that lives in an image's recipe; no bytecode is left there (it would be content)."""

    def load(path: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(path.replace("/", "_").removesuffix(".py"),
                                                      ROOT / "ci/supply/images" / path)  # fmt: skip
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses look their module up
        before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            spec.loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = before
        return module

    return load
