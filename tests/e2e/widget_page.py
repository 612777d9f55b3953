"""A page with widgets under a strict CSP, in front of the real FeedbackMiddleware, whose failures can be ordered."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from otel_feedback.rating import Scope, Target
from otel_feedback.sdk.asgi import FeedbackMiddleware
from otel_feedback.tokens import Grant, Keyring

KEY = "key-of-the-widget-page"
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 40rem; padding: 0 1rem;
       background: light-dark(#fff, #14161a); color: light-dark(#1a1d21, #e6e8eb); }
"""
COLLECT_EVENTS = """
window.heard = [];
for (const type of ["feedback-saved", "feedback-retracted", "feedback-error"])
  document.addEventListener(type, (event) => window.heard.push({ type, detail: event.detail }));
"""


def token_for(trace_number: int, rater: str = "u-7") -> str:
    """A token for an LLM call of its own."""
    target = Target(Scope.SPAN, trace_id=f"{trace_number:032x}", span_id=f"{trace_number:016x}")
    return Keyring((KEY,)).mint(Grant(target, rater))


class WidgetPage:
    """The ASGI app. ``/?trace=1&type=stars&...`` shows one widget with these attributes.

    Attributes:
        failures: how many of the next requests to the endpoint are answered with 503.
        requests: method and body of every request that reached the endpoint.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.requests: list[tuple[str, bytes]] = []
        self._feedback = FeedbackMiddleware(self._serve_page, keys=(KEY,))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/v1/feedback":
            await self._feedback(scope, receive, send)
            return
        message = await receive()
        self.requests.append((scope["method"], message.get("body", b"")))
        if self.failures:
            self.failures -= 1
            await _answer(send, 503, "application/json", b'{"error": {"code": "busy", "message": "try again"}}')
            return

        async def receive_again() -> Any:
            return message

        await self._feedback(scope, receive_again, send)

    async def _serve_page(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002  # ASGI's signature
        match scope["path"]:
            case "/":
                attributes = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
                await _answer(send, 200, "text/html; charset=utf-8", _page(attributes).encode())
            case "/page.css":
                await _answer(send, 200, "text/css", STYLE.encode())
            case "/page.js":
                await _answer(send, 200, "text/javascript", COLLECT_EVENTS.encode())
            case _:
                await _answer(send, 404, "text/plain", b"")


def _page(attributes: Mapping[str, str]) -> str:
    chosen = dict(attributes)
    if trace := chosen.pop("trace", ""):
        chosen.setdefault("token", token_for(int(trace)))
    written = " ".join(f'{name}="{escape(value)}"' for name, value in chosen.items())
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Chat</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="/page.css">
<script src="/page.js"></script><script type="module" src="/feedback.js"></script>
<main><h1>Chat</h1><p>The capital of Australia is Canberra. It was chosen in 1908 as a compromise between Sydney and
Melbourne, and its plan was drawn by Walter Burley Griffin and Marion Mahony Griffin.</p>
<llm-feedback {written}></llm-feedback></main></html>"""


async def _answer(send: Any, status: int, content_type: str, body: bytes) -> None:
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", POLICY.encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
