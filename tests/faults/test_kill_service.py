"""kill -9 in the middle of traffic, again and again: what was acknowledged is there exactly once."""

from __future__ import annotations

import random
import time
import uuid
from pathlib import Path

import grpc
from tests.support.service import RunningService, running_service
from tests.support.traffic import (
    SPANS_PER_REQUEST,
    TRACES,
    Acknowledged,
    check_every_row,
    counts,
    send_again,
    send_for_a_while,
    spans_of,
    wait_until_written,
)

from otel_feedback.service.durable_queue.files import new_segment_name
from otel_feedback.service.durable_queue.segment import encode_record

KILLS = 4


def test_acknowledged_rows_are_there_exactly_once_after_kills(
    tmp_path: Path, database: dict[str, str], taken: dict[str, Acknowledged]
):
    chance = random.Random(3)
    service = RunningService(tmp_path / "data", database)
    try:
        for _ in range(KILLS):
            service.start()
            send_again(service, taken)
            clients = send_for_a_while(service, taken, chance.uniform(0.2, 2.5))
            service.kill()
            for client in clients:
                client.stop()
        service.start()
        send_again(service, taken)
        clients = send_for_a_while(service, taken, 0.1)
        for client in clients:
            client.stop()
        wait_until_written(service)
        check_every_row(service, taken)
        assert service.metric("otel_feedback_segments_rejected_total") == 0
        assert service.metric("otel_feedback_segments_damaged_total") == 0
    finally:
        assert service.stop() == 0
    assert not list((tmp_path / "data" / "queue").rglob("*.*"))
    assert not (tmp_path / "data" / "rejected").exists()


def test_a_clean_stop_writes_everything_and_the_next_start_has_nothing_to_do(tmp_path: Path):
    keys = [uuid.uuid4().hex for _ in range(20)]
    with running_service(tmp_path / "data") as service, grpc.insecure_channel(service.grpc) as channel:
        for key in keys:
            channel.unary_unary(TRACES)(spans_of(key).SerializeToString(), timeout=30)
        assert service.stop() == 0
    assert not list((tmp_path / "data" / "queue").rglob("*.*"))
    assert not (tmp_path / "data" / "service.json").exists()
    with running_service(tmp_path / "data") as service:
        found = counts(
            service, "SELECT SpanAttributes['test.key'] AS Key, count() AS Rows FROM otel_traces GROUP BY Key"
        )
    assert found == dict.fromkeys(keys, SPANS_PER_REQUEST)


def test_a_torn_and_a_damaged_segment_of_a_dead_service(tmp_path: Path):
    """The torn tail goes; a flipped byte costs its own record only, which is kept in rejected/ with the reason."""
    data_dir = tmp_path / "data"
    keys = [uuid.uuid4().hex for _ in range(3)]
    records = [encode_record(spans_of(key).SerializeToString(), time.time_ns()) for key in keys]
    damaged = bytearray(records[1])
    damaged[len(damaged) // 2] ^= 1
    queue_dir = data_dir / "queue" / "traces"
    queue_dir.mkdir(parents=True)
    torn = records[0][: len(records[0]) // 2]
    (queue_dir / f"{new_segment_name()}.open").write_bytes(records[0] + bytes(damaged) + records[2] + torn)
    with running_service(data_dir) as service:
        wait_until_written(service)
        found = counts(
            service, "SELECT SpanAttributes['test.key'] AS Key, count() AS Rows FROM otel_traces GROUP BY Key"
        )
        assert service.metric("otel_feedback_segments_damaged_total") == 1
        assert service.metric("otel_feedback_torn_bytes_total") == len(torn)
    assert found == {keys[0]: SPANS_PER_REQUEST, keys[2]: SPANS_PER_REQUEST}
    kept, reason = sorted((data_dir / "rejected" / "traces").iterdir())
    assert kept.read_bytes() == bytes(damaged)
    assert "wrong checksum" in reason.read_text()
