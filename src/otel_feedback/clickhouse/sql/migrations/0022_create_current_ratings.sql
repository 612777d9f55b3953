-- What feedback shows, with the keys by which ratings find their calls and traces. Of each (target, name, rater) the newest
-- submission, ties decided by EventId; none where that one takes the rating back. State: linked when what is rated has
-- come, else waiting, and unmatched after a while.
-- There is no join here, since each would make every question read all texts. What few ratings have (changes, a session of
-- their trace's alone) is looked up in arrays; Precedence tells submissions apart.
CREATE VIEW IF NOT EXISTS current_ratings AS
WITH
    (
        SELECT (groupArray(RatingNumber), groupArray(Newest), groupArray(Changes))
        FROM (
            SELECT
                reinterpretAsUInt64(RatingKey) AS RatingNumber,
                argMax(Precedence, Place) AS Newest,
                toUInt64(count() - 1) AS Changes
            FROM rating_events
            GROUP BY RatingNumber
            HAVING Changes > 0
        )
    ) AS changed,
    arrived_traces AS (
        SELECT TraceKey
        FROM otel_traces_trace_id_ts
        WHERE TraceKey != 0 AND TraceKey IN (SELECT TraceKey FROM rating_deliveries)
    ),
    (
        SELECT (groupArray(TraceKey), groupArray(SessionId))
        FROM (
            SELECT TraceKey, max(SessionId) AS SessionId
            FROM otel_traces_trace_id_ts
            WHERE TraceKey != 0 AND TraceKey IN (SELECT TraceKey FROM rating_deliveries WHERE SessionId = '')
            GROUP BY TraceKey
            HAVING SessionId != ''
        )
    ) AS sessions_of_traces,
    arrived_sessions AS (
        SELECT SessionId
        FROM llm_call_spans
        WHERE SessionId IN (SELECT SessionId FROM rating_deliveries WHERE Scope = 'session' AND SessionId != '')
    ),
    (
        SELECT max(toUInt32OrZero(Value)) FROM service_settings FINAL WHERE Name = 'unmatched_after_seconds'
    ) AS unmatched_after_seconds
SELECT
    EventId,
    lower(hex(RatingKey)) AS FeedbackId,
    Time,
    ReceivedTime,
    TraceId,
    SpanId,
    if(
        event.SessionId = '' AND TraceKey != 0,
        transform(TraceKey, sessions_of_traces.1, sessions_of_traces.2, ''),
        event.SessionId
    ) AS SessionId,
    ResponseId,
    Scope,
    Name,
    Value,
    Label,
    Comment,
    Correction,
    Reasons,
    ScoreMin,
    ScoreMax,
    Source,
    RaterId,
    ServiceName,
    Attributes,
    Via,
    transform(reinterpretAsUInt64(RatingKey), changed.1, changed.3, toUInt64(0)) AS Changes,
    multiIf(
        Scope = 'session' AND event.SessionId IN arrived_sessions, 'linked',
        Scope != 'session' AND (IsFound OR TraceKey IN arrived_traces), 'linked',
        Time > now64(9) - toIntervalSecond(unmatched_after_seconds), 'waiting',
        'unmatched'
    ) AS State,
    TraceKey,
    SpanKey
FROM rating_events AS event
WHERE Action = 'submit' AND transform(reinterpretAsUInt64(RatingKey), changed.1, changed.2, Precedence) = Precedence
