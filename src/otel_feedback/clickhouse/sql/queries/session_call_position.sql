-- Question: how many calls of this session come before this one?
-- Parameters: {session:String} {span:String}.
-- Cost: reads the keys and times of one session's calls.
SELECT countIf((Timestamp, SpanId) < At) AS Before
FROM (
    SELECT Timestamp, SpanId, (
        SELECT (min(Timestamp), {span:String}) FROM llm_calls WHERE SessionId = {session:String} AND SpanId = {span:String}
    ) AS At
    FROM llm_calls
    WHERE SessionId = {session:String}
)
