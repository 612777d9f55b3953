"""What people ask of the history: timed by ``make bench-queries``, and pinned in a test by what it reads."""

from __future__ import annotations

from typing import Final

ASKED: Final = {
    "one trace": (
        "WITH lower(hex(sipHash128('trace', toUInt64(12000)))) AS trace, "
        "(SELECT (min(Start), max(End)) FROM otel_traces_trace_id_ts WHERE TraceId = trace) AS bounds "
        "SELECT * FROM otel_traces WHERE TraceId = trace AND Timestamp >= bounds.1 AND Timestamp <= bounds.2 + 1 "
        "ORDER BY Timestamp"
    ),
    "one session's calls": "SELECT * FROM llm_calls WHERE SessionId = 'session-3000' ORDER BY Timestamp",
    "newest 50 ratings": "SELECT * FROM feedback ORDER BY Time DESC LIMIT 50",
    "newest 50 negative ones": (
        "SELECT Time, Name, Value, Label, Comment, RaterId, SessionId, TraceId, SpanId FROM feedback "
        "WHERE Label = 'negative' AND Name = 'thumbs' ORDER BY Time DESC LIMIT 50"
    ),
    "ratings by label": "SELECT Label, count() FROM feedback GROUP BY Label",
    "rated calls by model": (
        "SELECT RequestModel, countIf(Label = 'positive') / count(), avg(Duration) FROM rated_llm_calls GROUP BY ALL"
    ),
    "rated calls by day": (
        "SELECT toDate(Timestamp) AS Day, Label, count(), avg(TotalTokens) FROM rated_llm_calls GROUP BY ALL"
    ),
    "rated traces": "SELECT Label, avg(Duration), avg(Calls) FROM rated_traces GROUP BY Label",
    "rated sessions": "SELECT Label, avg(Calls), avg(TotalTokens) FROM rated_sessions GROUP BY Label",
}
"""By what it is called; each is as people would write it."""
