-- Dialect "genai": the GenAI semantic conventions' client span ("Inference"), messages as JSON in span attributes. A span
-- of OpenInference may have these attributes too, and is that dialect's.
CREATE MATERIALIZED VIEW IF NOT EXISTS llm_call_spans_genai_mv TO llm_call_spans AS
SELECT
    Timestamp,
    Duration,
    TraceId,
    SpanId,
    ParentSpanId,
    ServiceName,
    if(SpanAttributes['session.id'] != '', SpanAttributes['session.id'], SpanAttributes['gen_ai.conversation.id'])
        AS SessionId,
    multiIf(
        SpanAttributes['user.id'] != '', SpanAttributes['user.id'],
        SpanAttributes['enduser.pseudo.id'] != '', SpanAttributes['enduser.pseudo.id'],
        SpanAttributes['enduser.id']
    ) AS UserId,
    SpanAttributes['gen_ai.operation.name'] AS Operation,
    SpanAttributes['gen_ai.provider.name'] AS Provider,
    SpanAttributes['gen_ai.request.model'] AS RequestModel,
    SpanAttributes['gen_ai.response.model'] AS ResponseModel,
    SpanAttributes['gen_ai.response.id'] AS ResponseId,
    toUInt64OrZero(SpanAttributes['gen_ai.usage.input_tokens']) AS InputTokens,
    toUInt64OrZero(SpanAttributes['gen_ai.usage.output_tokens']) AS OutputTokens,
    InputTokens + OutputTokens AS TotalTokens,
    toUInt64OrZero(SpanAttributes['gen_ai.usage.cache_read.input_tokens']) AS CacheReadTokens,
    toUInt64OrZero(if(
        SpanAttributes['gen_ai.usage.cache_creation.input_tokens'] != '',
        SpanAttributes['gen_ai.usage.cache_creation.input_tokens'],
        SpanAttributes['gen_ai.usage.cache_write.input_tokens']
    )) AS CacheWriteTokens,
    toUInt64OrZero(SpanAttributes['gen_ai.usage.reasoning.output_tokens']) AS ReasoningTokens,
    toUInt64(least(
        greatest(ifNotFinite(toFloat64OrZero(SpanAttributes['gen_ai.response.time_to_first_chunk']), 0), 0), 1e9
    ) * 1e9) AS TimeToFirstChunk,
    toFloat64OrNull(SpanAttributes['gen_ai.request.temperature']) AS Temperature,
    toUInt64OrNull(SpanAttributes['gen_ai.request.max_tokens']) AS MaxTokens,
    JSONExtract(SpanAttributes['gen_ai.response.finish_reasons'], 'Array(String)')[1] AS FinishReason,
    SpanAttributes['gen_ai.system_instructions'] AS SystemInstructions,
    SpanAttributes['gen_ai.input.messages'] AS InputMessages,
    SpanAttributes['gen_ai.output.messages'] AS OutputMessages,
    SpanAttributes['gen_ai.prompt.name'] AS PromptName,
    SpanAttributes['gen_ai.prompt.version'] AS PromptVersion,
    StatusCode,
    SpanAttributes['error.type'] AS ErrorType,
    'genai' AS Dialect,
    ScopeName,
    Segment
FROM otel_traces
WHERE SpanAttributes['gen_ai.operation.name'] IN ('chat', 'text_completion', 'generate_content')
    AND SpanAttributes['openinference.span.kind'] = ''
