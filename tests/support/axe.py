"""axe-core from npm: finds accessibility mistakes in a page that a real browser has drawn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.tools import npm_file

if TYPE_CHECKING:
    from playwright.sync_api import Page

VERSION = "4.14.1"


def axe_source() -> str:
    """The script, fetched once; without npm the test is skipped."""
    return npm_file("axe-core", VERSION, "package/axe.min.js").read_text(encoding="utf-8")


def violations(page: Page, source: str) -> list[str]:
    """What axe-core finds wrong with the page as it is drawn now: one line a rule, with the elements."""
    page.evaluate(source)
    found = json.loads(page.evaluate("async () => JSON.stringify((await axe.run()).violations)"))
    return [
        f"{each['id']} ({each['impact']}): {each['help']}: " + "; ".join(node["html"][:160] for node in each["nodes"])
        for each in found
    ]
