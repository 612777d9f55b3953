-- Question: do calls that people rate differ from those that they don't?
-- Parameters:
--   {since:DateTime('UTC')} [30d] calls from this moment on, e.g. 2026-11-01
--   {until:DateTime('UTC')} [now] calls before this moment, e.g. 2026-11-08
--   {service:String} [] calls of this service only, e.g. shop-assistant
--   {name:String} [] ratings of this name only, e.g. thumbs
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings, whose calls are held in memory. A
--   call with ratings of several kinds counts as negative if one of them is, else as positive.
SELECT
    multiIf(
        rated.Negative > 0, 'negative',
        rated.Positive > 0, 'positive',
        rated.Ratings > 0, 'neither',
        'not rated'
    ) AS Rating,
    count() AS Calls,
    round(Calls / sum(count()) OVER (), 3) AS Share,
    uniqExactIf(call.UserId, call.UserId != '') AS Users,
    uniqExactIf(call.SessionId, call.SessionId != '') AS Sessions,
    round(quantileExact(0.5)(call.Duration) / 1e9, 3) AS MedianSeconds,
    round(quantileExact(0.95)(call.Duration) / 1e9, 3) AS P95Seconds,
    quantileExact(0.5)(call.InputTokens) AS MedianInputTokens,
    quantileExact(0.5)(call.OutputTokens) AS MedianOutputTokens,
    round(avg(call.StatusCode = 'Error'), 3) AS ErrorRate
FROM llm_calls AS call
LEFT JOIN (
    SELECT
        TraceId,
        SpanId,
        count() AS Ratings,
        countIf(Label = 'positive') AS Positive,
        countIf(Label = 'negative') AS Negative
    FROM rated_llm_calls
    WHERE Timestamp >= {since:DateTime('UTC')}
        AND Timestamp < {until:DateTime('UTC')}
        AND Source = 'end_user'
        AND ({service:String} = '' OR ServiceName = {service:String})
        AND ({name:String} = '' OR Name = {name:String})
    GROUP BY TraceId, SpanId
) AS rated ON rated.TraceId = call.TraceId AND rated.SpanId = call.SpanId
WHERE call.Timestamp >= {since:DateTime('UTC')}
    AND call.Timestamp < {until:DateTime('UTC')}
    AND ({service:String} = '' OR call.ServiceName = {service:String})
GROUP BY Rating
ORDER BY indexOf(['negative', 'positive', 'neither', 'not rated'], Rating)
