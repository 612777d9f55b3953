import pytest

from otel_feedback.service.body_budget import LEAST_BYTES, REQUESTS_OF_FULL_SIZE, BodyBudget
from otel_feedback.service.durable_queue.busy import QueueBusyError


def fail_while_holding_everything(budget: BodyBudget) -> None:
    with budget.hold() as held:
        held.grow(LEAST_BYTES)
        raise ValueError("broken")


def test_what_a_request_holds_is_given_back_whatever_becomes_of_it():
    budget = BodyBudget(1)
    with pytest.raises(ValueError, match="broken"):
        fail_while_holding_everything(budget)
    with budget.hold() as held:
        held.grow(LEAST_BYTES)


def test_all_requests_share_it_and_the_one_too_many_takes_nothing():
    budget = BodyBudget(1)
    with budget.hold() as first, budget.hold() as second:
        first.grow(LEAST_BYTES - 10)
        with pytest.raises(QueueBusyError, match=f"{LEAST_BYTES - 10} bytes are being received") as caught:
            second.grow(11)
        assert caught.value.retry_after_seconds == 1
        second.grow(9)
        second.grow(1)
    with budget.hold() as third:
        third.grow(LEAST_BYTES)


def test_while_it_is_spent_a_request_is_not_even_begun():
    budget = BodyBudget(1)
    with budget.hold() as held:
        held.grow(LEAST_BYTES - 1)
        budget.hold()
        held.grow(1)
        with pytest.raises(QueueBusyError):
            budget.hold()


def test_it_has_room_for_a_few_requests_of_the_largest_size():
    largest = LEAST_BYTES
    with BodyBudget(largest).hold() as held:
        for _ in range(REQUESTS_OF_FULL_SIZE):
            held.grow(largest)
        with pytest.raises(QueueBusyError):
            held.grow(1)
