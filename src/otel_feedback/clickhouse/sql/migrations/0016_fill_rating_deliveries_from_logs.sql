-- Ratings as log records: the record's trace context names what is rated. Older SDKs send an event's name as an attribute,
-- Microsoft's as one of its own.
CREATE MATERIALIZED VIEW IF NOT EXISTS rating_deliveries_from_logs_mv TO rating_deliveries AS
SELECT
    Timestamp AS Time,
    TraceId AS TargetTraceId,
    SpanId AS TargetSpanId,
    ServiceName,
    'log' AS Carrier,
    Segment,
    LogAttributes AS Delivered
FROM otel_logs
WHERE 'gen_ai.evaluation.result' IN (EventName, LogAttributes['event.name'], LogAttributes['microsoft.custom_event.name'])
