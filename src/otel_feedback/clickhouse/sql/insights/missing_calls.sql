-- Question: which of {calls:Array(String)}, written as trace/span, are not there any more?
-- Cost: the ids of these traces' calls, by an index.
SELECT arrayJoin({calls:Array(String)}) AS Call
WHERE Call NOT IN (
    SELECT concat(TraceId, '/', SpanId)
    FROM llm_call_spans
    WHERE TraceId IN (SELECT splitByChar('/', arrayJoin({calls:Array(String)}))[1])
)
