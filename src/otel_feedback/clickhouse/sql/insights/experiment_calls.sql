-- Question: how were the calls of {arms:Array(String)} served, and how were they rated, if at all? Whole conversations are
-- drawn, {drawn:UInt32} of a million.
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings.
WITH
    $contrast_ratings,
    $arm_tags,
    sipHash64('contrast', firstNonDefault(call.SessionId, call.TraceId)) % 1000000 AS draw
SELECT
    $arm_of_call AS Arm,
    toUnixTimestamp64Nano(call.Timestamp) AS TimeUnixNano,
    call.TraceId AS TraceId,
    call.SpanId AS SpanId,
    firstNonDefault(call.SessionId, call.TraceId) AS Conversation,
    firstNonDefault(rated.RaterId, call.UserId) AS Person,
    rated.Ratings > 0 AS IsRated,
    rated.Negative > 0 AS IsNegative,
    rated.Negative = 0 AND rated.Positive > 0 AS IsPositive,
    toString(call.ServiceName) AS service,
    toString(if(call.ResponseModel != '', call.ResponseModel, call.RequestModel)) AS model,
    call.StatusCode = 'Error' OR call.ErrorType != '' AS IsError,
    call.Duration / 1e9 AS seconds,
    call.TimeToFirstChunk / 1e9 AS seconds_to_first_chunk,
    toFloat64(call.InputTokens) AS input_tokens,
    toFloat64(call.OutputTokens) AS output_tokens
FROM llm_calls AS call
LEFT JOIN contrast_ratings AS rated ON rated.TraceId = call.TraceId AND rated.SpanId = call.SpanId
$arm_joins
    AND draw < {drawn:UInt32}
    AND Arm IN {arms:Array(String)}
ORDER BY TimeUnixNano, TraceId, SpanId
