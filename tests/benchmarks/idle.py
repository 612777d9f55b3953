"""``make bench-idle``: what a service with its embedded database takes of a core while next to nothing comes."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import grpc
import psutil
from tests.benchmarks.llm_spans import make_requests
from tests.support.service import running_service
from tests.support.traffic import TRACES

WARM_UP_REQUESTS = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-idle", description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[0, 1], help="requests of one span a second")
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    print("| requests/s | of a core |\n|---|---|")
    for rate in arguments.rates:
        print(f"| {rate} | {measure(rate, arguments.seconds):.1%} |", flush=True)


def measure(requests_per_second: int, seconds: float) -> float:
    """CPU-seconds of the service and its embedded database, a second."""
    count = int(requests_per_second * seconds)
    requests = make_requests(count + WARM_UP_REQUESTS, 1, seed=1)
    with (
        tempfile.TemporaryDirectory(prefix="otel-feedback-bench-") as folder,
        running_service(Path(folder) / "data") as service,
        grpc.insecure_channel(service.grpc) as channel,
    ):
        process = psutil.Process(service.pid)
        export = channel.unary_unary(TRACES)
        for request in requests[count:]:
            export(request, timeout=60)
            time.sleep(1)
        cpu_before, began = _cpu_seconds(process), time.monotonic()
        for number in range(count):
            export(requests[number], timeout=60)
            _sleep_until(began + (number + 1) / requests_per_second)
        _sleep_until(began + seconds)
        return (_cpu_seconds(process) - cpu_before) / (time.monotonic() - began)


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
