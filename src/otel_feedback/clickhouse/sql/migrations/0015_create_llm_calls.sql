-- One row per LLM call, whatever its dialect. Messages that a span does not hold are taken from the call's log records.
-- Prompt is the text of the last user message, Completion that of the first answer; text that is no JSON array stays as it is.
CREATE VIEW IF NOT EXISTS llm_calls AS
WITH
    'Array(Tuple(role String, content String, parts Array(Tuple(type String, content String, name String))))' AS messages,
    message -> if(
        empty(message.parts),
        message.content,
        arrayStringConcat(arrayMap(part -> part.content, arrayFilter(part -> part.type = 'text', message.parts)), '\n')
    ) AS text_of
SELECT
    span.Timestamp AS Timestamp,
    span.Duration AS Duration,
    span.TraceId AS TraceId,
    span.SpanId AS SpanId,
    span.ParentSpanId AS ParentSpanId,
    span.ServiceName AS ServiceName,
    span.SessionId AS SessionId,
    span.UserId AS UserId,
    span.Operation AS Operation,
    span.Provider AS Provider,
    span.RequestModel AS RequestModel,
    span.ResponseModel AS ResponseModel,
    span.ResponseId AS ResponseId,
    span.InputTokens AS InputTokens,
    span.OutputTokens AS OutputTokens,
    span.TotalTokens AS TotalTokens,
    span.CacheReadTokens AS CacheReadTokens,
    span.CacheWriteTokens AS CacheWriteTokens,
    span.ReasoningTokens AS ReasoningTokens,
    span.TimeToFirstChunk AS TimeToFirstChunk,
    span.Temperature AS Temperature,
    span.MaxTokens AS MaxTokens,
    span.FinishReason AS FinishReason,
    if(span.SystemInstructions != '', span.SystemInstructions, logged.SystemInstructions) AS SystemInstructions,
    if(span.InputMessages != '', span.InputMessages, logged.InputMessages) AS InputMessages,
    if(span.OutputMessages != '', span.OutputMessages, logged.OutputMessages) AS OutputMessages,
    if(
        JSONType(InputMessages) = 'Array',
        text_of(arrayLast(message -> message.role = 'user', JSONExtract(InputMessages, messages))),
        InputMessages
    ) AS Prompt,
    if(
        JSONType(OutputMessages) = 'Array',
        text_of(JSONExtract(OutputMessages, messages)[1]),
        OutputMessages
    ) AS Completion,
    arrayDistinct(arrayMap(
        part -> part.name,
        arrayFilter(
            part -> part.type = 'tool_call' AND part.name != '',
            arrayFlatten(arrayMap(message -> message.parts, JSONExtract(OutputMessages, messages)))
        )
    )) AS Tools,
    span.PromptName AS PromptName,
    span.PromptVersion AS PromptVersion,
    span.StatusCode AS StatusCode,
    span.ErrorType AS ErrorType,
    span.Dialect AS Dialect,
    span.ScopeName AS ScopeName
FROM llm_call_spans AS span FINAL
LEFT ANY JOIN (
    SELECT TraceId, SpanId, SystemInstructions, InputMessages, OutputMessages FROM llm_call_messages FINAL
) AS logged
    ON logged.TraceId = span.TraceId AND logged.SpanId = span.SpanId
