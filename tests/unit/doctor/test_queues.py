"""What the doctor sees of a queue on disk, whether a service uses it or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.segments import segment_bytes

from otel_feedback.doctor.queues import findings


@pytest.fixture
def queue_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "queue" / "traces"
    directory.mkdir(parents=True)
    (directory / "boot").write_text("this one")
    return directory


def states(data_dir: Path, *, is_running: bool) -> list[str]:
    return [each.state for each in findings(data_dir, is_running=is_running)]


def test_an_empty_queue_and_none_at_all_are_well(queue_dir: Path, tmp_path: Path):
    assert states(tmp_path, is_running=True) == ["ok", "ok"]
    assert states(queue_dir / "nowhere", is_running=False) == ["ok", "ok"]


def test_what_has_just_come_is_well_while_a_service_runs(queue_dir: Path, tmp_path: Path):
    (queue_dir / "1-aa.segment").write_bytes(segment_bytes([b"one"]))
    assert states(tmp_path, is_running=True) == ["ok", "ok"]
    assert states(tmp_path, is_running=False) == ["warning", "ok"]


def test_what_waits_for_long_is_a_warning(queue_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (queue_dir / "1-aa.segment").write_bytes(segment_bytes([b"one"]))
    monkeypatch.setattr("otel_feedback.doctor.queues.OLD_SECONDS", -1.0)
    traces, _ = findings(tmp_path, is_running=True)
    assert (traces.state, "1 file(s)" in traces.found) == ("warning", True)


def test_damage_is_told_with_its_file_but_not_the_end_of_the_open_segment(queue_dir: Path, tmp_path: Path):
    (queue_dir / "2-bb.open").write_bytes(segment_bytes([b"one"])[:-1])
    assert states(tmp_path, is_running=True) == ["ok", "ok"]
    damaged = bytearray(segment_bytes([b"one", b"two"]))
    damaged[3] ^= 1
    (queue_dir / "1-aa.segment").write_bytes(damaged)
    _, damage, _ = findings(tmp_path, is_running=True)
    assert damage.state == "failed"
    assert "1-aa.segment: the record at byte 0 has a wrong checksum" in damage.found
