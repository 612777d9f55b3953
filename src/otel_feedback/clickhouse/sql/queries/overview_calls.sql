-- Question: how many LLM calls were made in a period, and how many of them were rated?
-- Parameters: {since:Int64} {until:Int64} Unix nanoseconds.
-- Cost: one pass over the calls' keys and times in the period, one over the ratings.
SELECT
    (SELECT count() FROM (SELECT 1 FROM llm_calls LIMIT 1)) AS EverCalled,
    (
        SELECT count()
        FROM llm_calls
        WHERE Timestamp >= fromUnixTimestamp64Nano({since:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
    ) AS Calls,
    (
        SELECT uniqExact(TraceId, SpanId)
        FROM rated_llm_calls
        WHERE Timestamp >= fromUnixTimestamp64Nano({since:Int64}) AND Timestamp < fromUnixTimestamp64Nano({until:Int64})
    ) AS RatedCalls
