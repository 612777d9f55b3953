-- Ratings as log records: the record's trace context names what is rated.
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
WHERE if(EventName != '', EventName, LogAttributes['event.name']) = 'gen_ai.evaluation.result'
