-- Question: with which instructions was {version:String} of {prompt:String} called, the most common ones first?
-- Cost: the messages of the calls of this version.
SELECT
    SystemInstructions,
    InputMessages,
    count() OVER (PARTITION BY SystemInstructions) AS Calls
FROM llm_calls
WHERE Timestamp >= {since:DateTime('UTC')}
    AND Timestamp < {until:DateTime('UTC')}
    AND ({service:String} = '' OR ServiceName = {service:String})
    AND PromptName = {prompt:String}
    AND PromptVersion = {version:String}
ORDER BY Calls DESC, Timestamp DESC, TraceId, SpanId
LIMIT 1
