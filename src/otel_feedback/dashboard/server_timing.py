"""Says in each answer how long it took to make: ``Server-Timing``, which browsers' tools show."""

from __future__ import annotations

import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ServerTiming:
    """Puts the milliseconds from the request to the beginning of its answer into a header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the header when its answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_with_timing(message: Message) -> None:
            if message["type"] == "http.response.start":
                milliseconds = (time.perf_counter() - began) * 1000
                MutableHeaders(scope=message)["Server-Timing"] = f"total;dur={milliseconds:.1f}"
            await send(message)

        await self._app(scope, receive, send_with_timing)
