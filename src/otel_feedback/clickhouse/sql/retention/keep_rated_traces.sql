-- Note as kept, by {run:String}, each trace that a person's current rating speaks of: of it, of an answer in it, or of its
-- session. Evaluators rate everything and keep nothing. Not noted: traces of which the newest span is from before
-- {rated_before:DateTime('UTC')}.
-- Cost: one pass over the ratings, and over the traces' ids.
INSERT INTO deletions (Run, Kind, Id)
WITH
    ratings AS (SELECT TraceId, SessionId, Scope FROM feedback WHERE Source != 'evaluator'),
    sessions_rated AS (SELECT SessionId FROM ratings WHERE Scope = 'session' AND SessionId != ''),
    rated AS (
        SELECT TraceId FROM ratings WHERE TraceId != ''
        UNION DISTINCT
        SELECT TraceId FROM otel_traces_trace_id_ts WHERE SessionId IN (SELECT SessionId FROM sessions_rated)
        UNION DISTINCT
        SELECT TraceId FROM llm_call_spans WHERE SessionId IN (SELECT SessionId FROM sessions_rated)
    )
SELECT {run:String}, 'kept', TraceId
FROM rated
WHERE TraceId NOT IN (
    SELECT TraceId
    FROM otel_traces_trace_id_ts
    WHERE TraceId IN (SELECT TraceId FROM rated)
    GROUP BY TraceId
    HAVING max(End) < {rated_before:DateTime('UTC')}
)
