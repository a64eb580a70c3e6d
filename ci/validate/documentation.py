"""`python -m ci.validate.documentation`: write docs/policies.md anew."""

from ci.settings import ROOT
from policies.documentation import render
from policies.rule import discover

PAGE = ROOT / "docs" / "policies.md"

if __name__ == "__main__":
    PAGE.write_text(render(discover()))
