"""Serves the dashboard over an embedded engine of its own: an engine's directory belongs to one process.

``python -m tests.support.dashboard.process FOLDER empty|sample`` prints one line of JSON with the addresses, and ends
when its standard input does, so that it never outlives the tests.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import uvicorn
from tests.support.dashboard.sample import make_sample

from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.dashboard.access import Access
from otel_feedback.dashboard.app import create_app
from otel_feedback.dashboard.pages import downloads
from otel_feedback.settings import Settings

API_TOKEN = "api-token-of-the-tests"
DASHBOARD_TOKEN = "dashboard-token-of-the-tests"
FORMER_TOKEN = "former-token-of-the-tests"


def main() -> None:
    downloads.COLLECTIONS = tuple(
        replace(each, batch_rows=25) for each in downloads.COLLECTIONS
    )  # more than one a file
    folder, content = Path(sys.argv[1]), sys.argv[2]
    database = connect(f"chdb://{folder / 'clickhouse'}")
    settings = Settings.load({})
    migrate(database, settings)
    known: dict[str, object] = {}
    if content == "sample":
        sample = make_sample(time.time_ns())
        sample.history.write(database, folder, "sample")
        known = {"calls": sample.calls, "rated_calls": sample.rated_calls, "ratings": sample.ratings}
    guarded = replace(settings, dashboard_token=(DASHBOARD_TOKEN, FORMER_TOKEN))
    apps = {
        "open": create_app(database, settings, Access(settings, API_TOKEN)),
        "guarded": create_app(database, guarded, Access(guarded, API_TOKEN)),
        "tight": create_app(database, settings, Access(settings, API_TOKEN), page_limits={"max_rows_to_read": 20}),
    }
    servers = [uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")) for app in apps.values()]
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in apps]
    addresses = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    print(json.dumps({**dict(zip(apps, addresses, strict=True)), **known}), flush=True)
    threading.Thread(target=_end_with_input, args=(servers,), daemon=True).start()
    asyncio.run(_serve(servers, sockets))
    database.close()


async def _serve(servers: list[uvicorn.Server], sockets: list[socket.socket]) -> None:
    await asyncio.gather(*(each.serve([its_socket]) for each, its_socket in zip(servers, sockets, strict=True)))


def _end_with_input(servers: list[uvicorn.Server]) -> None:
    sys.stdin.read()
    for server in servers:
        server.should_exit = True


if __name__ == "__main__":
    main()
