import json

import pytest

from otel_feedback.dashboard.sql_api import content_type_of, parse_sql_request
from otel_feedback.errors import RejectedRequestError


def test_a_query_alone_is_enough_and_reads_only():
    asked = parse_sql_request(b'{"query": "SELECT 1"}')
    assert (asked.query, asked.format_name, asked.parameters, asked.write) == ("SELECT 1", "JSONEachRow", {}, False)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ([], "invalid_json"),
        ({}, "invalid_query"),
        ({"query": "  "}, "invalid_query"),
        ({"query": "SELECT 1", "format": "CSV SETTINGS x=1"}, "invalid_format"),
        ({"query": "SELECT 1", "parameters": [1]}, "invalid_parameters"),
        ({"query": "SELECT 1", "write": "yes"}, "invalid_write"),
        ({"query": "SELECT 1", "q": 1}, "unknown_field"),
    ],
)
def test_a_bad_request_is_named(content, code):
    with pytest.raises(RejectedRequestError) as refused:
        parse_sql_request(json.dumps(content).encode())
    assert (refused.value.status, refused.value.code) == (400, code)


def test_bytes_that_are_no_json_are_refused():
    for body in (b"", b"SELECT 1", b"\xff", b"[" * 100_000):
        with pytest.raises(RejectedRequestError):
            parse_sql_request(body)


@pytest.mark.parametrize(
    ("format_name", "content_type"),
    [
        ("JSONEachRow", "application/x-ndjson"),
        ("JSON", "application/json"),
        ("CSVWithNames", "text/csv; charset=utf-8"),
        ("PrettyCompact", "text/plain; charset=utf-8"),
        ("Parquet", "application/vnd.apache.parquet"),
        ("Native", "application/octet-stream"),
    ],
)
def test_the_content_type_follows_the_format(format_name, content_type):
    assert content_type_of(format_name) == content_type
