-- Question: which rejected answers cost most?
-- Parameters:
--   {since:DateTime('UTC')} [30d] calls from this moment on, e.g. 2026-11-01
--   {until:DateTime('UTC')} [now] calls before this moment, e.g. 2026-11-08
--   {service:String} [] calls of this service only, e.g. shop-assistant
--   {name:String} [] ratings of this name only, e.g. thumbs
--   {prices:String} [{}] JSON: by model, what a million tokens in and out cost, e.g. {"gpt-4o": [2.5, 10]}
--   {characters:UInt32} [200] where prompts and comments are cut, e.g. 2000
--   {limit:UInt32} [20] calls at most, e.g. 100
-- Cost: two passes over all ratings and the narrow columns of the period's calls: first which calls they are, then the
--   prompts of these alone. Calls of a model without a price come last, by their tokens; cached tokens are counted as
--   any others. A call that several people rejected comes once, with the newest of their comments.
WITH
    JSONExtract({prices:String}, 'Map(String, Tuple(Float64, Float64))') AS price_of,
    if(ResponseModel != '', ResponseModel, RequestModel)::String AS Model,
    if(
        mapContains(price_of, Model),
        round((InputTokens * price_of[Model].1 + OutputTokens * price_of[Model].2) / 1e6, 6),
        NULL
    ) AS Cost
SELECT
    Cost,
    Model,
    InputTokens,
    OutputTokens,
    TotalTokens,
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
        ORDER BY Cost DESC NULLS LAST, TotalTokens DESC, TraceId, SpanId
        LIMIT 1 BY TraceId, SpanId
        LIMIT {limit:UInt32}
    )
    AND NOT throwIf(
        JSONType({prices:String}) != 'Object'
            OR arrayExists(
                model -> JSONLength(model.2) != 2 OR match(model.2, '["{}]|null|true|false'),
                JSONExtractKeysAndValuesRaw({prices:String})
            ),
        'prices is not JSON like {"gpt-4o": [2.5, 10]}'
    )
ORDER BY Cost DESC NULLS LAST, TotalTokens DESC, TraceId, SpanId, RatingTime DESC, FeedbackId
LIMIT 1 BY TraceId, SpanId
LIMIT {limit:UInt32}
