"""Has charts drawn by ``drawing_process``, and keeps what was drawn.

Vega-Lite runs in V8, which takes 100 MB and holds Python's lock for as long as a chart takes (some 70 ms): in the
service's own process receivers would wait for charts. Nothing of it starts before the first chart is asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import threading
from collections import OrderedDict
from typing import Any, Final, Literal

from otel_feedback.dashboard.charts.drawing_process import LENGTH
from otel_feedback.errors import OtelFeedbackError

Format = Literal["svg", "png"]
PNG_SCALE: Final = 2
MOST_KEPT_BYTES: Final = 8 << 20


class ChartError(OtelFeedbackError):
    """A chart could not be drawn."""


class Drawing:
    """Draws one chart after another. Any thread may use it; ``draw`` blocks its thread, never the event loop's lock."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._drawing = threading.Lock()
        self._keeping = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0

    def kept(self, spec: dict[str, Any], chart_format: Format) -> bytes | None:
        """The chart if it was drawn lately; waits for nothing."""
        key = _key(_request(spec, chart_format))
        with self._keeping:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def draw(self, spec: dict[str, Any], chart_format: Format) -> bytes:
        """The chart of this specification, data included; drawn once for as long as it is kept.

        Raises:
            ChartError: it can't be drawn; the message has the library's reason.
        """
        request = _request(spec, chart_format)
        with self._drawing:
            chart = self.kept(spec, chart_format)
            if chart is None:
                chart = self._ask(request)
                self._keep(_key(request), chart)
            return chart

    def close(self) -> None:
        """End the process; the next chart starts another."""
        with self._drawing:
            self._end()

    def _ask(self, request: bytes) -> bytes:
        answer = self._exchange(request) or self._exchange(request)  # one that was idle for long has ended
        if not answer:
            raise ChartError("The process that draws charts ended. Is vl-convert-python installed and is memory left?")
        if answer[:1] != b"+":
            raise ChartError(f"The chart can't be drawn: {answer[1:].decode()}")
        return answer[1:]

    def _exchange(self, request: bytes) -> bytes:
        """The answer; empty where the process ended."""
        process = self._process or self._start()
        assert process.stdin is not None  # noqa: S101  # both are pipes
        assert process.stdout is not None  # noqa: S101  # as above
        try:
            process.stdin.write(LENGTH.pack(len(request)) + request)
            process.stdin.flush()
            head = process.stdout.read(LENGTH.size)
            answer = process.stdout.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""
        except BrokenPipeError:
            answer = b""
        if not answer:
            self._end()
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", f"{__package__}.drawing_process"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  # ours
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()

    def _keep(self, key: str, chart: bytes) -> None:
        with self._keeping:
            self._kept[key] = chart
            self._kept_bytes += len(chart)
            while self._kept_bytes > MOST_KEPT_BYTES and len(self._kept) > 1:
                self._kept_bytes -= len(self._kept.popitem(last=False)[1])


def _request(spec: dict[str, Any], chart_format: Format) -> bytes:
    return json.dumps({"spec": spec, "format": chart_format, "scale": PNG_SCALE}, sort_keys=True).encode()


def _key(request: bytes) -> str:
    return hashlib.sha256(request).hexdigest()
