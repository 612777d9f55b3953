"""An ASGI app on uvicorn inside a running event loop: bind, serve, stop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import Iterator
from typing import Any, Final, cast

import uvicorn

from otel_feedback.service.connection_limits import DEFAULT_CONNECTION_LIMITS, ConnectionLimits
from otel_feedback.service.http_protocol import BoundedHttpProtocol
from otel_feedback.service.listening import bind
from otel_feedback.settings import Address

_BACKLOG: Final = 1024
_GRACE_SECONDS: Final = 5


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers: whoever runs the event loop decides when it ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """One app on one address."""

    def __init__(
        self,
        app: Any,
        address: Address,
        variable: str,
        *,
        tls: ssl.SSLContext | None = None,
        limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS,
    ) -> None:
        """``tls`` has the certificate; where it verifies that of a client, the app decides who needs one."""
        self._app = app
        self._address = address
        self._variable = variable
        self._tls = tls
        self._limits = limits
        self._server: _Server | None = None
        self._socket: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it can be reached, with the port that was picked."""
        if self._socket is None:
            raise RuntimeError("the server is not started")
        port = self._socket.getsockname()[1]
        return f"{'https' if self._tls else 'http'}://{Address(self._address.host, port)}"

    async def start(self) -> None:
        """Bind and serve; returns once requests are answered.

        Raises:
            ConfigurationError: the address can't be bound.
        """
        config = uvicorn.Config(
            self._app,
            http=cast("type[asyncio.Protocol]", functools.partial(BoundedHttpProtocol, limits=self._limits)),
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=int(self._limits.idle_seconds),
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        config.load()
        config.ssl = self._tls  # uvicorn's own would be made of files, once
        self._socket = bind(self._address, self._variable)
        self._socket.listen(_BACKLOG)
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not self._server.started:
            if self._serving.done():
                self._serving.result()
                raise RuntimeError(f"the HTTP server on {self._address} ended before it served")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Take no new connections, let requests under way finish for a few seconds, and end."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
        if self._socket is not None:
            self._socket.close()
