-- Question: what was said in the newest {most:UInt32} calls that no user rated and of which {rater:String} said nothing yet,
-- before ({before:Int64} Unix nanoseconds, {trace:String}, {span:String})?
-- Cost: the texts of these calls, one pass over the narrow columns of the period's calls, one over all ratings.
WITH
    rated AS (
        SELECT TraceId, SpanId
        FROM rated_llm_calls
        WHERE Timestamp >= {since:DateTime('UTC')}
            AND Timestamp < {until:DateTime('UTC')}
            AND Source != 'evaluator'
            AND ({name:String} = '' OR Name = {name:String})
    ),
    judged AS (
        SELECT TraceId, SpanId
        FROM feedback
        WHERE RaterId = {rater:String} AND Source = 'evaluator' AND Scope = 'span'
    ),
    chosen AS (
        SELECT TraceId, SpanId
        FROM llm_call_spans FINAL
        WHERE Timestamp >= {since:DateTime('UTC')}
            AND Timestamp < {until:DateTime('UTC')}
            AND ({service:String} = '' OR ServiceName = {service:String})
            AND (toUnixTimestamp64Nano(Timestamp), TraceId, SpanId) < ({before:Int64}, {trace:String}, {span:String})
            AND (TraceId, SpanId) NOT IN (SELECT TraceId, SpanId FROM rated)
            AND (TraceId, SpanId) NOT IN (SELECT TraceId, SpanId FROM judged)
        ORDER BY Timestamp DESC, TraceId DESC, SpanId DESC
        LIMIT {most:UInt32}
    )
SELECT
    $judged_columns
FROM llm_calls AS call
WHERE call.Timestamp >= {since:DateTime('UTC')}
    AND call.Timestamp < {until:DateTime('UTC')}
    AND (call.TraceId, call.SpanId) IN (SELECT TraceId, SpanId FROM chosen)
ORDER BY TimeUnixNano DESC, TraceId DESC, SpanId DESC
