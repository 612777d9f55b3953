-- Question: what is known of each call that is rated, and of others to compare with? Whole conversations are drawn:
-- {rated:UInt32} of a million with the rated calls, {unrated:UInt32} with the others.
-- Cost: texts of the drawn calls, one pass over the narrow columns of the period's calls, one over all ratings.
WITH
    $contrast_ratings,
    $drawn AS draw
SELECT
    call.TraceId AS TraceId,
    call.SpanId AS SpanId,
    toUnixTimestamp64Nano(call.Timestamp) AS TimeUnixNano,
    firstNonDefault(call.SessionId, call.TraceId) AS Conversation,
    call.SessionId AS SessionId,
    firstNonDefault(rated.RaterId, call.UserId) AS Person,
    rated.Ratings > 0 AS IsRated,
    rated.Negative > 0 AS IsNegative,
    rated.Negative = 0 AND rated.Positive > 0 AS IsPositive,
    call.ServiceName AS service,
    call.Provider AS provider,
    call.RequestModel AS request_model,
    call.ResponseModel AS response_model,
    call.Operation AS operation,
    call.PromptName AS prompt_name,
    call.PromptVersion AS prompt_version,
    call.FinishReason AS finish_reason,
    call.StatusCode AS status,
    call.ErrorType AS error_type,
    call.Dialect AS dialect,
    call.ScopeName AS instrumentation,
    if(call.Temperature IS NULL, '', toString(call.Temperature)) AS temperature,
    if(call.MaxTokens IS NULL, '', toString(call.MaxTokens)) AS max_tokens,
    call.Tools AS tool,
    call.Duration / 1e9 AS seconds,
    call.TimeToFirstChunk / 1e9 AS seconds_to_first_chunk,
    toFloat64(call.InputTokens) AS input_tokens,
    toFloat64(call.OutputTokens) AS output_tokens,
    toFloat64(call.ReasoningTokens) AS reasoning_tokens,
    toValidUTF8(substringUTF8(call.Prompt, 1, 4000)) AS prompt,
    toValidUTF8(substringUTF8(call.Completion, 1, 4000)) AS answer,
    toValidUTF8(substringUTF8(rated.Comment, 1, 4000)) AS comment
FROM llm_calls AS call
LEFT JOIN contrast_ratings AS rated ON rated.TraceId = call.TraceId AND rated.SpanId = call.SpanId
WHERE call.Timestamp >= {since:DateTime('UTC')}
    AND call.Timestamp < {until:DateTime('UTC')}
    AND ({service:String} = '' OR call.ServiceName = {service:String})
    AND (draw < {unrated:UInt32} OR draw < {rated:UInt32} AND call.TraceId IN (SELECT TraceId FROM contrast_ratings))
    AND draw < if(rated.Ratings > 0, {rated:UInt32}, {unrated:UInt32})
ORDER BY TimeUnixNano, TraceId, SpanId
