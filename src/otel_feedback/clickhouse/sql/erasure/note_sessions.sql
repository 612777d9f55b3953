-- Note the sessions of the noted traces in which nobody else is named.
-- Cost: three passes over the attributes of all spans.
INSERT INTO deletions (Run, Kind, Id)
WITH
    sessions_of_traces AS (
        SELECT DISTINCT arrayJoin(arrayFilter(id -> id != '', arrayMap(key -> SpanAttributes[key], $session_keys))) AS Id
        FROM otel_traces
        WHERE TraceId IN $noted_traces AND NOT ($is_carrier)
    ),
    traces_of_sessions AS (
        SELECT DISTINCT TraceId, arrayJoin(arrayMap(key -> SpanAttributes[key], $session_keys)) AS Session
        FROM otel_traces
        WHERE Session IN (SELECT Id FROM sessions_of_traces) AND NOT ($is_carrier)
    ),
    traces_of_others AS (
        SELECT TraceId
        FROM otel_traces
        WHERE TraceId IN (SELECT TraceId FROM traces_of_sessions) AND NOT ($is_carrier)
            AND arrayExists(key -> SpanAttributes[key] != '', $user_keys)
            AND NOT arrayExists(key -> SpanAttributes[key] IN $noted_users, $user_keys)
    )
SELECT {run:String}, 'session', Session
FROM traces_of_sessions
GROUP BY Session
HAVING countIf(TraceId IN (SELECT TraceId FROM traces_of_others)) = 0
