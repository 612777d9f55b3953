-- Question: what was asked and answered in this session, in order?
-- Parameters: {session:String}; {limit:UInt32} {offset:UInt64} a part of a long session; {text_characters:UInt32} where
--   texts are cut; {messages_bytes:UInt64} beyond which the output messages are left out, since cut JSON can't be read.
-- Cost: reads the calls of one session, prompts for the shown part alone.
SELECT
    $call_columns
FROM llm_calls AS c
WHERE c.SessionId = {session:String}
ORDER BY c.Timestamp, c.SpanId
LIMIT {limit:UInt32} OFFSET {offset:UInt64}
