import time
from pathlib import Path

import pytest

from otel_feedback.service.durable_queue.recovery import recover
from otel_feedback.service.durable_queue.request_window import digest_of
from otel_feedback.service.durable_queue.segment import Record, encode_record, scan

FIRST = encode_record(b"first" * 20, 1)
LAST = encode_record(b"last" * 40, 2)


@pytest.fixture
def queue_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "queue"
    directory.mkdir()
    return directory


def bodies_of(path: Path) -> list[bytes]:
    found = list(scan(path.read_bytes()))
    assert all(isinstance(each, Record) for each in found)
    return [each.body for each in found if isinstance(each, Record)]


def test_an_open_segment_is_closed_under_its_name(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.open").write_bytes(FIRST + LAST)
    recovered = recover(queue_dir, tmp_path / "rejected")
    assert recovered.segments == (queue_dir / "0001-aa.segment",)
    assert bodies_of(recovered.segments[0]) == [b"first" * 20, b"last" * 40]
    assert not list(queue_dir.glob("*.open"))


def test_a_tail_torn_at_any_byte_of_the_last_record_is_cut(queue_dir: Path, tmp_path: Path):
    for cut in range(len(LAST)):
        (queue_dir / f"{cut:04d}-aa.open").write_bytes(FIRST + LAST[:cut])
    recovered = recover(queue_dir, tmp_path / "rejected")
    assert len(recovered.segments) == len(LAST)
    assert all(bodies_of(segment) == [b"first" * 20] for segment in recovered.segments)
    assert recovered.cut_bytes == sum(range(len(LAST)))
    assert not (tmp_path / "rejected").exists()


def test_a_segment_without_a_whole_record_goes(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.open").write_bytes(FIRST[:-1])
    (queue_dir / "0002-bb.open").write_bytes(b"")
    assert recover(queue_dir, tmp_path / "rejected").segments == ()
    assert list(queue_dir.iterdir()) == []


@pytest.mark.parametrize("suffix", ["open", "segment"])
def test_a_flipped_byte_sets_its_record_aside_with_the_reason(queue_dir: Path, tmp_path: Path, suffix: str):
    flipped = bytearray(FIRST)
    flipped[30] ^= 0x10
    (queue_dir / f"0001-aa.{suffix}").write_bytes(LAST + bytes(flipped) + LAST)
    recovered = recover(queue_dir, tmp_path / "rejected")
    assert recovered.set_aside == 1
    assert bodies_of(recovered.segments[0]) == [b"last" * 40] * 2
    kept = tmp_path / "rejected" / f"0001-aa.{len(LAST)}"
    assert kept.read_bytes() == bytes(flipped)
    assert "wrong checksum" in kept.with_name(f"{kept.name}.reason").read_text()


def test_a_closed_segment_that_lost_its_tail_is_damaged_not_torn(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.segment").write_bytes(FIRST + LAST[:-3])
    recovered = recover(queue_dir, tmp_path / "rejected")
    assert (recovered.cut_bytes, recovered.set_aside) == (0, 1)
    assert bodies_of(recovered.segments[0]) == [b"first" * 20]
    assert (tmp_path / "rejected" / f"0001-aa.{len(FIRST)}").read_bytes() == LAST[:-3]


def test_recovery_can_run_again_after_it_was_interrupted(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.open").write_bytes(FIRST + LAST[:5])
    (queue_dir / "0001-aa.segment").write_bytes(FIRST)  # written, but the open one not removed yet
    (queue_dir / "0002-bb.segment.unfinished").write_bytes(b"half")
    recovered = recover(queue_dir, tmp_path / "rejected")
    assert [path.name for path in recovered.segments] == ["0001-aa.segment"]
    assert [path.name for path in queue_dir.iterdir()] == ["0001-aa.segment"]
    assert bodies_of(recovered.segments[0]) == [b"first" * 20]


def test_a_refused_segment_stays_refused_and_its_halves_which_nobody_inserted_go(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.refused").write_bytes(FIRST + LAST)
    (queue_dir / "0001-aa.reason").write_text("code 1")
    (queue_dir / "0001-aa.0-1.segment").write_bytes(FIRST)
    (queue_dir / "0002-bb.0-1.segment").write_bytes(FIRST)
    recovered = recover(queue_dir, tmp_path / "rejected")
    assert [path.name for path in recovered.segments] == ["0001-aa.refused", "0002-bb.0-1.segment"]
    assert (queue_dir / "0001-aa.reason").exists()
    assert not (queue_dir / "0001-aa.0-1.segment").exists()


def test_the_reason_of_a_refusal_that_was_not_made_durable_goes(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.segment").write_bytes(FIRST)
    (queue_dir / "0001-aa.reason").write_text("code 1")
    assert [path.name for path in recover(queue_dir, tmp_path / "rejected").segments] == ["0001-aa.segment"]
    assert not (queue_dir / "0001-aa.reason").exists()


def test_what_was_put_back_is_a_closed_segment(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.replay").write_bytes(FIRST)
    assert [path.name for path in recover(queue_dir, tmp_path / "rejected").segments] == ["0001-aa.segment"]


def test_requests_of_a_refused_segment_are_recognised_when_they_come_again(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.refused").write_bytes(encode_record(b"recent", time.time_ns()))
    assert recover(queue_dir, tmp_path / "rejected").digests == (digest_of(b"recent"),)
