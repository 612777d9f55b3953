import os
from pathlib import Path

import pytest

from otel_feedback.errors import DataDirectoryError
from otel_feedback.running_service import ServiceState, find_service
from otel_feedback.service.data_directory import DataDirectory

STATE = ServiceState(1, "http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", "secret")


def test_one_at_a_time(tmp_path: Path):
    with DataDirectory(tmp_path / "data"):
        with pytest.raises(DataDirectoryError, match=rf"\(pid {os.getpid()}\) uses {tmp_path}/data"):
            DataDirectory(tmp_path / "data").__enter__()
        with pytest.raises(DataDirectoryError):
            DataDirectory(tmp_path / "data").__enter__()
    with DataDirectory(tmp_path / "data"):
        pass


def test_the_state_is_for_this_user_alone_and_gone_at_the_end(tmp_path: Path):
    state = tmp_path / "data" / "service.json"
    with DataDirectory(tmp_path / "data") as directory:
        assert find_service(tmp_path / "data", patience_seconds=0) is None
        directory.publish(STATE)
        assert find_service(tmp_path / "data") == STATE
        assert state.stat().st_mode & 0o777 == 0o600
    assert not state.exists()


def test_what_a_killed_service_left_is_gone_at_the_next_start(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "service.json").write_text("{}")
    with DataDirectory(tmp_path / "data"):
        assert not (tmp_path / "data" / "service.json").exists()


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(DataDirectoryError, match="Set OTEL_FEEDBACK_DATA_DIR"):
        DataDirectory(tmp_path / "file").__enter__()


def test_what_a_killed_service_left_is_not_taken_for_a_running_one(tmp_path: Path):
    with DataDirectory(tmp_path / "data") as directory:
        directory.publish(STATE)
        left = (tmp_path / "data" / "service.json").read_bytes()
    (tmp_path / "data" / "service.json").write_bytes(left)
    assert find_service(tmp_path / "data") is None
    assert find_service(tmp_path / "nowhere") is None
