"""A network between service and database that loses answers, halves INSERTs, crawls, and swallows everything."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2
from tests.support.clickhouse_server import OwnClickHouse, own_clickhouse
from tests.support.flaky_network import FlakyNetwork, Weather, flaky_network
from tests.support.otlp import trace_request
from tests.support.segments import segment_bytes
from tests.support.service import running_service
from tests.support.traffic import (
    TRACES,
    Acknowledged,
    Client,
    check_every_row,
    send_again,
    send_for_a_while,
    spans_of,
    wait_until_written,
    waiting,
)

from otel_feedback.clickhouse import server as server_module
from otel_feedback.clickhouse.connect import connect
from otel_feedback.clickhouse.migrate import migrate
from otel_feedback.errors import DatabaseUnavailableError
from otel_feedback.service.run import STOP_SECONDS
from otel_feedback.settings import Settings

ENDS_WITHIN_SECONDS = STOP_SECONDS + 7
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnClickHouse]:
    with own_clickhouse(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture
def network(server: OwnClickHouse) -> Iterator[tuple[FlakyNetwork, dict[str, str]]]:
    """The network, and the settings of a service that reaches an empty database through it."""
    server.execute("DROP DATABASE IF EXISTS otel SYNC")
    with flaky_network(server.url) as (network, url):
        yield network, {"OTEL_FEEDBACK_DATABASE_URL": url}


def stop(clients: list[Client]) -> None:
    for client in clients:
        client.stop()


@pytest.mark.parametrize("weather", ["answers are lost", "requests are halved", "both, anywhere"])
def test_what_was_cut_is_written_once(
    tmp_path: Path,
    network: tuple[FlakyNetwork, dict[str, str]],
    taken: dict[str, Acknowledged],
    weather: str,
):
    flaky, environment = network
    chance = random.Random(weather)
    with running_service(tmp_path / "data", environment) as service:
        clients = send_for_a_while(service, taken, 0.5)
        for _ in range(8):
            cut_answer = {"answers are lost": 0, "requests are halved": None}.get(weather, chance.choice([None, 0, 40]))
            cut_request = None if weather == "answers are lost" else chance.randrange(100, 150_000)
            flaky.become(Weather(cut_answer_after=cut_answer, cut_request_after=cut_request))
            time.sleep(chance.uniform(0.5, 1.5))  # how far INSERTs have come by then is what varies
            flaky.become(Weather())
            time.sleep(0.3)
        stop(clients)
        assert flaky.cuts > 0
        wait_until_written(service, PATIENCE_SECONDS)
        check_every_row(service, taken)
        assert service.metric("otel_feedback_insert_failures_total") > 0
        assert service.metric("otel_feedback_segments_rejected_total") == 0


def test_a_slow_network_and_one_that_comes_and_goes_delay_and_lose_nothing(
    tmp_path: Path, network: tuple[FlakyNetwork, dict[str, str]], taken: dict[str, Acknowledged]
):
    flaky, environment = network
    with running_service(tmp_path / "data", environment) as service:
        clients = send_for_a_while(service, taken, 0.5)
        for _ in range(3):
            flaky.become(Weather(delay_seconds=0.05, bytes_per_second=300_000))
            time.sleep(1.0)
            flaky.become(Weather(refuses=True))
            time.sleep(0.5)
        stop(clients)
        flaky.become(Weather())
        wait_until_written(service, PATIENCE_SECONDS)
        check_every_row(service, taken)


def test_a_service_ends_in_time_and_loses_nothing_though_its_database_answers_nothing(
    tmp_path: Path, network: tuple[FlakyNetwork, dict[str, str]], taken: dict[str, Acknowledged]
):
    flaky, environment = network
    with running_service(tmp_path / "data", environment) as service:
        clients = send_for_a_while(service, taken, 1.0)
        flaky.become(Weather(swallows=True))
        time.sleep(2.0)  # INSERTs are on their way and get no answer
        began = time.monotonic()
        for _ in range(8):  # a question each; none may keep a thread that requests or the end need
            ready = httpx.get(f"{service.http}/readyz", timeout=30).json()
        assert (ready["ready"], ready["database"]) == (True, "unavailable: no answer within 2 s")
        assert time.monotonic() - began < 30
        json_request = {"resourceSpans": []}
        assert httpx.post(f"{service.http}/v1/traces", json=json_request, timeout=10).status_code == 200
        stop(clients)
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < ENDS_WITHIN_SECONDS
        flaky.become(Weather())
        service.start()
        send_again(service, taken)
        wait_until_written(service, PATIENCE_SECONDS)
        check_every_row(service, taken)


def test_an_insert_that_gets_no_answer_is_given_up_before_long_and_sent_again_in_vain(
    tmp_path: Path, network: tuple[FlakyNetwork, dict[str, str]], monkeypatch: pytest.MonkeyPatch
):
    flaky, environment = network
    settings = Settings.load(environment)
    database = connect(settings.database_url)
    migrate(database, settings)
    segment = tmp_path / "segment"
    segment.write_bytes(segment_bytes([trace_request({"key": "value"}).SerializeToString()]))
    monkeypatch.setattr(server_module, "INSERT_TIMEOUT_SECONDS", 1)
    flaky.become(Weather(cut_answer_after=0, delay_seconds=0.01))
    for _ in range(2):
        with pytest.raises(DatabaseUnavailableError):
            database.insert_segment("traces", segment, "token")
    flaky.become(Weather(swallows=True))
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailableError):
        database.insert_segment("traces", segment, "token")
    assert time.monotonic() - began < 30
    flaky.become(Weather())
    assert database.query("SELECT count() AS Rows FROM otel_traces") == [{"Rows": 1}]
    database.close()


def test_a_service_whose_database_answers_nothing_starts_and_catches_up(
    tmp_path: Path, network: tuple[FlakyNetwork, dict[str, str]], taken: dict[str, Acknowledged]
):
    flaky, environment = network
    flaky.become(Weather(swallows=True))
    with running_service(tmp_path / "data", environment) as service:
        stop(send_for_a_while(service, taken, 0.5))
        assert waiting(service) > 0
        flaky.become(Weather())
        wait_until_written(service, PATIENCE_SECONDS)
        check_every_row(service, taken)


def test_callers_are_held_off_while_the_queue_is_full_and_served_again_by_themselves(
    tmp_path: Path, network: tuple[FlakyNetwork, dict[str, str]], taken: dict[str, Acknowledged]
):
    flaky, environment = network
    limit_bytes = 300_000
    with (
        running_service(
            tmp_path / "data", {**environment, "OTEL_FEEDBACK_MAX_QUEUE_BYTES": str(limit_bytes)}
        ) as service,
        grpc.insecure_channel(service.grpc) as channel,
    ):
        flaky.become(Weather(refuses=True))
        clients = send_for_a_while(service, taken, 0)
        for client in clients:
            if client.signal == "traces":
                client.join(60)
                assert client.error is not None, "the queue should be full by now"
                assert client.error.code() == grpc.StatusCode.UNAVAILABLE
        stop(clients)
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(TRACES)(spans_of("x" * 32).SerializeToString() * 5, timeout=30)
        metadata = dict(refused.value.trailing_metadata())
        status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
        retry = error_details_pb2.RetryInfo()
        assert status.details[0].Unpack(retry)
        assert retry.retry_delay.seconds > 0
        body = spans_of("y" * 32).SerializeToString() * 5
        headers = {"Content-Type": "application/x-protobuf"}
        answer = httpx.post(f"{service.http}/v1/traces", content=body, headers=headers, timeout=30)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert service.metric("otel_feedback_queue_bytes", signal="traces") <= limit_bytes * 1.1
        flaky.become(Weather())
        send_again(service, taken, patience_seconds=PATIENCE_SECONDS)
        wait_until_written(service, PATIENCE_SECONDS)
        check_every_row(service, taken)
