-- Question: which session does this trace belong to?
-- Parameters: {trace:String}.
-- Cost: reads the calls of one trace.
SELECT SessionId
FROM llm_calls
WHERE TraceId = {trace:String} AND SessionId != ''
LIMIT 1
