CREATE MATERIALIZED VIEW IF NOT EXISTS otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts AS
-- A span may claim to end beyond the year 2262, where addNanoseconds fails, and with it the whole segment.
WITH
    (startsWith(SpanName, 'user_feedback ') AND has(Events.Name, 'gen_ai.evaluation.result'))
        OR SpanName = 'gen_ai.evaluation.result' AS is_carrier,
    9223372036854775807 - greatest(toUnixTimestamp64Nano(Timestamp), 0) AS most_nanoseconds,
    addNanoseconds(Timestamp, least(Duration, toUInt64(most_nanoseconds))) AS ended
SELECT
    TraceId,
    min(Timestamp) AS Start,
    max(Timestamp) AS End,
    minOrNullIf(Timestamp, NOT is_carrier) AS FirstTime,
    maxOrNullIf(ended, NOT is_carrier) AS LastTime,
    maxIf(toString(SpanName), ParentSpanId = '' AND NOT is_carrier) AS RootName,
    maxIf(toString(ServiceName), ParentSpanId = '' AND NOT is_carrier) AS ServiceName,
    maxIf(
        firstNonDefault(
            SpanAttributes['session.id'],
            SpanAttributes['gen_ai.conversation.id'],
            SpanAttributes['traceloop.association.properties.session_id'],
            SpanAttributes['traceloop.association.properties.conversation_id'],
            SpanAttributes['traceloop.association.properties.chat_id']
        ),
        NOT is_carrier
    ) AS SessionId,
    maxIf(
        firstNonDefault(
            SpanAttributes['user.id'],
            SpanAttributes['enduser.pseudo.id'],
            SpanAttributes['enduser.id'],
            SpanAttributes['traceloop.association.properties.user_id']
        ),
        NOT is_carrier
    ) AS UserId,
    maxIf(StatusCode = 'Error', NOT is_carrier) AS HasError,
    maxIf(cityHash64(TraceId), NOT is_carrier) AS TraceKey
FROM otel_traces
WHERE TraceId != ''
GROUP BY TraceId
