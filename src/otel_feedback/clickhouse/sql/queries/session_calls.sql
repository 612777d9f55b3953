-- Question: what was asked and answered in this session, in order?
-- Parameters: {session:String}; {limit:UInt32} {offset:UInt64} a part of a long session; {text_characters:UInt32} where
--   texts are cut; {messages_bytes:UInt64} beyond which the full messages are left out, since cut JSON can't be read.
-- Cost: reads the calls of one session, prompts for the shown part alone.
SELECT
    c.TraceId AS TraceId,
    c.SpanId AS SpanId,
    toUnixTimestamp64Nano(c.Timestamp) AS TimeUnixNano,
    c.Duration AS Duration,
    c.RequestModel AS RequestModel,
    c.ResponseModel AS ResponseModel,
    c.InputTokens AS InputTokens,
    c.OutputTokens AS OutputTokens,
    c.TimeToFirstChunk AS TimeToFirstChunk,
    c.FinishReason AS FinishReason,
    c.StatusCode AS StatusCode,
    c.ErrorType AS ErrorType,
    c.PromptName AS PromptName,
    c.PromptVersion AS PromptVersion,
    substringUTF8(c.Prompt, 1, {text_characters:UInt32}) AS Prompt,
    lengthUTF8(c.Prompt) AS PromptLength,
    substringUTF8(c.Completion, 1, {text_characters:UInt32}) AS Completion,
    lengthUTF8(c.Completion) AS CompletionLength,
    substringUTF8(c.SystemInstructions, 1, {text_characters:UInt32}) AS SystemInstructions,
    lengthUTF8(c.SystemInstructions) AS SystemInstructionsLength,
    if(length(c.InputMessages) <= {messages_bytes:UInt64}, c.InputMessages, '') AS InputMessages,
    length(c.InputMessages) AS InputMessagesLength,
    if(length(c.OutputMessages) <= {messages_bytes:UInt64}, c.OutputMessages, '') AS OutputMessages
FROM llm_calls AS c
WHERE c.SessionId = {session:String}
ORDER BY c.Timestamp, c.SpanId
LIMIT {limit:UInt32} OFFSET {offset:UInt64}
