-- Note the response ids of the noted traces' LLM calls, by which ratings may name them; not those that others have, too.
-- Cost: one pass over the LLM calls' ids.
INSERT INTO deletions (Run, Kind, Id)
SELECT {run:String}, 'response', ResponseId
FROM llm_call_spans
WHERE ResponseId != ''
GROUP BY ResponseId
HAVING countIf(TraceId NOT IN $noted_traces) = 0
