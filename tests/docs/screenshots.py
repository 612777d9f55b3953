"""``make screenshots``: the pictures of the docs, and every page in light, dark and on a phone to look at.

Taken of a real demo with its made-up history; the pages go to tests/artifacts/pages, the pictures to docs/images.
"""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize
from tests.support.browser import launch_browser
from tests.support.demo import RunningDemo, running_demo

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "tests" / "artifacts" / "pages"
PICTURES = ROOT / "docs" / "images"
WIDE: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RATED_SESSION = """
SELECT SessionId, TraceId, argMax(SpanId, Time) AS SpanId FROM feedback
WHERE ServiceName = 'shop-assistant' AND Comment != '' AND Label = 'negative' AND SessionId != '' AND TraceId != ''
GROUP BY SessionId, TraceId ORDER BY max(length(Comment)) DESC, SessionId LIMIT 1
"""


def main() -> None:
    PAGES.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as demo, launch_browser() as browser:
        take_pages(demo, browser)
        take_pictures(demo, browser)
        demo.end(signal.SIGINT)


def take_pages(demo: RunningDemo, browser: Browser) -> None:
    """Each page as a whole, in each look."""
    (rated,) = demo.sql(RATED_SESSION)
    (user,) = demo.sql("SELECT UserId FROM users ORDER BY Calls DESC, UserId LIMIT 1")
    paths = {
        "overview": "/",
        "overview-30-days": "/?range=30d",
        "feedback": "/feedback",
        "users": "/users",
        "user": f"/users/{user['UserId']}",
        "sessions": "/sessions",
        "session": f"/sessions/{rated['SessionId']}",
        "trace": f"/traces/{rated['TraceId']}",
    }
    for name, path in paths.items():
        for size, viewport in (("wide", WIDE), ("phone", PHONE)):
            for scheme in SCHEMES:
                page = _open(browser, demo.dashboard + path, viewport, scheme)
                page.screenshot(path=PAGES / f"{name}-{size}-{scheme}.png", full_page=True)
                page.close()


def take_pictures(demo: RunningDemo, browser: Browser) -> None:
    """What the README and docs/dashboard.md show, in light and dark: a rated session, the overview, the users."""
    (rated,) = demo.sql(RATED_SESSION)
    for scheme in SCHEMES:
        paths = {"session": f"/sessions/{rated['SessionId']}", "overview": "/?range=30d", "users": "/users"}
        for name, path in paths.items():
            page = _open(browser, demo.dashboard + path, WIDE, scheme)
            page.screenshot(path=PICTURES / f"{name}-{scheme}.png")
            page.close()


def _open(browser: Browser, url: str, viewport: ViewportSize, scheme: Literal["light", "dark"]) -> Page:
    page = browser.new_page(viewport=viewport, color_scheme=scheme)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return page


if __name__ == "__main__":
    main()
