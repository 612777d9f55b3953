import time
from pathlib import Path

import pytest

from otel_feedback.service.durable_queue.boot import note_boot
from otel_feedback.service.durable_queue.digest import digest_of
from otel_feedback.service.durable_queue.recovery import mend, recent_digests, recover
from otel_feedback.service.durable_queue.segment import Record, encode_record, scan

FIRST = encode_record(b"first" * 20, 1)
LAST = encode_record(b"last" * 40, 2)


@pytest.fixture
def queue_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "queue"
    directory.mkdir()
    note_boot(directory)
    return directory


def files_of(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != "boot")


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
    assert files_of(queue_dir) == []


def flipped(record: bytes) -> bytes:
    changed = bytearray(record)
    changed[30] ^= 0x10
    return bytes(changed)


def rejected_by(folder: Path) -> dict[bytes, str]:
    """The bytes that were set aside, each with the reason beside it."""
    kept = [path for path in folder.iterdir() if path.suffix != ".reason"]
    return {path.read_bytes(): path.with_name(f"{path.name}.reason").read_text() for path in kept}


def test_a_flipped_byte_in_an_open_segment_sets_its_record_aside_with_the_reason(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.open").write_bytes(LAST + flipped(FIRST) + LAST)
    recovered = recover(queue_dir, tmp_path / "rejected")
    assert recovered.set_aside == 1
    assert bodies_of(recovered.segments[0]) == [b"last" * 40] * 2
    ((kept, reason),) = rejected_by(tmp_path / "rejected").items()
    assert kept == flipped(FIRST)
    assert "wrong checksum" in reason


def test_a_closed_segment_is_left_alone_until_it_is_mended(queue_dir: Path, tmp_path: Path):
    damaged = LAST + flipped(FIRST) + LAST
    (queue_dir / "0001-aa.segment").write_bytes(damaged)
    (path,) = recover(queue_dir, tmp_path / "rejected").segments
    assert path.read_bytes() == damaged
    assert mend(path, tmp_path / "rejected") == 1
    assert bodies_of(path) == [b"last" * 40] * 2
    assert list(rejected_by(tmp_path / "rejected")) == [flipped(FIRST)]
    assert mend(path, tmp_path / "rejected") == 0


def test_damage_at_the_same_place_twice_is_kept_twice(queue_dir: Path, tmp_path: Path):
    path = queue_dir / "0001-aa.segment"
    path.write_bytes(flipped(FIRST) + LAST)
    assert mend(path, tmp_path / "rejected") == 1
    path.write_bytes(flipped(LAST))
    assert mend(path, tmp_path / "rejected") == 1
    assert not path.exists(), "nothing in it is sound"
    assert set(rejected_by(tmp_path / "rejected")) == {flipped(FIRST), flipped(LAST)}


def test_a_closed_segment_that_lost_its_tail_is_damaged_not_torn(queue_dir: Path, tmp_path: Path):
    path = queue_dir / "0001-aa.segment"
    path.write_bytes(FIRST + LAST[:-3])
    assert mend(path, tmp_path / "rejected") == 1
    assert bodies_of(path) == [b"first" * 20]
    assert list(rejected_by(tmp_path / "rejected")) == [LAST[:-3]]


def test_closed_segments_of_a_former_boot_are_doubted_for_as_long_as_it_takes(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.segment").write_bytes(FIRST)
    (queue_dir / "boot").write_text("another boot")
    for _ in range(2):  # the second start is in this boot; ClickHouse was not asked in between
        recovered = recover(queue_dir, tmp_path / "rejected")
        assert [path.name for path in recovered.segments] == ["0001-aa.doubted"]
    (queue_dir / "0002-bb.segment").write_bytes(LAST)
    recovered = recover(queue_dir, tmp_path / "rejected")
    assert [path.name for path in recovered.segments] == ["0001-aa.doubted", "0002-bb.segment"]


def write_minutes_old(queue_dir: Path, *ages: int) -> None:
    for age in ages:
        segment = queue_dir / f"{10**18 - age * 60 * 10**9:019d}-aa.segment"
        segment.write_bytes(encode_record(b"%d" % age, 1) + encode_record(b"%d too" % age, 1))


def test_the_digests_are_of_the_requests_in_the_last_ten_minutes(queue_dir: Path):
    write_minutes_old(queue_dir, *range(20))
    expected = [body for age in reversed(range(11)) for body in (b"%d" % age, b"%d too" % age)]
    assert recent_digests(list(queue_dir.glob("*.segment"))) == tuple(map(digest_of, expected))


def test_a_clock_that_was_set_forward_makes_no_request_forgotten(queue_dir: Path):
    write_minutes_old(queue_dir, 0, 500_000)
    assert digest_of(b"500000") in recent_digests(list(queue_dir.glob("*.segment")))


def test_recovery_can_run_again_after_it_was_interrupted(queue_dir: Path, tmp_path: Path):
    (queue_dir / "0001-aa.open").write_bytes(FIRST + LAST[:5])
    (queue_dir / "0001-aa.segment").write_bytes(FIRST)  # written, but the open one not removed yet
    (queue_dir / "0002-bb.segment.unfinished").write_bytes(b"half")
    recovered = recover(queue_dir, tmp_path / "rejected")
    assert [path.name for path in recovered.segments] == ["0001-aa.segment"]
    assert files_of(queue_dir) == ["0001-aa.segment"]
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
    assert recent_digests(recover(queue_dir, tmp_path / "rejected").segments) == (digest_of(b"recent"),)
