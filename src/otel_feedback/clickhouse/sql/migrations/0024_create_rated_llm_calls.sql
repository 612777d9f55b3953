-- Each current rating beside the LLM call that it rates. A rating of a whole trace goes with the trace's final call
-- only, so that nothing is counted twice; a rating of a session goes with no call (see rated_sessions).
CREATE VIEW IF NOT EXISTS rated_llm_calls AS
WITH
    final_calls AS (
        SELECT TraceKey, argMax(SpanKey, (Timestamp, SpanId)) AS SpanKey
        FROM llm_call_spans
        WHERE TraceKey IN (SELECT TraceKey FROM rating_deliveries WHERE Scope = 'trace')
        GROUP BY TraceKey
    ),
    ratings AS (
        SELECT
            rating.FeedbackId, rating.Time, rating.Name, rating.Value, rating.Label, rating.Comment, rating.Correction,
            rating.Reasons, rating.ScoreMin, rating.ScoreMax, rating.Scope, rating.Source, rating.RaterId, rating.Changes,
            rating.TraceKey AS TraceKey,
            if(rating.Scope = 'trace', final_call.SpanKey, rating.SpanKey) AS SpanKey
        FROM current_ratings AS rating
        LEFT ANY JOIN final_calls AS final_call ON final_call.TraceKey = rating.TraceKey
        WHERE rating.Scope IN ('span', 'trace')
    )
SELECT
    call.* EXCEPT (TraceKey, SpanKey),
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
FROM keyed_llm_calls AS call
INNER JOIN ratings AS rating ON rating.TraceKey = call.TraceKey AND rating.SpanKey = call.SpanKey
