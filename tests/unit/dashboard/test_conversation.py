import json

import pytest

from otel_feedback.dashboard.conversation import read_messages, tell


def _call(trace, span, prompt="", outputs="", completion=""):
    return {
        "TraceId": trace,
        "SpanId": span,
        "Prompt": prompt,
        "InputMessages": "",
        "OutputMessages": outputs,
        "Completion": completion,
    }


def _rating(scope, trace="", span="", name="thumbs"):
    return {"Scope": scope, "TraceId": trace, "SpanId": span, "Name": name}


def test_each_rating_stands_at_its_answer():
    calls = [_call("t1", "a", "hi"), _call("t2", "b", "again")]
    told = tell(calls, [_rating("span", "t1", "a"), _rating("session"), _rating("span", "t9", "z")])
    assert [len(turn.ratings) for turn in told.turns] == [1, 0]
    assert len(told.session_ratings) == 1
    assert len(told.other_ratings) == 1


def test_a_rating_of_a_trace_stands_at_its_last_call():
    told = tell([_call("t", "a", "q"), _call("t", "b", "q")], [_rating("trace", "t", "a")])
    assert [len(turn.ratings) for turn in told.turns] == [0, 1]


def test_an_agent_that_asks_its_model_again_does_not_repeat_the_question():
    told = tell([_call("t", "a", "q"), _call("t", "b", "q"), _call("u", "c", "q")], [])
    assert [turn.shows_prompt for turn in told.turns] == [True, False, True]


def test_the_answer_after_a_tool_call_does_not_repeat_the_question():
    asks_tool = _call(
        "t", "a", "q", outputs='[{"role": "assistant", "parts": [{"type": "tool_call", "name": "find"}]}]'
    )
    told = tell([asks_tool, _call("u", "b", "q", completion="found"), _call("v", "c", "q", completion="again")], [])
    assert [turn.shows_prompt for turn in told.turns] == [True, False, True]


def test_messages_keep_their_parts():
    text = json.dumps(
        [
            {"role": "user", "parts": [{"type": "text", "content": "hi"}, {"type": "blob", "mime_type": "image/png"}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "name": "find", "arguments": {"q": 1}}]},
            {"role": "tool", "parts": [{"type": "tool_call_response", "response": "found"}]},
            {"role": "user", "content": "plain content"},
        ]
    )
    found = [(message.role, [(part.kind, part.text) for part in message.parts]) for message in read_messages(text)]
    assert found == [
        ("user", [("text", "hi"), ("image", "image/png")]),
        ("assistant", [("tool call", 'find({"q": 1})')]),
        ("tool", [("tool result", "found")]),
        ("user", [("text", "plain content")]),
    ]


@pytest.mark.parametrize(
    "text",
    ["not json", "[1, null, {}]", '{"role": 3}', "[" * 100_000, '[{"role":"u","parts":[1,[2],null]}]', '"x"', "NaN"],
)
def test_malformed_messages_stay_readable_and_break_nothing(text):
    assert read_messages(text)


def test_no_messages_are_no_messages():
    assert read_messages("") == []
    assert read_messages("[]") == []
