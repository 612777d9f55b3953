-- Question: what was asked and answered up to this answer? Newest first; the first row is the answer itself.
-- Parameters: {trace:String} {span:String} the answer, span '' for the trace's final call; with trace '' the last answer of
--   {session:String}; {limit:UInt32}; {text_characters:UInt32} where texts are cut; {messages_bytes:UInt64} beyond which
--   the output messages are left out, since cut JSON can't be read.
-- Cost: reads the calls of one session, prompts for the shown ones alone. Calls outside of any session: those of the trace.
--   Times are compared as numbers, as in feedback_list.
WITH
    (
        SELECT argMax((SessionId, toUnixTimestamp64Nano(Timestamp), SpanId, TraceId), (Timestamp, SpanId))
        FROM llm_call_spans
        WHERE if(
            {trace:String} != '',
            TraceId = {trace:String} AND ({span:String} = '' OR SpanId = {span:String}),
            {session:String} != '' AND SessionId = {session:String}
        )
    ) AS answer
SELECT
    $call_columns
FROM llm_calls AS c
WHERE c.SessionId = answer.1
    AND (answer.1 != '' OR c.TraceId = answer.4 AND c.TraceId != '')
    AND (toUnixTimestamp64Nano(c.Timestamp), c.SpanId) <= (answer.2, answer.3)
ORDER BY c.Timestamp DESC, c.SpanId DESC
LIMIT {limit:UInt32}
