-- The journal: one row per submission. One that names nothing at all replaces no other.
CREATE VIEW IF NOT EXISTS feedback_events AS
SELECT
    EventId,
    lower(hex(RatingKey)) AS FeedbackId,
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
FROM rating_events
