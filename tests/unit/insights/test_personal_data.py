"""What looks personal is found and masked, and what only resembles it is not."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from otel_feedback.insights.personal_data import masked, texts_through


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ana.b+c@mail.example.org, please", "write to [email], please"),
        ("call +49 30 901820 or (030) 901 820-55", "call [phone] or [phone]"),
        ("call 555-867-5309", "call [phone]"),
        ("my card 4111 1111 1111 1111 expired", "my card [card] expired"),
        ("IBAN DE89 3704 0044 0532 0130 00.", "IBAN [iban]."),
        ("from 203.0.113.9 and 2001:db8::7", "from [ip] and [ip]"),
        ("key sk-proj-abcdEFGH1234abcdEFGH1234", "key [key]"),
        ("AKIAIOSFODNN7EXAMPLE", "[key]"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_1", "token [key]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[key]"),
    ],
)
def test_it_is_masked(text: str, expected: str):
    assert masked(text, Counter()) == expected


@pytest.mark.parametrize(
    "text",
    [
        "on 2026-11-25 at 10:30:00",
        "version 1.2.3 and 10.2",
        "order 4111 1111 1111 1112 of the file",
        "DE00 3704 0044 0532 0130 00",
        "listen on 127.0.0.1",
        "it takes 1000 g, 18 cm, 230 degrees",
        "@handle and a@b",
        "ratio 3:2:1",
        "12:30:45",
    ],
)
def test_it_is_left(text: str):
    found: Counter[str] = Counter()
    assert masked(text, found) == text
    assert not found


def test_counts_are_by_kind():
    found: Counter[str] = Counter()
    masked("a@example.org b@example.org from 203.0.113.9", found)
    assert found == {"email": 2, "ip": 1}


def test_texts_are_changed_wherever_they_are_and_roles_and_ids_stay():
    arguments = json.dumps({"to": "a@example.org", "card": 4111111111111111, "count": 2})
    row = {
        "TraceId": "a@example.org",
        "messages": [
            {"role": "user", "content": "a@example.org"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "x", "type": "function", "function": {"name": "send", "arguments": arguments}}],
            },
        ],
        "InputMessages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "a@example.org"}]}]),
        "OutputMessages": "mail a@example.org",
        "Ratings": [{"Comment": "a@example.org", "Value": 1.0, "Reasons": ["a@example.org"]}],
        "label": True,
    }
    changed = texts_through(row, lambda text: masked(text, Counter()))
    assert changed["TraceId"] == "a@example.org"
    assert changed["messages"][0] == {"role": "user", "content": "[email]"}
    function = changed["messages"][1]["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == (
        "send",
        {"to": "[email]", "card": "[card]", "count": 2},
    )
    assert json.loads(changed["InputMessages"]) == [{"role": "user", "parts": [{"type": "text", "content": "[email]"}]}]
    assert changed["OutputMessages"] == "mail [email]"
    assert changed["Ratings"] == [{"Comment": "[email]", "Value": 1.0, "Reasons": ["[email]"]}]
    assert changed["label"] is True
    everything_gone = texts_through(row, lambda _: "")
    assert everything_gone["messages"][0] == {"role": "user", "content": ""}
