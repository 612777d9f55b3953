-- Question: which sessions match the filters, last active first, from a cursor on?
-- Parameters: {rated:String} '' or one of 'positive', 'negative', 'any rating', 'not rated'; {errors:String} '' or 'only';
--   {service:String} {model:String} {user:String} {text:String} '' for any; {since:Int64} {until:Int64} Unix
--   nanoseconds; {before_time:Int64} {before_id:String} the last row shown; {limit:UInt32}.
-- Cost: aggregates the narrow columns of the calls; with a user, a service or a model those of their sessions. Reads no prompt.
SELECT
    s.SessionId AS SessionId,
    s.UserId AS UserId,
    toUnixTimestamp64Nano(s.FirstTime) AS FirstUnixNano,
    toUnixTimestamp64Nano(s.LastTime) AS LastUnixNano,
    s.Calls AS Calls,
    s.TotalTokens AS TotalTokens,
    s.Errors AS Errors,
    if(s.Calls > 0, intDiv(s.Duration, s.Calls), 0) AS MeanDuration,
    s.Ratings AS Ratings,
    s.Positive AS Positive,
    s.Neutral AS Neutral,
    s.Negative AS Negative
FROM sessions AS s
WHERE s.LastTime >= fromUnixTimestamp64Nano({since:Int64})
    AND s.LastTime < fromUnixTimestamp64Nano({until:Int64})
    AND (toUnixTimestamp64Nano(s.LastTime), s.SessionId) < ({before_time:Int64}, {before_id:String})
    AND ({text:String} = '' OR positionCaseInsensitiveUTF8(s.SessionId, {text:String}) > 0)
    AND ({user:String} = '' OR s.SessionId IN (
        SELECT SessionId FROM llm_call_spans FINAL WHERE {user:String} != '' AND UserId = {user:String}
    ))
    AND ({service:String} = '' AND {model:String} = '' OR s.SessionId IN (
        SELECT SessionId
        FROM llm_call_spans FINAL
        WHERE {service:String} || {model:String} != ''
            AND ({service:String} = '' OR ServiceName = {service:String})
            AND ({model:String} = '' OR if(ResponseModel != '', ResponseModel, RequestModel) = {model:String})
    ))
    AND ({errors:String} = '' OR s.Errors > 0)
    AND multiIf(
        {rated:String} = 'positive', s.Positive > 0,
        {rated:String} = 'negative', s.Negative > 0,
        {rated:String} = 'any rating', s.Ratings > 0,
        {rated:String} = 'not rated', s.Ratings = 0,
        true
    )
ORDER BY s.LastTime DESC, s.SessionId DESC
LIMIT {limit:UInt32}
