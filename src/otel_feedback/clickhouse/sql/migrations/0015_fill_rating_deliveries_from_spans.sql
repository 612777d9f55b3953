-- Ratings as span events. What is rated: the span that a carrier links to; else the event's own span, unless that is a
-- carrier; else the carrier's parent. A carrier's own ids never name a target.
CREATE MATERIALIZED VIEW IF NOT EXISTS rating_deliveries_from_spans_mv TO rating_deliveries AS
WITH
    SpanAttributes['gen_ai.operation.name'] = '' AND length(Links.TraceId) = 1 AS is_linked_carrier,
    startsWith(SpanName, 'user_feedback ') AS is_carrier
SELECT
    event.1 AS Time,
    multiIf(is_linked_carrier, Links.TraceId[1], NOT is_carrier OR ParentSpanId != '', TraceId, '') AS TargetTraceId,
    multiIf(is_linked_carrier, Links.SpanId[1], NOT is_carrier, SpanId, ParentSpanId) AS TargetSpanId,
    ServiceName,
    'span_event' AS Carrier,
    Segment,
    event.3 AS Delivered
FROM otel_traces
ARRAY JOIN arrayFilter(
    event -> event.2 = 'gen_ai.evaluation.result', arrayZip(Events.Timestamp, Events.Name, Events.Attributes)
) AS event
WHERE has(Events.Name, 'gen_ai.evaluation.result')
