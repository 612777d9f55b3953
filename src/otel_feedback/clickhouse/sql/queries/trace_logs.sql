-- Question: which log records were written in this trace?
-- Parameters: {trace:String}; {limit:UInt32}; {text_characters:UInt32} where bodies and values are cut.
-- Cost: log records of the trace's own time alone, give or take five minutes.
WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS first_moment,
    (SELECT max(End) FROM otel_traces_trace_id_ts WHERE TraceId = {trace:String}) AS last_moment
SELECT
    toUnixTimestamp64Nano(l.Timestamp) AS TimeUnixNano,
    l.SeverityText AS SeverityText,
    l.EventName AS EventName,
    substringUTF8(l.Body, 1, {text_characters:UInt32}) AS Body,
    mapApply((key, value) -> (key, substringUTF8(value, 1, {text_characters:UInt32})), l.LogAttributes) AS LogAttributes
FROM otel_logs AS l
WHERE l.TraceId = {trace:String}
    AND l.Timestamp >= first_moment - INTERVAL 5 MINUTE
    AND l.Timestamp <= last_moment + INTERVAL 5 MINUTE
ORDER BY l.Timestamp
LIMIT {limit:UInt32}
