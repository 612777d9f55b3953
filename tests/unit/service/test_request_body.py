import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_feedback.service.request_body import BodyTooLargeError, BrokenGzipError, gunzip


@given(st.binary(max_size=1000), st.binary(max_size=1000))
def test_several_gzip_members_are_one_body(first: bytes, second: bytes):
    assert gunzip(gzip.compress(first) + gzip.compress(second), 2000) == first + second


def test_the_limit_counts_after_decompression():
    assert len(gunzip(gzip.compress(bytes(1000)), 1000)) == 1000
    with pytest.raises(BodyTooLargeError, match="more than 999 bytes after decompression"):
        gunzip(gzip.compress(bytes(1000)), 999)


def test_a_bomb_is_refused_in_bounded_memory():
    bomb = gzip.compress(bytes(200 << 20), 1)
    tracemalloc.start()
    with pytest.raises(BodyTooLargeError):
        gunzip(bomb, 1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


@pytest.mark.parametrize(
    "body",
    [b"hello", gzip.compress(b"cut" * 100)[:-9], gzip.compress(b"x") + b"tail"],
    ids=["no gzip", "cut short", "with a tail"],
)
def test_broken_gzip_is_refused(body: bytes):
    with pytest.raises(BrokenGzipError):
        gunzip(body, 1000)
