-- Question: which log records were written in this trace?
-- Parameters: {trace:String}; {limit:UInt32}.
-- Cost: log records of the trace's own time alone, give or take five minutes.
WITH
    $bounds_of_trace
SELECT
    toUnixTimestamp64Nano(l.Timestamp) AS TimeUnixNano,
    substringUTF8(l.SeverityText, 1, 40) AS SeverityText,
    substringUTF8(l.EventName, 1, 80) AS EventName,
    substringUTF8(l.Body, 1, 160) AS Body
FROM otel_logs AS l
WHERE l.TraceId = {trace:String}
    AND l.Timestamp >= first_moment - INTERVAL 5 MINUTE
    AND l.Timestamp <= last_moment + INTERVAL 5 MINUTE
ORDER BY l.Timestamp
LIMIT {limit:UInt32}
