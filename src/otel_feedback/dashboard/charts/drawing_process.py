"""Draws Vega-Lite charts: ``python -m otel_feedback.dashboard.charts.drawing_process``, one request after another.

A request on standard input and an answer on standard output are each a length (4 bytes, big-endian) and as many bytes:
JSON ``{"spec", "format", "scale"}``, and ``+`` with the chart or ``-`` with what is wrong. It ends when its standard
input does, when nobody has asked for a while, and when a chart takes too long.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import sys
from typing import IO, Final

LENGTH: Final = struct.Struct(">I")
IDLE_SECONDS: Final = 600.0
CHART_SECONDS: Final = 20
NICENESS: Final = 10


def main() -> None:
    """Answer until there is nothing more to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, with which this process ends
    os.nice(NICENESS)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while select.select([requests], [], [], IDLE_SECONDS)[0] and (request := _read(requests)):
        signal.alarm(CHART_SECONDS)  # ends the process, also in the midst of the library
        answer = _answer(request)
        signal.alarm(0)
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _read(requests: IO[bytes]) -> bytes:
    head = requests.read(LENGTH.size)
    return requests.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""


def _answer(request: bytes) -> bytes:
    import vl_convert  # noqa: PLC0415  # only this process pays for it

    asked = json.loads(request)
    try:
        if asked["format"] == "png":
            return b"+" + vl_convert.vegalite_to_png(asked["spec"], scale=asked["scale"])
        return b"+" + vl_convert.vegalite_to_svg(asked["spec"]).encode()
    except ValueError as error:
        return b"-" + str(error).encode()


if __name__ == "__main__":
    main()
