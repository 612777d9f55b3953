import io
import logging

import pytest
from tests.support.service import wait_until

from otel_feedback.service.log_lines.repeats import TOLD_AT_ONCE, SparingHandler


class Log:
    def __init__(self, period_seconds: float) -> None:
        self.stream = io.StringIO()
        self.handler = SparingHandler(self.stream, period_seconds=period_seconds)
        self.logger = logging.Logger("tested")  # noqa: LOG001  # out of the way of pytest's handlers
        self.logger.addHandler(self.handler)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    def fail(self, number: int) -> None:
        self.logger.warning("segment %d is not stored yet", number)


@pytest.fixture
def log() -> Log:
    return Log(period_seconds=3600)


def test_the_first_failures_are_told_and_the_rest_is_counted_until_the_end(log: Log):
    for number in range(TOLD_AT_ONCE + 37):
        log.fail(number)
    assert log.lines == [f"segment {number} is not stored yet" for number in range(TOLD_AT_ONCE)]
    log.handler.close()
    assert log.lines[TOLD_AT_ONCE:] == ["37 more like this, the latest: segment 41 is not stored yet"]


def test_the_count_comes_with_the_next_record_after_the_period():
    log = Log(period_seconds=0.2)
    for number in range(TOLD_AT_ONCE + 2):
        log.fail(number)

    def summary() -> list[str] | None:
        log.logger.info("all is well")
        return [line for line in log.lines if "more like this" in line] or None

    assert wait_until(summary, 30, "nothing was told") == ["2 more like this, the latest: segment 6 is not stored yet"]
    log.fail(100)
    assert log.lines[-1] == "segment 100 is not stored yet"


def test_other_failures_are_told_meanwhile(log: Log):
    for number in range(TOLD_AT_ONCE + 1):
        log.fail(number)
    log.logger.warning("the disk is full")
    log.logger.error("segment %d is not stored yet", 7)
    assert log.lines[-2:] == ["the disk is full", "segment 7 is not stored yet"]


def test_what_is_no_warning_is_always_told(log: Log):
    for number in range(100):
        log.logger.info("%d", number)
    assert log.lines == [str(number) for number in range(100)]


def test_nothing_more_is_told_where_nothing_was_left_out():
    log = Log(period_seconds=0.0)
    log.fail(1)
    log.fail(2)
    log.handler.close()
    assert log.lines == ["segment 1 is not stored yet", "segment 2 is not stored yet"]
