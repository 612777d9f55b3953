"""The queue under every fault that Hypothesis thinks of; `make soak ARGS="--queue-examples 20000"` thinks longer."""

from tests.support.queue_machine import play


def test_what_is_acknowledged_is_stored_once_whatever_fails():
    play(examples=120)
