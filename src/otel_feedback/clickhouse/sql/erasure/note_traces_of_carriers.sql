-- Note the traces that hold nothing but spans which go: of them no time is left to tell.
-- Cost: two passes over the attributes of all spans.
INSERT INTO deletions (Run, Kind, Id)
SELECT {run:String}, 'carrier_trace', TraceId
FROM otel_traces
WHERE TraceId IN (SELECT TraceId FROM otel_traces WHERE $condition)
GROUP BY TraceId
HAVING countIf(NOT ($condition)) = 0
