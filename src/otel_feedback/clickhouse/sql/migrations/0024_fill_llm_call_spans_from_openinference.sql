-- Dialect "openinference": spans of the kind LLM. Messages come as attributes llm.{input,output}_messages.N.message.* and
-- are put together as the GenAI conventions have them; where there are none, input.value and output.value stay as they
-- are. Where the conventions' attributes are written beside these, these count: gen_ai.request.model then holds the
-- response's model.
CREATE MATERIALIZED VIEW IF NOT EXISTS llm_call_spans_openinference_mv TO llm_call_spans AS
WITH
    -- No lambda below sees the whole map: what a lambda sees is copied for every element, and conversations are long.
    (pairs, prefix) -> arraySort(
        numbered -> numbered.1,
        arrayMap(
            pair -> (
                toUInt16OrZero(substringIndex(substring(pair.1, length(prefix) + 1), '.', 1)),
                substring(pair.1, length(prefix) + 1 + position(substring(pair.1, length(prefix) + 1), '.')),
                pair.2
            ),
            arrayFilter(pair -> startsWith(pair.1, prefix), pairs)
        )
    ) AS numbered_below,
    all_numbered -> arraySplit(
        (numbered, step) -> step != 0, all_numbered, arrayDifference(all_numbered.1)
    ) AS split_by_number,
    (pairs, prefix) -> arrayMap(
        all_numbered -> arrayMap(numbered -> (numbered.2, numbered.3), all_numbered),
        split_by_number(numbered_below(pairs, prefix))
    ) AS groups,
    (pairs, key) -> (arrayFirst(pair -> pair.1 = key, pairs)).2 AS value_of,
    message -> arrayConcat(
        multiIf(
            value_of(message, 'message.content') = '', [],
            value_of(message, 'message.role') = 'tool', [concat(
                '{"type":"tool_call_response","id":', toJSONString(value_of(message, 'message.tool_call_id')),
                ',"response":', toJSONString(value_of(message, 'message.content')), '}'
            )],
            [concat('{"type":"text","content":', toJSONString(value_of(message, 'message.content')), '}')]
        ),
        arrayMap(
            content -> if(
                value_of(content, 'message_content.image.image.url') != '',
                concat(
                    '{"type":"uri","modality":"image","uri":',
                    toJSONString(value_of(content, 'message_content.image.image.url')), '}'
                ),
                concat('{"type":"text","content":', toJSONString(value_of(content, 'message_content.text')), '}')
            ),
            groups(message, 'message.contents.')
        ),
        arrayMap(
            call -> concat(
                '{"type":"tool_call","id":', toJSONString(value_of(call, 'tool_call.id')),
                ',"name":', toJSONString(value_of(call, 'tool_call.function.name')),
                ',"arguments":', if(
                    isValidJSON(value_of(call, 'tool_call.function.arguments')),
                    value_of(call, 'tool_call.function.arguments'),
                    toJSONString(value_of(call, 'tool_call.function.arguments'))
                ),
                '}'
            ),
            groups(message, 'message.tool_calls.')
        )
    ) AS parts,
    (prefix, more) -> arrayStringConcat(
        arrayMap(
            message -> concat(
                '{"role":', toJSONString(value_of(message, 'message.role')),
                ',"parts":[', arrayStringConcat(parts(message), ','), ']', more, '}'
            ),
            groups(CAST(SpanAttributes, 'Array(Tuple(String, String))'), prefix)
        ),
        ','
    ) AS messages,
    SpanAttributes['llm.invocation_parameters'] AS parameters,
    messages('llm.input_messages.', '') AS input_messages,
    messages(
        'llm.output_messages.',
        if(FinishReason = '', '', concat(',"finish_reason":', toJSONString(FinishReason)))
    ) AS output_messages
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
    if(SpanAttributes['gen_ai.operation.name'] != '', SpanAttributes['gen_ai.operation.name'], 'chat') AS Operation,
    if(SpanAttributes['llm.provider'] != '', SpanAttributes['llm.provider'], SpanAttributes['llm.system']) AS Provider,
    if(JSONExtractString(parameters, 'model') != '', JSONExtractString(parameters, 'model'), ResponseModel)
        AS RequestModel,
    SpanAttributes['llm.model_name'] AS ResponseModel,
    if(
        SpanAttributes['gen_ai.response.id'] != '',
        SpanAttributes['gen_ai.response.id'],
        JSONExtractString(SpanAttributes['output.value'], 'id')
    ) AS ResponseId,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt']) AS InputTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.completion']) AS OutputTokens,
    if(
        SpanAttributes['llm.token_count.total'] != '',
        toUInt64OrZero(SpanAttributes['llm.token_count.total']),
        InputTokens + OutputTokens
    ) AS TotalTokens,
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
    if(input_messages != '', concat('[', input_messages, ']'), SpanAttributes['input.value']) AS InputMessages,
    if(output_messages != '', concat('[', output_messages, ']'), SpanAttributes['output.value']) AS OutputMessages,
    SpanAttributes['llm.prompt_template.template'] AS PromptName,
    SpanAttributes['llm.prompt_template.version'] AS PromptVersion,
    StatusCode,
    if(
        SpanAttributes['error.type'] != '',
        SpanAttributes['error.type'],
        Events.Attributes[indexOf(Events.Name, 'exception')]['exception.type']
    ) AS ErrorType,
    'openinference' AS Dialect,
    ScopeName,
    Segment
FROM otel_traces
WHERE SpanAttributes['openinference.span.kind'] = 'LLM'
