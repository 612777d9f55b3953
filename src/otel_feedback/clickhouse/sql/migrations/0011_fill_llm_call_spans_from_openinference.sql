-- Dialect "openinference": spans of the kind LLM. Messages come as attributes llm.{input,output}_messages.N.message.*, of
-- plain completions as llm.prompts.N.* and llm.choices.N.*; where there are none, input.value and output.value stay as
-- they are. Where the conventions' attributes are written beside these, these count: gen_ai.request.model then holds the
-- response's model.
CREATE MATERIALIZED VIEW IF NOT EXISTS llm_call_spans_openinference_mv TO llm_call_spans AS
WITH
    SpanAttributes['llm.invocation_parameters'] AS parameters
SELECT
    Timestamp,
    Duration,
    TraceId,
    SpanId,
    ParentSpanId,
    ServiceName,
    -- As in every dialect, since it is in the sorting key by which a span that speaks two of them is folded.
    firstNonDefault(
        SpanAttributes['session.id'],
        SpanAttributes['gen_ai.conversation.id'],
        SpanAttributes['traceloop.association.properties.session_id'],
        SpanAttributes['traceloop.association.properties.conversation_id'],
        SpanAttributes['traceloop.association.properties.chat_id']
    ) AS SessionId,
    firstNonDefault(SpanAttributes['user.id'], SpanAttributes['enduser.pseudo.id'], SpanAttributes['enduser.id']) AS UserId,
    firstNonDefault(SpanAttributes['gen_ai.operation.name'], 'chat') AS Operation,
    lower(firstNonDefault(SpanAttributes['llm.provider'], SpanAttributes['llm.system'])) AS Provider,
    firstNonDefault(JSONExtractString(parameters, 'model'), ResponseModel) AS RequestModel,
    SpanAttributes['llm.model_name'] AS ResponseModel,
    firstNonDefault(
        SpanAttributes['gen_ai.response.id'], JSONExtractString(SpanAttributes['output.value'], 'id')
    ) AS ResponseId,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt']) AS InputTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.completion']) AS OutputTokens,
    greatest(InputTokens + OutputTokens, toUInt64OrZero(SpanAttributes['llm.token_count.total'])) AS TotalTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt_details.cache_read']) AS CacheReadTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt_details.cache_write']) AS CacheWriteTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.completion_details.reasoning']) AS ReasoningTokens,
    toUInt64(greatest(
        if(
            has(Events.Name, 'First Token Stream Event'),
            toUnixTimestamp64Nano(Events.Timestamp[indexOf(Events.Name, 'First Token Stream Event')])
                - toUnixTimestamp64Nano(Timestamp),
            0
        ),
        0
    )) AS TimeToFirstChunk,
    if(JSONHas(parameters, 'temperature'), JSONExtract(parameters, 'temperature', 'Nullable(Float64)'), NULL)
        AS Temperature,
    if(
        JSONHas(parameters, 'max_tokens'),
        JSONExtract(parameters, 'max_tokens', 'Nullable(UInt64)'),
        JSONExtract(parameters, 'max_completion_tokens', 'Nullable(UInt64)')
    ) AS MaxTokens,
    SpanAttributes['llm.finish_reason'] AS FinishReason,
    '' AS SystemInstructions,
    if(SpanAttributes['input.value'] = '__REDACTED__', '', SpanAttributes['input.value']) AS InputMessages,
    if(SpanAttributes['output.value'] = '__REDACTED__', '', SpanAttributes['output.value']) AS OutputMessages,
    mapConcat(
        mapApply(
            (key, value) -> (
                replaceOne(replaceOne(replaceOne(replaceOne(
                    replaceRegexpAll(key, '^llm\\.|_messages|\\bmessage\\.|message_content\\.|tool_call\\.|function\\.|image\\.image\\.', ''),
                    'prompts.', 'input.'), 'prompt.text', 'content'), 'choices.', 'output.'), 'completion.text', 'content'
                ),
                value
            ),
            mapFilter(
                (key, value) -> match(key, '^llm\\.(input_messages|output_messages|prompts|choices)\\.[0-9]'), SpanAttributes
            )
        ),
        if(
            FinishReason != '' AND mapContains(SpanAttributes, 'llm.output_messages.0.message.role'),
            map('output.0.finish_reason', FinishReason),
            CAST(map(), 'Map(String, String)')
        )
    ) AS IndexedMessages,
    SpanAttributes['llm.prompt_template.template'] AS PromptName,
    SpanAttributes['llm.prompt_template.version'] AS PromptVersion,
    StatusCode,
    firstNonDefault(
        SpanAttributes['error.type'], Events.Attributes[indexOf(Events.Name, 'exception')]['exception.type']
    ) AS ErrorType,
    'openinference' AS Dialect,
    1 AS Rank,
    ScopeName,
    Segment
FROM otel_traces
WHERE SpanAttributes['openinference.span.kind'] = 'LLM'
