-- Question: which ratings have the calls from {first:UInt32} on and before {last:UInt32} (Unix seconds), with all that was said?
-- Cost: the texts of these calls, one pass over all ratings.
SELECT
    TraceId,
    SpanId,
    SessionId,
    toString(Timestamp, 'UTC') AS Time,
    ServiceName,
    Provider,
    RequestModel,
    ResponseModel,
    PromptName,
    PromptVersion,
    FinishReason,
    Duration / 1e9 AS Seconds,
    toFloat64(InputTokens) AS InputTokens,
    toFloat64(OutputTokens) AS OutputTokens,
    SystemInstructions,
    InputMessages,
    OutputMessages,
    FeedbackId,
    Name,
    Label,
    Value,
    Comment,
    Correction,
    Reasons,
    Source
FROM rated_llm_calls
WHERE Timestamp >= fromUnixTimestamp({first:UInt32})
    AND Timestamp < fromUnixTimestamp({last:UInt32})
    AND Timestamp >= {since:DateTime('UTC')}
    AND Timestamp < {until:DateTime('UTC')}
    AND ({source:String} = '' OR Source = {source:String})
    AND ({service:String} = '' OR ServiceName = {service:String})
    AND ({name:String} = '' OR Name = {name:String})
ORDER BY Timestamp, TraceId, SpanId, FeedbackId
