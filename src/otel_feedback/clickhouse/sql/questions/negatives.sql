-- Question: which answers did people reject, and what had been asked?
-- Parameters:
--   {since:DateTime('UTC')} [30d] calls from this moment on, e.g. 2026-11-01
--   {until:DateTime('UTC')} [now] calls before this moment, e.g. 2026-11-08
--   {service:String} [] calls of this service only, e.g. shop-assistant
--   {name:String} [] ratings of this name only, e.g. thumbs
--   {characters:UInt32} [500] where prompts, answers and comments are cut, e.g. 2000
--   {limit:UInt32} [20] rows at most, newest rating first, e.g. 100
-- Cost: two passes over all ratings and the narrow columns of the period's calls: first which answers they are, then
--   the texts of these alone.
SELECT
    RatingTime,
    Name,
    substringUTF8(Comment, 1, {characters:UInt32}) AS Comment,
    Reasons,
    substringUTF8(Correction, 1, {characters:UInt32}) AS Correction,
    substringUTF8(Prompt, 1, {characters:UInt32}) AS Prompt,
    substringUTF8(Completion, 1, {characters:UInt32}) AS Completion,
    if(ResponseModel != '', ResponseModel, RequestModel) AS Model,
    PromptVersion,
    RaterId,
    SessionId,
    TraceId,
    SpanId
FROM rated_llm_calls
WHERE
    $rejected_in_period
    AND TraceId IN (
        SELECT TraceId
        FROM rated_llm_calls
        WHERE
            $rejected_in_period
        ORDER BY RatingTime DESC, FeedbackId
        LIMIT {limit:UInt32}
    )
ORDER BY RatingTime DESC, FeedbackId
LIMIT {limit:UInt32}
