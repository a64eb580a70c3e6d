"""The page of the rules is what the rules say."""

from ci.validate.documentation import PAGE
from policies.documentation import render
from policies.rule import discover


def test_page_is_generated() -> None:
    assert PAGE.read_text() == render(discover()), "run: .venv/bin/python -m ci.validate.documentation"
