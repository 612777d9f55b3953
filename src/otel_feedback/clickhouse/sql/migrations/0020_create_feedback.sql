-- One row per current rating: of each (target, name, rater) the newest submission, ties decided by EventId; none where
-- that one takes the rating back. State: linked when what is rated has come, else waiting, and unmatched after a while.
CREATE VIEW IF NOT EXISTS feedback AS
WITH
    current AS (
        SELECT FeedbackId, argMax(EventId, (Time, EventId)) AS EventId, count() - 1 AS Changes
        FROM feedback_events
        GROUP BY FeedbackId
    ),
    arrived_traces AS (
        SELECT TraceId, max(SessionId) AS SessionId
        FROM otel_traces_trace_id_ts
        WHERE FirstTime IS NOT NULL AND TraceId IN (SELECT TraceId FROM feedback_events WHERE TraceId != '')
        GROUP BY TraceId
    ),
    arrived_sessions AS (
        SELECT DISTINCT SessionId
        FROM llm_call_spans
        WHERE SessionId IN (SELECT SessionId FROM rating_deliveries WHERE Scope = 'session' AND SessionId != '')
    ),
    (
        SELECT max(toUInt32OrZero(Value)) FROM service_settings FINAL WHERE Name = 'unmatched_after_seconds'
    ) AS unmatched_after_seconds
SELECT
    event.EventId AS EventId,
    event.FeedbackId AS FeedbackId,
    event.Time AS Time,
    event.ReceivedTime AS ReceivedTime,
    event.TraceId AS TraceId,
    event.SpanId AS SpanId,
    if(event.SessionId != '', event.SessionId, arrived.SessionId) AS SessionId,
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
    current.Changes AS Changes,
    multiIf(
        event.Scope = 'session' AND event.SessionId IN (SELECT SessionId FROM arrived_sessions), 'linked',
        event.Scope != 'session' AND arrived.TraceId != '', 'linked',
        event.Time > now64(9) - toIntervalSecond(unmatched_after_seconds), 'waiting',
        'unmatched'
    ) AS State
FROM feedback_events AS event
INNER JOIN current ON current.EventId = event.EventId
LEFT ANY JOIN arrived_traces AS arrived ON arrived.TraceId = event.TraceId
WHERE event.Action = 'submit'
