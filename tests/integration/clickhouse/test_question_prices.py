"""Prices are what people type. One that can't be meant must not become a cost of 0."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.integration.clickhouse.conftest import empty
from tests.support.shop import fill_with_shop

from otel_feedback.clickhouse import questions
from otel_feedback.clickhouse.database import Database
from otel_feedback.errors import DatabaseError

PERIOD = {"since": "2026-03-02", "until": "2026-03-16"}


@pytest.fixture(scope="module")
def shop(engine: Database) -> Database:
    empty(engine)
    fill_with_shop(engine)
    return engine


def costs(shop: Database, prices: str) -> set[float | None]:
    question = questions.load("most_expensive_negatives")
    values = question.values({**PERIOD, "prices": prices, "limit": "1000"}, datetime.now(UTC))
    return {row["Cost"] for row in shop.query(question.statement, values)}


def test_only_models_with_a_price_have_a_cost(shop: Database):
    assert costs(shop, "{}") == {None}
    some = costs(shop, '{"shop-assistant-small": [1, 2e0], "unheard-of": [0.5, 3]}')
    assert None in some
    assert all(cost > 0 for cost in some if cost is not None)
    assert None not in costs(
        shop, '{"shop-assistant-small": [1, 2], "shop-assistant-large": [1, 2], "shop-assistant-thinking": [1, 2]}'
    )


def test_a_price_of_zero_is_a_price(shop: Database):
    assert 0 in costs(shop, '{"shop-assistant-small": [0, 0]}')


@pytest.mark.parametrize(
    "prices",
    [
        "",
        "{a",
        "[1, 2]",
        "2.5",
        '{"shop-assistant-small": 2.5}',
        '{"shop-assistant-small": [1]}',
        '{"shop-assistant-small": [1, 2, 3]}',
        '{"shop-assistant-small": ["1", "2"]}',
        '{"shop-assistant-small": [null, 2]}',
        '{"shop-assistant-small": {"in": 1, "out": 2}}',
        '{"shop-assistant-small": [1, 2], "shop-assistant-large": [1]}',
    ],
)
def test_prices_of_another_form_are_refused(shop: Database, prices: str):
    with pytest.raises(DatabaseError, match="prices is not JSON like"):
        costs(shop, prices)
