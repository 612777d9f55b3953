-- Question: which rejected answers took longest, and was that long for their model?
-- Parameters:
--   {since:DateTime('UTC')} [30d] calls from this moment on, e.g. 2026-11-01
--   {until:DateTime('UTC')} [now] calls before this moment, e.g. 2026-11-08
--   {service:String} [] calls of this service only, e.g. shop-assistant
--   {name:String} [] ratings of this name only, e.g. thumbs
--   {characters:UInt32} [200] where prompts and comments are cut, e.g. 2000
--   {limit:UInt32} [20] calls at most, e.g. 100
-- Cost: three passes over the narrow columns of the period's calls, two over all ratings, and the prompts of the calls
--   shown. A call that several people rejected comes once, with the newest of their comments.
SELECT
    round(rated.Duration / 1e9, 3) AS Seconds,
    round(call.MedianDuration / 1e9, 3) AS MedianSeconds,
    round(rated.Duration / nullIf(call.MedianDuration, 0), 1) AS TimesMedian,
    round(nullIf(rated.TimeToFirstChunk, 0) / 1e9, 3) AS FirstChunkSeconds,
    rated.Model AS Model,
    rated.OutputTokens AS OutputTokens,
    rated.Comment AS Comment,
    rated.Prompt AS Prompt,
    rated.TraceId AS TraceId,
    rated.SpanId AS SpanId
FROM (
    SELECT
        Duration,
        TimeToFirstChunk,
        if(ResponseModel != '', ResponseModel, RequestModel) AS Model,
        OutputTokens,
        substringUTF8(Comment, 1, {characters:UInt32}) AS Comment,
        substringUTF8(Prompt, 1, {characters:UInt32}) AS Prompt,
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
            ORDER BY Duration DESC, TraceId, SpanId
            LIMIT 1 BY TraceId, SpanId
            LIMIT {limit:UInt32}
        )
    ORDER BY Duration DESC, TraceId, SpanId, RatingTime DESC, FeedbackId
    LIMIT 1 BY TraceId, SpanId
    LIMIT {limit:UInt32}
) AS rated
INNER JOIN (
    SELECT if(ResponseModel != '', ResponseModel, RequestModel) AS Model, quantileExact(0.5)(Duration) AS MedianDuration
    FROM llm_calls
    WHERE Timestamp >= {since:DateTime('UTC')}
        AND Timestamp < {until:DateTime('UTC')}
        AND ({service:String} = '' OR ServiceName = {service:String})
    GROUP BY Model
) AS call ON call.Model = rated.Model
ORDER BY rated.Duration DESC, TraceId, SpanId
