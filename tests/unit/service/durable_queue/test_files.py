"""Writing to files whose system writes as little at a time as it likes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_feedback.service.durable_queue import files


@given(parts=st.lists(st.binary(max_size=9), max_size=30), most=st.lists(st.integers(1, 12), min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_byte_is_written_in_order_however_little_the_system_takes(
    tmp_path: Path, parts: list[bytes], most: list[int]
):
    writev, calls = os.writev, 0

    def write_some(descriptor: int, buffers: Any) -> int:
        nonlocal calls
        calls += 1
        return writev(descriptor, [b"".join(buffers)[: most[calls % len(most)]]])

    with (tmp_path / "file").open("wb") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(files.os, "writev", write_some)
        files.write_all(file.fileno(), *parts)
    assert (tmp_path / "file").read_bytes() == b"".join(parts)


def test_more_parts_than_the_system_takes_at_once_are_written(tmp_path: Path):
    parts = [b"%d," % number for number in range(os.sysconf("SC_IOV_MAX") * 2 + 1)]
    with (tmp_path / "file").open("wb") as file:
        files.write_all(file.fileno(), *parts)
    assert (tmp_path / "file").read_bytes() == b"".join(parts)
