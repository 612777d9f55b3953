"""A real browser for tests: the one on PATH, else Playwright's own, else a skip that says how to get one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from tests.support.tools import missing_tool

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing of a test may leave this machine: Chromium's own update and telemetry traffic is switched off.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
]
_HOW_TO_GET_ONE = (
    "no browser: install chromium (apt-get install chromium) or run: .venv/bin/playwright install chromium"
)


@contextmanager
def launch_browser() -> Iterator[Browser]:
    """A headless Chromium.

    Playwright's synchronous API keeps an event loop running in this thread for as long as it is open, and
    ``asyncio.run`` fails meanwhile: hold it for a test module, never for the whole session.
    """
    with sync_playwright() as playwright:
        path = _find_browser(playwright)
        if path is None:
            missing_tool(_HOW_TO_GET_ONE)
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser a test module; import it by name into the module that uses it."""
    with launch_browser() as launched:
        yield launched


def _find_browser(playwright: Playwright) -> str | None:
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None
