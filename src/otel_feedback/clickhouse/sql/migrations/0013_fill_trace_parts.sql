CREATE MATERIALIZED VIEW IF NOT EXISTS trace_parts_mv TO trace_parts AS
-- A span may claim to end beyond the year 2262, where addNanoseconds fails, and with it the whole segment.
WITH
    9223372036854775807 - greatest(toUnixTimestamp64Nano(Timestamp), 0) AS most_nanoseconds,
    addNanoseconds(Timestamp, least(Duration, toUInt64(most_nanoseconds))) AS ended
SELECT
    TraceId,
    min(Timestamp) AS FirstTime,
    max(ended) AS LastTime,
    maxIf(toString(SpanName), ParentSpanId = '') AS RootName,
    maxIf(toString(ServiceName), ParentSpanId = '') AS ServiceName,
    max(if(SpanAttributes['session.id'] != '', SpanAttributes['session.id'], SpanAttributes['gen_ai.conversation.id']))
        AS SessionId,
    max(multiIf(
        SpanAttributes['user.id'] != '', SpanAttributes['user.id'],
        SpanAttributes['enduser.pseudo.id'] != '', SpanAttributes['enduser.pseudo.id'],
        SpanAttributes['enduser.id']
    )) AS UserId,
    max(StatusCode = 'Error') AS HasError
FROM otel_traces
WHERE TraceId != '' AND NOT (startsWith(SpanName, 'user_feedback ') AND has(Events.Name, 'gen_ai.evaluation.result'))
GROUP BY TraceId
