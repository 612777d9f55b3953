-- Question: how many spans and log records are there, and what is the newest time among them?
-- Parameters: none.
-- Cost: answered by what ClickHouse knows of each part; reads no rows.
SELECT 'otel_traces' AS Name, count() AS Rows, toFloat64(max(Timestamp)) AS NewestUnix FROM otel_traces
UNION ALL
SELECT 'otel_logs', count(), toFloat64(max(Timestamp)) FROM otel_logs
