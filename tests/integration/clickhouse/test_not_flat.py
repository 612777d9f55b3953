"""Values that SQL can't tell exactly stop the INSERT before anything is stored."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.otlp import log_request, trace_request
from tests.support.segments import store

from otel_feedback.clickhouse.database import Database
from otel_feedback.errors import NotFlatError

HARD: list[Any] = [
    {},
    {"a": 1},
    [[1]],
    [1, {"a": 1}],
    [{}],
    [[]],
    ["x", "\x1b"],
    ["\u2028"],
    [1.5],
    [True],
    [b"x"],
    [None],
    b"\x00",
    float("nan"),
    float("-inf"),
]


def stored(database: Database) -> list[int]:
    rows = database.query("SELECT (SELECT count() FROM otel_traces) AS spans, (SELECT count() FROM otel_logs) AS logs")
    return [int(rows[0]["spans"]), int(rows[0]["logs"])]


@pytest.mark.parametrize("value", HARD, ids=repr)
def test_it_is_refused_wherever_it_is_and_nothing_is_stored(database: Database, value: Any):
    requests = [trace_request({"a": "flat"}, {"hard": value}), log_request("flat", hard=value), log_request(value)]
    in_resource = trace_request({"a": "flat"})
    in_event = trace_request({"a": "flat"})
    nested = trace_request({"hard": value}).resource_spans[0].scope_spans[0].spans[0].attributes
    in_resource.resource_spans[0].resource.attributes.extend(nested)
    in_event.resource_spans[0].scope_spans[0].spans[0].events.add(name="e").attributes.extend(nested)
    before = stored(database)
    for request in (*requests, in_resource, in_event):
        with pytest.raises(NotFlatError):
            store(database, request, checked=False)
    assert stored(database) == before


def test_flat_values_of_every_kind_are_no_reason_to_stop(database: Database):
    values = {
        "s": "x",
        "i": 1,
        "d": 1.5,
        "b": True,
        "e": [],
        "a": ["x", 1, ""],
    }
    before = stored(database)
    store(database, trace_request(values), checked=False)
    store(database, log_request(None, *values.values(), **values), checked=False)
    assert stored(database) == [before[0] + 1, before[1] + 1 + len(values)]


def test_an_attribute_without_a_value_is_refused_and_a_record_without_a_body_is_not(database: Database):
    before = stored(database)
    with pytest.raises(NotFlatError):
        store(database, trace_request({"nothing": None}), checked=False)
    request = log_request(None)
    request.resource_logs[0].scope_logs[0].log_records[0].ClearField("body")
    store(database, request, checked=False)
    assert stored(database) == [before[0], before[1] + 1]
