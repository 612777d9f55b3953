"""uvicorn's HTTP/1.1 connection and what that lacks: bounds on headers, in bytes and time; the client's certificate."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from otel_feedback.service.connection_limits import DEFAULT_CONNECTION_LIMITS, ConnectionLimits

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 31\r\nconnection: close\r\n\r\n"
    b"The request's head is too large"
)


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. A client that sends a byte a second, or headers without end, is cut off."""

    def __init__(self, *, limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS, **options: Any) -> None:
        super().__init__(**options)
        self._limits = limits
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start the first request's time."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._head_is_complete()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and cut the connection off if the head is too large by now."""
        super().data_received(data)
        if self._head_timer is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > self._limits.head_bytes:
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request's first byte is here."""
        super().on_message_begin()
        extensions: dict[str, Any] = {"tls": {"client_cert_name": self._client_certificate_name()}}
        self.scope["extensions"] = extensions
        if self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is complete; the application takes its time for the body."""
        self._head_is_complete()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self._limits.head_seconds, self.transport.close)

    def _head_is_complete(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _client_certificate_name(self) -> str | None:
        """The subject of the verified client certificate, as ASGI's TLS extension has it; None without one."""
        certificate = self.transport.get_extra_info("peercert")
        if not certificate:
            return None
        parts = [f"{key}={value}" for group in certificate.get("subject", ()) for key, value in group]
        return ",".join(reversed(parts))
