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

ELSEWHERE = "127.0.0.2"
"""Where it listens beside 127.0.0.1."""
_PIECE_BYTES = 1 << 18


@contextmanager
def gentle_network(routes: dict[int, int]) -> Iterator[None]:
    """Pass on what comes to each port, the key, to another port of 127.0.0.1, one way and back."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="gentle-network", daemon=True)
    thread.start()
    servers = [
        asyncio.run_coroutine_threadsafe(_listen(port, target), loop).result(30) for port, target in routes.items()
    ]
    try:
        yield
    finally:
        for server in servers:
            loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_end_connections(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _listen(port: int, target: int) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            from_target, to_target = await asyncio.open_connection("127.0.0.1", target)
            with contextlib.closing(to_target):
                await asyncio.gather(_pass(reader, to_target), _pass(from_target, writer))
        writer.close()

    return await asyncio.start_server(connected, ["127.0.0.1", ELSEWHERE], port)


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


async def _end_connections() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
