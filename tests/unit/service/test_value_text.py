import math

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValueList
from tests.support.otlp import any_value, attributes

from otel_feedback.service.value_text import nested_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (123456789.25, "123456789.25"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.25e22, "1.25e+22"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-2.5e-10, "-2.5e-10"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_doubles_look_as_gos_encoder_writes_them(number: float, text: str):
    assert nested_text(any_value([number])) == f"[{text}]"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_value_that_holds_a_number_outside_json_is_empty(number: float):
    assert nested_text(any_value({"a": [1, {"b": number}]})) == ""


def test_every_kind_of_value_at_every_depth():
    value = {"b": [True, None, b"\x00\xff", -7], "a": {"y": [], "x": {}}}
    assert nested_text(any_value(value)) == '{"a":{"x":{},"y":[]},"b":[true,null,"AP8=",-7]}'


def test_text_is_escaped_as_in_go_without_html_escaping():
    text = 'a"\\\b\f\n\r\t\x01\x7f<&>é\u2028\u2029🙂'
    assert nested_text(any_value([text])) == '["a\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7f<&>é\\u2028\\u2029🙂"]'


def test_the_last_of_two_equal_keys_wins():
    twice = [*attributes({"a": 1, "b": 2}), *attributes({"a": 3})]
    assert nested_text(AnyValue(kvlist_value=KeyValueList(values=twice))) == '{"a":3,"b":2}'
