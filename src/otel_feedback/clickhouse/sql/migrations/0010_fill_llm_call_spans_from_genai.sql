-- Dialect "genai": the GenAI semantic conventions' client span ("Inference") of any of their versions, and what is written
-- beside or in place of it by Traceloop's instrumentations, which is told as dialect "traceloop". Newer names come first.
-- Messages are JSON in one attribute or in an event, or came as attributes gen_ai.{prompt,completion}.N.*.
CREATE MATERIALIZED VIEW IF NOT EXISTS llm_call_spans_genai_mv TO llm_call_spans AS
WITH
    SpanAttributes['llm.request.type'] AS request_type,
    Events.Attributes[indexOf(Events.Name, 'gen_ai.client.inference.operation.details')] AS details,
    firstNonDefault(
        SpanAttributes['gen_ai.response.time_to_first_chunk'],
        SpanAttributes['llm.chat_completions.streaming_time_to_first_token']
    ) AS seconds_to_first_chunk,
    indexOf(
        arrayMap(name -> name IN ('gen_ai.content.completion.chunk', 'llm.content.completion.chunk'), Events.Name), 1
    ) AS first_chunk
SELECT
    Timestamp,
    Duration,
    TraceId,
    SpanId,
    ParentSpanId,
    ServiceName,
    firstNonDefault(
        SpanAttributes['session.id'],
        SpanAttributes['gen_ai.conversation.id'],
        SpanAttributes['traceloop.association.properties.session_id'],
        SpanAttributes['traceloop.association.properties.conversation_id'],
        SpanAttributes['traceloop.association.properties.chat_id']
    ) AS SessionId,
    firstNonDefault(
        SpanAttributes['user.id'],
        SpanAttributes['enduser.pseudo.id'],
        SpanAttributes['enduser.id'],
        SpanAttributes['traceloop.association.properties.user_id'],
        SpanAttributes['gen_ai.user'],
        SpanAttributes['llm.user']
    ) AS UserId,
    multiIf(
        SpanAttributes['gen_ai.operation.name'] != '', SpanAttributes['gen_ai.operation.name'],
        request_type = 'completion', 'text_completion',
        request_type
    ) AS Operation,
    lower(firstNonDefault(SpanAttributes['gen_ai.provider.name'], SpanAttributes['gen_ai.system'])) AS Provider,
    SpanAttributes['gen_ai.request.model'] AS RequestModel,
    SpanAttributes['gen_ai.response.model'] AS ResponseModel,
    SpanAttributes['gen_ai.response.id'] AS ResponseId,
    toUInt64OrZero(firstNonDefault(
        SpanAttributes['gen_ai.usage.input_tokens'], SpanAttributes['gen_ai.usage.prompt_tokens']
    )) AS InputTokens,
    toUInt64OrZero(firstNonDefault(
        SpanAttributes['gen_ai.usage.output_tokens'], SpanAttributes['gen_ai.usage.completion_tokens']
    )) AS OutputTokens,
    greatest(
        InputTokens + OutputTokens,
        toUInt64OrZero(firstNonDefault(
            SpanAttributes['gen_ai.usage.total_tokens'], SpanAttributes['llm.usage.total_tokens']
        ))
    ) AS TotalTokens,
    toUInt64OrZero(firstNonDefault(
        SpanAttributes['gen_ai.usage.cache_read.input_tokens'], SpanAttributes['gen_ai.usage.cache_read_input_tokens']
    )) AS CacheReadTokens,
    toUInt64OrZero(firstNonDefault(
        SpanAttributes['gen_ai.usage.cache_write.input_tokens'],
        SpanAttributes['gen_ai.usage.cache_creation.input_tokens'],
        SpanAttributes['gen_ai.usage.cache_creation_input_tokens']
    )) AS CacheWriteTokens,
    toUInt64OrZero(firstNonDefault(
        SpanAttributes['gen_ai.usage.reasoning.output_tokens'],
        SpanAttributes['gen_ai.usage.reasoning_tokens'],
        SpanAttributes['llm.usage.reasoning_tokens']
    )) AS ReasoningTokens,
    if(
        seconds_to_first_chunk = '' AND first_chunk > 0,
        toUInt64(greatest(toUnixTimestamp64Nano(Events.Timestamp[first_chunk]) - toUnixTimestamp64Nano(Timestamp), 0)),
        toUInt64(least(greatest(ifNotFinite(toFloat64OrZero(seconds_to_first_chunk), 0), 0), 1e9) * 1e9)
    ) AS TimeToFirstChunk,
    toFloat64OrNull(SpanAttributes['gen_ai.request.temperature']) AS Temperature,
    toUInt64OrNull(SpanAttributes['gen_ai.request.max_tokens']) AS MaxTokens,
    firstNonDefault(
        JSONExtract(SpanAttributes['gen_ai.response.finish_reasons'], 'Array(String)')[1],
        SpanAttributes['gen_ai.completion.0.finish_reason'],
        SpanAttributes['llm.response.finish_reason'],
        JSONExtractString(SpanAttributes['gen_ai.output.messages'], 1, 'finish_reason')
    ) AS FinishReason,
    firstNonDefault(SpanAttributes['gen_ai.system_instructions'], details['gen_ai.system_instructions'])
        AS SystemInstructions,
    firstNonDefault(
        SpanAttributes['gen_ai.input.messages'],
        details['gen_ai.input.messages'],
        Events.Attributes[indexOf(Events.Name, 'gen_ai.content.prompt')]['gen_ai.prompt'],
        SpanAttributes['gen_ai.prompt']
    ) AS InputMessages,
    firstNonDefault(
        SpanAttributes['gen_ai.output.messages'],
        details['gen_ai.output.messages'],
        Events.Attributes[indexOf(Events.Name, 'gen_ai.content.completion')]['gen_ai.completion'],
        SpanAttributes['gen_ai.completion']
    ) AS OutputMessages,
    mapApply(
        (key, value) -> (replaceOne(replaceOne(key, 'gen_ai.prompt.', 'input.'), 'gen_ai.completion.', 'output.'), value),
        mapFilter(
            (key, value) -> match(key, '^gen_ai\\.(prompt|completion)\\.[0-9]'), SpanAttributes
        )
    ) AS IndexedMessages,
    firstNonDefault(SpanAttributes['gen_ai.prompt.name'], SpanAttributes['traceloop.prompt.key']) AS PromptName,
    firstNonDefault(SpanAttributes['gen_ai.prompt.version'], SpanAttributes['traceloop.prompt.version']) AS PromptVersion,
    StatusCode,
    firstNonDefault(
        SpanAttributes['error.type'], Events.Attributes[indexOf(Events.Name, 'exception')]['exception.type']
    ) AS ErrorType,
    if(
        request_type != '' OR mapContains(SpanAttributes, 'gen_ai.usage.total_tokens')
            OR mapContains(SpanAttributes, 'gen_ai.is_streaming') OR mapContains(SpanAttributes, 'llm.is_streaming')
            OR mapContains(SpanAttributes, 'gen_ai.prompt.0.role'),
        'traceloop',
        'genai'
    ) AS Dialect,
    0 AS Rank,
    ScopeName,
    Segment
FROM otel_traces
WHERE SpanAttributes['gen_ai.operation.name'] IN ('chat', 'text_completion', 'generate_content')
    OR (SpanAttributes['gen_ai.operation.name'] = '' AND SpanAttributes['llm.request.type'] IN ('chat', 'completion'))
