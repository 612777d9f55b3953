-- The submissions of ratings.sql as log records.
INSERT INTO otel_logs (
    Timestamp, TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body, ResourceAttributes, ScopeName,
    LogAttributes, EventName
)
SELECT
    Time,
    TraceId,
    SpanId,
    1,
    'INFO',
    9,
    ServiceName,
    '',
    map('service.name', ServiceName),
    'otel_feedback',
    Delivered,
    'gen_ai.evaluation.result'
FROM ($ratings)
