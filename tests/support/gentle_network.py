"""A TCP proxy between the servers of a cluster, which passes on that a connection ended, never that it was reset.

A server resets its connections to the others when a query fails. ClickHouse's library, which serves where there is no
program, ends with an uncaught exception when that meets a thread of it that waits for the next query.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

ELSEWHERE = "127.0.0.2"
"""Where it listens beside 127.0.0.1."""
_PIECE_BYTES = 1 << 18


@contextmanager
def gentle_network(routes: dict[int, int]) -> Iterator[None]:
    """Pass on what comes to each port, the key, to another port of 127.0.0.1, one way and back."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="gentle-network", daemon=True)
    thread.start()
    connections = _Connections()
    servers = asyncio.run_coroutine_threadsafe(_listen(routes, connections), loop).result(30)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_end(servers, connections), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Connections:
    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        """All that holds a connection of which one direction ended: the loop itself refers to tasks weakly."""

    async def pass_on(self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.closing(writer), contextlib.suppress(OSError):
                from_target, to_target = await asyncio.open_connection("127.0.0.1", target)
                with contextlib.closing(to_target):
                    await asyncio.gather(_pass(reader, to_target), _pass(from_target, writer))
        finally:
            self._tasks.discard(task)

    async def end(self) -> None:
        await asyncio.sleep(0)  # Connections that were accepted have begun, so that they close what they hold.
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(routes: dict[int, int], connections: _Connections) -> list[asyncio.Server]:
    return [
        await asyncio.start_server(partial(connections.pass_on, target), ["127.0.0.1", ELSEWHERE], port)
        for port, target in routes.items()
    ]


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until nothing more comes; what nobody wants any more is read all the same."""
    while True:
        try:
            piece = await reader.read(_PIECE_BYTES)
        except OSError:
            piece = b""
        if not piece:
            break
        with contextlib.suppress(OSError):
            writer.write(piece)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _end(servers: list[asyncio.Server], connections: _Connections) -> None:
    for server in servers:
        server.close()
    await connections.end()
