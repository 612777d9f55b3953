-- Question: which spans does this trace have, with everything on them?
-- Parameters: {trace:String}; {limit:UInt32}; {text_characters:UInt32} where each attribute's value is cut.
-- Cost: the trace's first and last moment come from otel_traces_trace_id_ts, so that only their parts are read.
WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS first_moment,
    (SELECT max(End) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS last_moment
SELECT
    t.SpanId AS SpanId,
    t.ParentSpanId AS ParentSpanId,
    t.SpanName AS SpanName,
    t.SpanKind AS SpanKind,
    t.ServiceName AS ServiceName,
    t.ScopeName AS ScopeName,
    t.ScopeVersion AS ScopeVersion,
    toUnixTimestamp64Nano(t.Timestamp) AS StartUnixNano,
    t.Duration AS Duration,
    t.StatusCode AS StatusCode,
    substringUTF8(t.StatusMessage, 1, {text_characters:UInt32}) AS StatusMessage,
    mapApply((key, value) -> (key, substringUTF8(value, 1, {text_characters:UInt32})), t.SpanAttributes) AS SpanAttributes,
    mapApply((key, value) -> (key, substringUTF8(value, 1, 2000)), t.ResourceAttributes) AS ResourceAttributes,
    arrayMap(
        (moment, name, attributes) -> (
            toUnixTimestamp64Nano(moment),
            toString(name),
            mapApply((key, value) -> (key, substringUTF8(value, 1, {text_characters:UInt32})), attributes)
        ),
        arraySlice(t.Events.Timestamp, 1, 100),
        arraySlice(t.Events.Name, 1, 100),
        arraySlice(t.Events.Attributes, 1, 100)
    )::Array(Tuple(TimeUnixNano Int64, Name String, Attributes Map(String, String))) AS Events,
    arrayMap(
        (trace, span, attributes) -> (
            trace, span, mapApply((key, value) -> (key, substringUTF8(value, 1, 2000)), attributes)
        ),
        arraySlice(t.Links.TraceId, 1, 100),
        arraySlice(t.Links.SpanId, 1, 100),
        arraySlice(t.Links.Attributes, 1, 100)
    )::Array(Tuple(TraceId String, SpanId String, Attributes Map(String, String))) AS Links
FROM otel_traces AS t
WHERE t.TraceId = {trace:String}
    AND t.Timestamp >= first_moment
    AND t.Timestamp <= last_moment + INTERVAL 1 SECOND
ORDER BY t.Timestamp, t.SpanId
LIMIT {limit:UInt32}
