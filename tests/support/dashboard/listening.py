"""What a browser complains of while it shows pages: errors, warnings, broken rules of the policy, failed requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def listen(page: Page) -> list[str]:
    """A list that grows with each complaint; an answer that a test means to be an error is none."""
    complaints: list[str] = []

    def on_console(message: object) -> None:
        kind, text = message.type, message.text  # type: ignore[attr-defined]  # Playwright's ConsoleMessage
        # Chromium also logs each answer with an error status as one; whether it is right is a matter of the test's.
        if kind in {"error", "warning"} and not text.startswith("Failed to load resource: the server responded"):
            complaints.append(text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    # A page that is left takes back what it still asks for.
    page.on(
        "requestfailed",
        lambda request: (
            None
            if request.failure == "net::ERR_ABORTED"
            else complaints.append(f"failed: {request.url} {request.failure}")
        ),
    )
    return complaints
