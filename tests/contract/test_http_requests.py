"""OTLP/HTTP as HTTP: methods, paths, encodings of the connection, pages of other origins, very many clients."""

from __future__ import annotations

import contextlib
import gzip
import json
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status
from tests.support.otlp import trace_request
from tests.support.service import ALLOWED_ORIGIN, RunningService, running_service

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
OTLP_PATHS = ["/v1/traces", "/v1/logs", "/v1/metrics"]
PATIENCE_SECONDS = 30.0
IDLE_CONNECTIONS = 1200


@contextlib.contextmanager
def connected(service: RunningService) -> Iterator[socket.socket]:
    port = int(service.http.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        yield connection


def head(*headers: str, path: str = "/v1/traces") -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {PROTOBUF}", *headers, "", ""]).encode()


def received_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        part = connection.recv(65536)
        assert part, f"closed after {received!r}"
        received += part
    return received


@pytest.mark.parametrize("path", OTLP_PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("content_type", [PROTOBUF, JSON, ""])
def test_another_method_is_405_with_a_status(service: RunningService, path: str, method: str, content_type: str):
    answer = httpx.request(method, f"{service.http}{path}", headers={"Content-Type": content_type})
    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert answer.headers["content-type"] == (content_type or JSON)
    if method != "HEAD" and content_type == PROTOBUF:
        assert method in Status.FromString(answer.content).message
    elif method != "HEAD":
        assert method in answer.json()["message"]


def test_an_unknown_path_is_404_and_told_where_otlp_goes(service: RunningService):
    answer = httpx.post(f"{service.http}/v1/trace", content=b"", headers={"Content-Type": PROTOBUF})
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROTOBUF)
    assert Status.FromString(answer.content).message == (
        "there is no /v1/trace; OTLP goes to /v1/traces, /v1/logs, /v1/metrics"
    )
    assert httpx.get(f"{service.http}/nothing").json()["code"] == 5


def test_bad_data_is_described_in_the_details(service: RunningService):
    answer = httpx.post(f"{service.http}/v1/traces", content=b"bad", headers={"Content-Type": PROTOBUF})
    status = Status.FromString(answer.content)
    described = BadRequest()
    assert status.details[0].Unpack(described)
    assert described.field_violations[0].description == status.message
    in_json = httpx.post(f"{service.http}/v1/traces", content=b"bad", headers={"Content-Type": JSON}).json()
    assert in_json["details"][0]["fieldViolations"][0]["description"] == in_json["message"]


@pytest.mark.parametrize(
    "content_type", ["application/x-protobuf; charset=utf-8", "Application/X-Protobuf", "application/x-protobuf;x=y"]
)
def test_parameters_and_case_of_the_content_type_make_no_difference(service: RunningService, content_type: str):
    body = trace_request({}).SerializeToString()
    answer = httpx.post(f"{service.http}/v1/traces", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.headers["content-type"]) == (200, PROTOBUF)


@pytest.mark.parametrize("encoding", ["identity", "gzip", "GZIP", ""])
def test_the_content_encoding_may_be_gzip_or_none(service: RunningService, encoding: str):
    body = trace_request({}).SerializeToString()
    packed = gzip.compress(body) if encoding.lower() == "gzip" else body
    headers = {"Content-Type": PROTOBUF, "Content-Encoding": encoding}
    assert httpx.post(f"{service.http}/v1/traces", content=packed, headers=headers).status_code == 200


def test_a_chunked_body_is_taken(service: RunningService):
    body = trace_request({"chunked": True}).SerializeToString()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7))
    with connected(service) as connection:
        connection.sendall(head("Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n")
        assert received_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_whoever_asks_first_is_told_to_continue(service: RunningService):
    body = trace_request({"asked": True}).SerializeToString()
    with connected(service) as connection:
        connection.sendall(head(f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert received_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert received_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_whoever_asks_first_is_refused_before_the_body(service: RunningService):
    with connected(service) as connection:
        connection.sendall(head(f"Content-Length: {1 << 40}", "Expect: 100-continue"))
        assert received_until(connection, b"MAX_REQUEST_BYTES").startswith(b"HTTP/1.1 413 ")


def test_one_connection_serves_many_requests_also_after_refused_ones(service: RunningService):
    body = trace_request({}).SerializeToString()
    with connected(service) as connection:
        for _ in range(5):
            connection.sendall(head("Content-Length: 3") + b"bad")
            assert b"HTTP/1.1 400 " in received_until(connection, b"was taken")
            connection.sendall(head(f"Content-Length: {len(body)}") + body)
            assert received_until(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_what_is_not_http_is_400(service: RunningService):
    with connected(service) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", OTLP_PATHS)
def test_pages_of_allowed_origins_may_send(service: RunningService, path: str):
    asked = {
        "Origin": ALLOWED_ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-tenant",
    }
    preflight = httpx.options(f"{service.http}{path}", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == ALLOWED_ORIGIN
    assert preflight.headers["access-control-allow-headers"] == "authorization,content-type,x-tenant"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    for body, status in ((b"{}", 200), (b"bad", 400)):
        answer = httpx.post(
            f"{service.http}{path}", content=body, headers={"Origin": ALLOWED_ORIGIN, "Content-Type": JSON}
        )
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, ALLOWED_ORIGIN)


def test_pages_of_other_origins_are_not_told_that_they_may(service: RunningService):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answers = [
        httpx.options(f"{service.http}/v1/traces", headers=asked),
        httpx.post(
            f"{service.http}/v1/traces",
            content=b"{}",
            headers={"Origin": "https://evil.example", "Content-Type": JSON},
        ),
    ]
    for answer in answers:
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"


def test_what_a_page_may_send_without_asking_is_no_otlp(service: RunningService):
    body = json.dumps({}).encode()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = httpx.post(f"{service.http}/v1/traces", content=body, headers={"Content-Type": content_type})
        assert answer.status_code == 415


@pytest.fixture
def few_open_files() -> Iterator[None]:
    """Start processes with a soft limit of 1,000 open files; this one itself needs some hundred."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4 * IDLE_CONNECTIONS:
        pytest.fail(f"the hard limit of open files is {hard}; {4 * IDLE_CONNECTIONS} are needed (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_open_files")
def test_more_clients_than_the_soft_limit_of_open_files_are_served(tmp_path: Path):
    with running_service(tmp_path / "data") as service, contextlib.ExitStack() as stack:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (4 * IDLE_CONNECTIONS, hard))
        connections = [stack.enter_context(connected(service)) for _ in range(IDLE_CONNECTIONS)]
        for connection in connections:
            connection.sendall(head("Content-Length: 0"))
        answers: list[Any] = [received_until(connection, b"\r\n\r\n") for connection in connections]
        assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
