"""``make bench-dashboard``: how long pages take while readers walk through them and spans come in.

On the data that ``make bench-data`` made in OTEL_FEEDBACK_DATA_DIR, in a service of its own. Each reader opens a page,
and with the overview its charts, reads for a moment, and goes on as people do: from a list to its next page and to one
of what it lists. Times are the server's own (``Server-Timing``): from the request to the beginning of its answer.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import random
import re
import statistics
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.benchmarks.freshness import send_spans
from tests.support.browser import launch_browser
from tests.support.service import running_service

MOST_P95_MILLISECONDS = 150.0
MOST_PAGE_BYTES = 150_000
MOST_PAINT_MILLISECONDS = 300.0
KEPT_FOR_GOOD = {"OTEL_FEEDBACK_RETENTION": "0d", "OTEL_FEEDBACK_RETENTION_RATED": "0d"}
_CHART = re.compile(r'<img src="(/charts/[^"]+)"')
_LINK = re.compile(r'href="(/(?:sessions|users|traces)/[^"]+)"')
_NEXT = re.compile(r'rel="next" href="([^"]+)"')
_PAINT = """() => new Promise(done => new PerformanceObserver(seen => {
    const paint = seen.getEntriesByName("first-contentful-paint")[0];
    if (paint) done(paint.startTime);
}).observe({type: "paint", buffered: true}))"""
_PLACES = (
    "/",
    "/?range=30d",
    "/feedback",
    "/feedback?label=negative",
    "/users",
    "/sessions",
    "/sessions?rated=negative",
)


@dataclass
class Measured:
    """What the readers saw, by page."""

    milliseconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def note(self, page: str, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            self.refused[page] += 1
            return
        self.milliseconds[page].append(float(answer.headers["Server-Timing"].partition("dur=")[2]))
        self.bytes[page] = max(self.bytes[page], len(answer.content))


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-dashboard", description=__doc__)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--reading", type=float, default=2.0, help="seconds that a reader looks at a page, on average")
    parser.add_argument("--spans", type=int, default=2000, help="that come each second")
    parser.add_argument("--paints", type=int, default=5, help="times a browser opens a page; 0: without one")
    arguments = parser.parse_args()
    data_dir = Path(os.environ.get("OTEL_FEEDBACK_DATA_DIR", "otel-feedback-data")).absolute()
    measured, paints = measure(
        data_dir, arguments.readers, arguments.seconds, arguments.reading, arguments.spans, paints=arguments.paints
    )
    print(f"{arguments.readers} readers, {arguments.spans:,} spans/s\n")
    print(table(measured))
    for path, milliseconds in paints.items():
        print(f"first contentful paint of {path}: {milliseconds:.0f} ms{_over(milliseconds, MOST_PAINT_MILLISECONDS)}")


def measure(
    data_dir: Path, readers: int, seconds: float, reading: float, spans_per_second: int, *, paints: int
) -> tuple[Measured, dict[str, float]]:
    """What readers saw, and for three pages the milliseconds until a browser showed something, after all are gone."""
    with running_service(data_dir, KEPT_FOR_GOOD) as service:
        ending = threading.Event()
        loader = threading.Thread(target=send_spans, args=(service.grpc, spans_per_second, ending))
        loader.start()
        try:
            measured = asyncio.run(_read(service.dashboard, readers, seconds, reading))
        finally:
            ending.set()
            loader.join()
        return measured, _paints(service.dashboard, paints) if paints else {}


def table(measured: Measured) -> str:
    """A row a page; what misses its bar is marked."""
    lines = ["| page | requests | p50 | p95 | longest | kB | refused |", "|---|---|---|---|---|---|---|"]
    for page, taken in sorted(measured.milliseconds.items()):
        p95 = statistics.quantiles(taken, n=20, method="inclusive")[18] if len(taken) > 1 else taken[0]
        size = measured.bytes[page]
        lines.append(
            f"| {page} | {len(taken)} | {statistics.median(taken):.0f} ms "
            f"| {p95:.0f} ms{_over(p95, MOST_P95_MILLISECONDS)} | {max(taken):.0f} ms "
            f"| {size / 1000:.0f}{_over(size, MOST_PAGE_BYTES)} | {measured.refused[page]} |"
        )
    return "\n".join(lines)


def _over(value: float, most: float) -> str:
    return " (over)" if value > most else ""


async def _read(url: str, readers: int, seconds: float, reading: float) -> Measured:
    measured = Measured()
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        walks = [_walk(client, random.Random(number), measured, reading) for number in range(readers)]
        with_end = [asyncio.wait_for(walk, seconds) for walk in walks]
        ends = await asyncio.gather(*with_end, return_exceptions=True)
    for failure in (end for end in ends if not isinstance(end, TimeoutError)):
        raise RuntimeError("a reader gave up") from failure
    return measured


async def _walk(client: httpx.AsyncClient, chance: random.Random, measured: Measured, reading: float) -> None:
    async def look(page: str, path: str) -> str:
        answer = await client.get(path)
        measured.note(page, answer)
        for chart in map(html.unescape, _CHART.findall(answer.text)):
            measured.note("a chart", await client.get(chart))
        await asyncio.sleep(chance.expovariate(1 / reading))
        return answer.text

    while True:
        place = chance.choice(_PLACES)
        found = await look(place, place)
        if following := _NEXT.search(found):
            await look(f"{place.partition('?')[0]}, next page", html.unescape(following[1]))
        if links := _LINK.findall(found):
            path = html.unescape(chance.choice(links)).partition("#")[0]
            await look(f"one of /{path.split('/')[1]}", path)


def _paints(url: str, times: int) -> dict[str, float]:
    paints = {}
    with launch_browser() as browser:
        for path in ("/", "/feedback", "/sessions"):
            seen = []
            for _ in range(times):
                page = browser.new_page()
                page.goto(url + path)
                page.wait_for_load_state("load")
                seen.append(float(page.evaluate(_PAINT)))
                page.close()
            paints[path] = statistics.median(seen)
    return paints


if __name__ == "__main__":
    main()
