-- Note the traces in which a span names a person that {runs:Array(String)} have noted. A rating's carrier names who rates,
-- which may be someone else than whose trace it is in.
-- Cost: one pass over the attributes of all spans.
INSERT INTO deletions (Run, Kind, Id)
SELECT DISTINCT {run:String}, 'trace', TraceId
FROM otel_traces
WHERE TraceId != '' AND NOT ($is_carrier) AND arrayExists(key -> SpanAttributes[key] IN $noted_users, $user_keys)
