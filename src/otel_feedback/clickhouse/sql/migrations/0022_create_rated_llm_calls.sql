-- Each current rating beside the LLM call that it rates. A rating of a whole trace goes with the trace's final call
-- only, so that nothing is counted twice; a rating of a session goes with no call (see rated_sessions).
CREATE VIEW IF NOT EXISTS rated_llm_calls AS
WITH
    final_calls AS (
        SELECT TraceId, argMax(SpanId, (Timestamp, SpanId)) AS SpanId
        FROM llm_call_spans
        WHERE TraceId IN (SELECT TraceId FROM rating_deliveries WHERE Scope = 'trace')
        GROUP BY TraceId
    ),
    ratings AS (
        SELECT
            rating.FeedbackId, rating.Time, rating.Name, rating.Value, rating.Label, rating.Comment, rating.Correction,
            rating.Reasons, rating.ScoreMin, rating.ScoreMax, rating.Scope, rating.Source, rating.RaterId, rating.Changes,
            rating.TraceId AS TraceId,
            if(rating.Scope = 'trace', final_call.SpanId, rating.SpanId) AS SpanId
        FROM feedback AS rating
        LEFT ANY JOIN final_calls AS final_call ON final_call.TraceId = rating.TraceId
        WHERE rating.Scope IN ('span', 'trace')
    )
SELECT
    call.*,
    rating.FeedbackId AS FeedbackId,
    rating.Time AS RatingTime,
    rating.Name AS Name,
    rating.Value AS Value,
    rating.Label AS Label,
    rating.Comment AS Comment,
    rating.Correction AS Correction,
    rating.Reasons AS Reasons,
    rating.ScoreMin AS ScoreMin,
    rating.ScoreMax AS ScoreMax,
    rating.Scope AS Scope,
    rating.Source AS Source,
    rating.RaterId AS RaterId,
    rating.Changes AS Changes
FROM llm_calls AS call
INNER JOIN ratings AS rating ON rating.TraceId = call.TraceId AND rating.SpanId = call.SpanId
WHERE call.TraceId IN (SELECT TraceId FROM rating_events WHERE TraceId != '')
