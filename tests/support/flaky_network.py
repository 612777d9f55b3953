"""A TCP proxy between the service and its database that delays, throttles, cuts, swallows and refuses.

It runs on an event loop in a thread of its own; what it does to connections can be changed at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_PIECE_BYTES = 1 << 16


@dataclass
class Weather:
    """What happens to what passes from now on; ``cut_*_after`` count the bytes of one connection from then on.

    Attributes:
        swallows: connections are accepted and nothing passes, either way.
        refuses: connections are closed as soon as they are accepted, and those that are open are cut.
    """

    delay_seconds: float = 0.0
    bytes_per_second: int | None = None
    cut_request_after: int | None = None
    cut_answer_after: int | None = None
    swallows: bool = False
    refuses: bool = False


class FlakyNetwork:
    """Listens on ``port`` of 127.0.0.1 and passes on to another port there."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[Any]] = set()
        self._weather = Weather()
        self._passes = asyncio.Event()
        self.port = 0
        self.cuts = 0
        """How many connections were cut in the middle of a request or an answer."""

    def start(self) -> None:
        self._thread.start()
        self._run(self._listen())

    def stop(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def become(self, weather: Weather) -> None:
        """Let it be so, also for connections that are open. The bytes of each are counted anew."""
        self._run(self._become(weather))

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _listen(self) -> None:
        self._passes.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._cut_all()

    async def _become(self, weather: Weather) -> None:
        self._weather = weather
        if weather.swallows:
            self._passes.clear()
        else:
            self._passes.set()
        if weather.refuses:
            await self._cut_all()

    async def _cut_all(self) -> None:
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        to_target: asyncio.StreamWriter | None = None
        try:
            if self._weather.refuses:
                return
            from_target, to_target = await asyncio.open_connection("127.0.0.1", self._target_port)
            both = [
                asyncio.ensure_future(self._pass(reader, to_target, "cut_request_after")),
                asyncio.ensure_future(self._pass(from_target, writer, "cut_answer_after")),
            ]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in both:
                    each.cancel()
                await asyncio.gather(*both, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # the database is away, or the connection is cut
        finally:
            self._connections.discard(task)
            for each in (writer, to_target):
                if each is not None:
                    each.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: str) -> None:
        """Pass on one direction until an end is closed, or the weather cuts it."""
        weather, passed = self._weather, 0
        while piece := await reader.read(_PIECE_BYTES):
            await self._passes.wait()
            if self._weather is not weather:
                weather, passed = self._weather, 0
            await asyncio.sleep(weather.delay_seconds)
            limit = getattr(weather, cut)
            if limit is not None and passed + len(piece) > limit:
                writer.write(piece[: limit - passed])
                with contextlib.suppress(OSError):
                    await writer.drain()
                self.cuts += 1
                return
            writer.write(piece)
            await writer.drain()
            passed += len(piece)
            if weather.bytes_per_second:
                await asyncio.sleep(len(piece) / weather.bytes_per_second)


@contextmanager
def flaky_network(database_url: str) -> Iterator[tuple[FlakyNetwork, str]]:
    """A proxy in front of a database on this machine, and the database's URL through it."""
    parts = urlsplit(database_url)
    assert parts.port is not None
    network = FlakyNetwork(parts.port)
    network.start()
    try:
        through = parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{network.port}"))
        yield network, through.geturl()
    finally:
        network.stop()
