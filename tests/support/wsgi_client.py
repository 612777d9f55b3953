"""Serves one request of a WSGI app as a server does, without one."""

from __future__ import annotations

import io
import json
from typing import Any
from wsgiref.util import setup_testing_defaults

from otel_feedback.sdk.configuration import keyring
from otel_feedback.tokens import Grant

HEADER = "Otel-Feedback-Token"


class Answer:
    """What a WSGI server puts on the wire."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        self.body = b""
        # The length of the body that had been sent as the headers went out.
        self.sent_before_headers = -1

    @property
    def code(self) -> int:
        return int(self.status[:3])

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"]["code"])

    def granted(self) -> Grant:
        return keyring().verify(self.headers[HEADER])


def ask(app: Any, path: str = "/", method: str = "GET", body: bytes = b"", **environ: Any) -> Answer:
    """Serve one request as a server does."""
    request: dict[str, Any] = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": io.BytesIO(body)}
    if body:
        request["CONTENT_LENGTH"] = str(len(body))
    request |= environ
    setup_testing_defaults(request)
    answer = Answer()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info and answer.sent_before_headers >= 0 and answer.body:
            raise exc_info[1]
        answer.status, answer.headers, answer.sent_before_headers = status, dict(headers), len(answer.body)
        return write

    def write(data: bytes) -> None:
        answer.body += data

    chunks = app(request, start_response)
    try:
        for chunk in chunks:
            assert answer.status, "a body before its headers"
            answer.body += chunk
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return answer


def text(start_response: Any, *, length: int | None = 2, status: str = "200 OK") -> Any:
    headers = [("Content-Type", "text/plain")]
    return start_response(status, headers if length is None else [*headers, ("Content-Length", str(length))])
