"""The page in a real browser."""

import re
import uuid
from pathlib import Path

from playwright.sync_api import expect

from ci.local import certificates
from tests.e2e.browser import opened
from tests.e2e.environment import Environment


def test_page_shows_version_and_takes_an_entry(environment: Environment, artifacts: Path) -> None:
    version = environment.version()["version"]
    description = f"browser {uuid.uuid4().hex[:8]} <b>&"
    settings = environment.settings
    certificate, _ = certificates.issue(settings, "edge", certificates.edge_names(settings))
    with opened(certificate) as (page, troubles):
        page.goto(environment.settings.url)
        expect(page.locator("#page-version")).to_have_text(version)
        expect(page.locator("#api-version")).to_have_text(version)
        before = environment.product.get("/api/entries?limit=1").json()
        page.get_by_label("Description").fill(description)
        page.get_by_label("Amount").fill("12.50")
        page.get_by_role("button", name="Add entry").click()
        row = page.locator("#entries tr", has_text=description)
        expect(row).to_have_count(1)
        expect(row).to_contain_text("12.50")
        expect(page.locator("#count")).to_have_text(re.compile(rf"^{before['count'] + 1} entr"))
        page.screenshot(path=artifacts / "page.png", full_page=True)
        page.reload()
        expect(page.locator("#entries tr", has_text=description)).to_have_count(1)
    assert troubles.seen == []
    after = environment.product.get("/api/entries?limit=1").json()
    assert (after["count"], after["sum"]) == (before["count"] + 1, before["sum"] + 1250)
    assert after["entries"][0]["description"] == description
