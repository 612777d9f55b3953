-- Question: what was the model told, and what did it answer, message by message?
-- Parameters: {trace:String} {span:String}; {messages_bytes:UInt64} beyond which messages are left out.
-- Cost: reads one call.
SELECT
    if(length(c.SystemInstructions) <= {messages_bytes:UInt64}, c.SystemInstructions, '') AS SystemInstructions,
    if(length(c.InputMessages) <= {messages_bytes:UInt64}, c.InputMessages, '') AS InputMessages,
    if(length(c.OutputMessages) <= {messages_bytes:UInt64}, c.OutputMessages, '') AS OutputMessages,
    length(c.SystemInstructions) AS SystemInstructionsLength,
    length(c.InputMessages) AS InputMessagesLength,
    length(c.OutputMessages) AS OutputMessagesLength
FROM llm_calls AS c
WHERE c.TraceId = {trace:String} AND c.SpanId = {span:String}
LIMIT 1
