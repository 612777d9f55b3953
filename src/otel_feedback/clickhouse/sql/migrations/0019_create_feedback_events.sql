-- The journal: one row per submission, whichever of its carriers came, however often. A rating that names its answer by
-- response id alone gets the ids of the call once that has come. One that names nothing at all replaces no other.
CREATE VIEW IF NOT EXISTS feedback_events AS
WITH
    submissions AS (
        SELECT
            EventId, Time, ReceivedTime, Action, TraceId, SpanId, SessionId, ResponseId, Scope, Name, Value, Label, Comment,
            Correction, Reasons, ScoreMin, ScoreMax, Source, RaterId, ServiceName, Attributes, Via
        FROM rating_deliveries
        ORDER BY EventId, TraceId = '', SpanId = '', Carrier DESC, Time, TraceId, SpanId, toString(Delivered), ReceivedTime
        LIMIT 1 BY EventId
    ),
    calls AS (
        SELECT ResponseId, min((TraceId, SpanId)) AS Ids
        FROM llm_call_spans
        WHERE ResponseId IN (
            SELECT ResponseId FROM rating_deliveries WHERE Scope = 'span' AND SpanId = '' AND ResponseId != ''
        )
        GROUP BY ResponseId
    ),
    resolved AS (
        SELECT
            submission.* EXCEPT (TraceId, SpanId),
            if(submission.Scope = 'span' AND submission.SpanId = '', call.Ids.1, submission.TraceId) AS TraceId,
            if(submission.Scope = 'span' AND submission.SpanId = '', call.Ids.2, submission.SpanId) AS SpanId
        FROM submissions AS submission
        LEFT ANY JOIN calls AS call ON call.ResponseId = submission.ResponseId
    )
SELECT
    EventId,
    lower(hex(sipHash128(
        Scope,
        multiIf(
            Scope = 'session', if(SessionId != '', SessionId, EventId),
            Scope = 'trace', TraceId,
            SpanId != '', concat(TraceId, '/', SpanId),
            ResponseId
        ),
        Name,
        RaterId
    ))) AS FeedbackId,
    Time,
    ReceivedTime,
    Action,
    TraceId,
    SpanId,
    SessionId,
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
    Via
FROM resolved
