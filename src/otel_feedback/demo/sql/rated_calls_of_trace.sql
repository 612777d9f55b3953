-- Question: which ratings of this trace are joined with their call, and what is in the call?
-- Parameters: {trace:String}.
-- Cost: reads the calls of one trace.
SELECT
    TraceId, SessionId, UserId, Label, Comment, Reasons, RaterId, Changes, Duration, InputTokens, OutputTokens,
    RequestModel, Prompt, Completion
FROM rated_llm_calls
WHERE TraceId = {trace:String}
ORDER BY RatingTime
