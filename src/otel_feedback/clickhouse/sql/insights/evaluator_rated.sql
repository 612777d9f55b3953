-- Question: which calls are rated positively or negatively by ratings from {rated_since:DateTime('UTC')} on and before
-- {rated_until:DateTime('UTC')}, by whom, and what was said in them? Whole conversations are drawn: {drawn:UInt32} of a
-- million. Score is what the evaluator {rater:String} said of a call, if it did.
-- Cost: texts of the drawn calls, one pass over the narrow columns of the period's calls, one over all ratings.
WITH
    ratings AS (
        SELECT
            TraceId,
            SpanId,
            arraySort(groupUniqArrayIf(RaterId, RaterId != '')) AS Raters,
            arraySort(groupUniqArray(FeedbackId)) AS RatingIds,
            max(RatingTime) AS LastRated,
            countIf(Label = 'positive') AS Positive,
            countIf(Label = 'negative') AS Negative,
            arrayStringConcat(arraySort(groupUniqArrayIf(Comment, Comment != '' AND Label = 'negative')), '\n') AS Comment
        FROM rated_llm_calls
        WHERE Timestamp >= {since:DateTime('UTC')}
            AND Timestamp < {until:DateTime('UTC')}
            AND RatingTime >= {rated_since:DateTime('UTC')}
            AND RatingTime < {rated_until:DateTime('UTC')}
            AND Label IN ('positive', 'negative')
            AND ({source:String} = '' AND Source != 'evaluator' OR Source = {source:String})
            AND ({service:String} = '' OR ServiceName = {service:String})
            AND ({name:String} = '' OR Name = {name:String})
        GROUP BY TraceId, SpanId
    ),
    verdicts AS (
        SELECT TraceId, SpanId, any(Value) AS Score
        FROM feedback
        WHERE {rater:String} != '' AND RaterId = {rater:String} AND Source = 'evaluator' AND Scope = 'span'
        GROUP BY TraceId, SpanId
    ),
    $drawn AS draw
SELECT
    $judged_columns,
    rated.Raters AS Raters,
    rated.RatingIds AS RatingIds,
    toUnixTimestamp64Nano(rated.LastRated) AS LastRatedUnixNano,
    toFloat64(rated.Negative > 0) AS IsNegative,
    toValidUTF8(substringUTF8(rated.Comment, 1, 1000)) AS Comment,
    verdict.Score AS Score
FROM llm_calls AS call
INNER JOIN ratings AS rated ON rated.TraceId = call.TraceId AND rated.SpanId = call.SpanId
LEFT JOIN verdicts AS verdict ON verdict.TraceId = call.TraceId AND verdict.SpanId = call.SpanId
WHERE call.Timestamp >= {since:DateTime('UTC')}
    AND call.Timestamp < {until:DateTime('UTC')}
    AND draw < {drawn:UInt32}
    AND notEmpty(call.Completion)
ORDER BY TimeUnixNano, TraceId, SpanId
