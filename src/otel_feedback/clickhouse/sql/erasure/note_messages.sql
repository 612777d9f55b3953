-- Note the calls outside the noted traces of which a log record with messages names a noted person.
-- Cost: one pass over the attributes of all log records.
INSERT INTO deletions (Run, Kind, Id)
WITH if(EventName != '', EventName, LogAttributes['event.name']) AS event
SELECT DISTINCT {run:String}, 'message', concat(TraceId, '/', SpanId)
FROM otel_logs
WHERE TraceId != '' AND SpanId != '' AND startsWith(event, 'gen_ai.') AND event != 'gen_ai.evaluation.result'
    AND (
        arrayExists(key -> LogAttributes[key] IN $noted_users, $user_keys)
        OR arrayExists(key -> LogAttributes[key] IN $noted_sessions, $session_keys)
    )
