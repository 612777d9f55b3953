-- Note the traces of the noted sessions.
-- Cost: one pass over the attributes of all spans.
INSERT INTO deletions (Run, Kind, Id)
SELECT DISTINCT {run:String}, 'trace', TraceId
FROM otel_traces
WHERE TraceId != '' AND NOT ($is_carrier) AND arrayExists(key -> SpanAttributes[key] IN $noted_sessions, $session_keys)
