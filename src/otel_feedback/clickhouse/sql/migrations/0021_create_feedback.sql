-- One row per current rating: of each (target, name, rater) the newest submission, ties decided by EventId; none where
-- that one takes the rating back. State: linked when what is rated has come, else waiting, and unmatched after a while.
-- Ratings are told apart by narrow columns first, so that a page of them reads the texts of no others.
CREATE VIEW IF NOT EXISTS feedback AS
WITH
    current AS (
        SELECT argMax(Precedence, Place)
        FROM rating_events
        GROUP BY RatingKey
    ),
    (
        SELECT (groupArray(Precedence), groupArray(Changes))
        FROM (
            SELECT argMax(Precedence, Place) AS Precedence, toUInt64(count() - 1) AS Changes
            FROM rating_events
            GROUP BY RatingKey
            HAVING Changes > 0
        )
    ) AS changed,
    arrived_traces AS (
        SELECT TraceKey
        FROM otel_traces_trace_id_ts
        WHERE TraceKey != 0 AND TraceKey IN (SELECT TraceKey FROM rating_deliveries WHERE TraceId != '')
    ),
    sessions_of_traces AS (
        SELECT TraceId, max(SessionId) AS SessionId
        FROM otel_traces_trace_id_ts
        WHERE TraceKey != 0 AND TraceKey IN (SELECT TraceKey FROM rating_deliveries WHERE TraceId != '' AND SessionId = '')
        GROUP BY TraceId
    ),
    arrived_sessions AS (
        SELECT SessionId
        FROM llm_call_spans
        WHERE SessionId IN (SELECT SessionId FROM rating_deliveries WHERE Scope = 'session' AND SessionId != '')
    ),
    (
        SELECT max(toUInt32OrZero(Value)) FROM service_settings FINAL WHERE Name = 'unmatched_after_seconds'
    ) AS unmatched_after_seconds
SELECT
    event.EventId AS EventId,
    lower(hex(event.RatingKey)) AS FeedbackId,
    event.Time AS Time,
    event.ReceivedTime AS ReceivedTime,
    event.TraceId AS TraceId,
    event.SpanId AS SpanId,
    firstNonDefault(event.SessionId, its_trace.SessionId) AS SessionId,
    event.ResponseId AS ResponseId,
    event.Scope AS Scope,
    event.Name AS Name,
    event.Value AS Value,
    event.Label AS Label,
    event.Comment AS Comment,
    event.Correction AS Correction,
    event.Reasons AS Reasons,
    event.ScoreMin AS ScoreMin,
    event.ScoreMax AS ScoreMax,
    event.Source AS Source,
    event.RaterId AS RaterId,
    event.ServiceName AS ServiceName,
    event.Attributes AS Attributes,
    event.Via AS Via,
    transform(event.Precedence, changed.1, changed.2, toUInt64(0)) AS Changes,
    multiIf(
        event.Scope = 'session' AND event.SessionId IN arrived_sessions, 'linked',
        event.Scope != 'session' AND (event.IsFound OR event.TraceKey IN arrived_traces), 'linked',
        event.Time > now64(9) - toIntervalSecond(unmatched_after_seconds), 'waiting',
        'unmatched'
    ) AS State
FROM rating_events AS event
LEFT ANY JOIN sessions_of_traces AS its_trace ON its_trace.TraceId = event.TraceId
WHERE event.Action = 'submit' AND event.Precedence IN current
