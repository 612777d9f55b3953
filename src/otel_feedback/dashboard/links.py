"""Links within the dashboard. Ids are other people's strings: slashes, quotes, dots and newlines must survive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

_NOT_IN_A_PATH = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]|(^|/)\.{1,2}(/|$)")


def session_link(session_id: str, *, span_id: str = "") -> str:
    """The page of a session, at one of its answers when a span is named."""
    link = _entity_link("sessions", session_id)
    if not span_id:
        return link
    return f"{link}{'&' if '?' in link else '?'}call={quote(span_id, safe='')}#call-{quote(span_id, safe='')}"


def user_link(user_id: str) -> str:
    """The page of a user."""
    return _entity_link("users", user_id)


def trace_link(trace_id: str, *, span_id: str = "") -> str:
    """The waterfall of a trace, at one of its spans when one is named."""
    link = _entity_link("traces", trace_id)
    if not span_id:
        return link
    return f"{link}{'&' if '?' in link else '?'}span={quote(span_id, safe='')}#span-{quote(span_id, safe='')}"


def span_link(trace_id: str, span_id: str) -> str:
    """One span with all that is on it."""
    return _exact("/spans", {"trace": trace_id, "span": span_id})


def log_link(trace_id: str, time_unix_nano: int) -> str:
    """The log records that a trace has at one moment."""
    return _exact("/logs", {"trace": trace_id, "time": str(time_unix_nano)})


def messages_link(trace_id: str, span_id: str) -> str:
    """What a model was told and answered, message by message."""
    return _exact("/messages", {"trace": trace_id, "span": span_id})


def text_link(**place: object) -> str:
    """One long text as a whole; ``place`` says which, as ``pages.texts`` reads it."""
    return _exact("/text", {name: str(value) for name, value in place.items()})


def reading_link(feedback_id: str, query: Mapping[str, str] | None = None) -> str:
    """A rating with its answer in context, among the ratings that the filters in ``query`` keep."""
    return with_query(f"/feedback/{quote(feedback_id, safe='')}", query or {})


def answer_link(row: Mapping[str, str]) -> str:
    """Where a rating's answer is seen in its context: its session, or its trace; "" when neither is known."""
    span_id = row.get("AnswerSpanId") or row.get("SpanId", "")
    if row.get("SessionId"):
        return session_link(row["SessionId"], span_id=span_id)
    if row.get("TraceId"):
        return trace_link(row["TraceId"], span_id=span_id)
    return ""


def with_query(path: str, values: Mapping[str, str]) -> str:
    """The path with the values that are not empty as its query string."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


def _exact(path: str, values: Mapping[str, str]) -> str:
    # An empty id is an id, too.
    return f"{path}?{urlencode(values, quote_via=quote)}"


def _entity_link(collection: str, entity_id: str) -> str:
    # Browsers resolve dot segments, and servers disagree about encoded control characters: those ids go into
    # the query string, which nobody rewrites.
    if _NOT_IN_A_PATH.search(entity_id):
        return f"/{collection}/?id={quote(entity_id, safe='')}"
    return f"/{collection}/{quote(entity_id, safe='')}"
