"""Marks and time limits by folder, so that no test has to repeat them."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = {"unit": 30, "verbs": 60, "integration": 180, "e2e": 900}
"""How long a test may take before it is stopped and says where it was."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its folder's name and limit."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0] if item.path.is_relative_to(HERE) else ""
        if folder in ("integration", "e2e"):
            item.add_marker(folder)
        if folder in SECONDS and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(SECONDS[folder]))
