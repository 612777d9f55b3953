-- Question: which spans does this trace have, and when?
-- Parameters: {trace:String}; {limit:UInt32}.
-- Cost: reads narrow columns of the trace's own time.
WITH
    $bounds_of_trace
SELECT
    t.SpanId AS SpanId,
    t.ParentSpanId AS ParentSpanId,
    substringUTF8(t.SpanName, 1, 160) AS SpanName,
    t.SpanKind AS SpanKind,
    substringUTF8(t.ServiceName, 1, 80) AS ServiceName,
    toUnixTimestamp64Nano(t.Timestamp) AS StartUnixNano,
    t.Duration AS Duration,
    t.StatusCode AS StatusCode
FROM otel_traces AS t
WHERE t.TraceId = {trace:String}
    AND t.Timestamp >= first_moment
    AND t.Timestamp <= last_moment + INTERVAL 1 SECOND
ORDER BY t.Timestamp, t.SpanId
LIMIT {limit:UInt32}
