-- Log records of the GenAI conventions: gen_ai.client.inference.operation.details has all messages of a call; before it
-- there was one record for each message, gen_ai.{system,user,assistant,tool}.message and gen_ai.choice, with a body in the
-- provider's form. Older SDKs send an event's name as an attribute.
CREATE MATERIALIZED VIEW IF NOT EXISTS llm_call_messages_genai_mv TO llm_call_messages AS
WITH
    if(EventName != '', EventName, LogAttributes['event.name']) AS event,
    event = 'gen_ai.choice' AS is_answer,
    if(JSONHas(Body, 'message'), JSONExtractRaw(Body, 'message'), Body) AS message,
    concat(
        if(is_answer, 'output.', 'input.'),
        if(is_answer, leftPad(toString(JSONExtractUInt(Body, 'index')), 20, '0'), ''),
        leftPad(toString(greatest(toUnixTimestamp64Nano(Timestamp), 0)), 20, '0'), '_', hex(sipHash64(event, Body)), '.'
    ) AS prefix,
    firstNonDefault(JSONExtractString(message, 'role'), transform(event, [
        'gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.tool.message'
    ], ['system', 'user', 'tool'], 'assistant')) AS role,
    firstNonDefault(
        JSONExtractString(message, 'content'),
        if(JSONType(message, 'content') IN ('Array', 'Object'), JSONExtractRaw(message, 'content'), '')
    ) AS content,
    arrayConcat(
        JSONExtractArrayRaw(message, 'tool_calls'), if(is_answer, JSONExtractArrayRaw(Body, 'tool_calls'), [])
    ) AS tool_calls,
    arrayConcat(
        [
            (concat(prefix, 'role'), role),
            (concat(prefix, 'content'), content),
            (concat(prefix, 'tool_call_id'), JSONExtractString(message, 'id')),
            (concat(prefix, 'finish_reason'), JSONExtractString(Body, 'finish_reason'))
        ],
        arrayFlatten(arrayMap(
            (tool_call, number) -> [
                (concat(prefix, 'tool_calls.', toString(number), '.id'), JSONExtractString(tool_call, 'id')),
                (
                    concat(prefix, 'tool_calls.', toString(number), '.name'),
                    JSONExtractString(tool_call, 'function', 'name')
                ),
                (
                    concat(prefix, 'tool_calls.', toString(number), '.arguments'),
                    firstNonDefault(
                        JSONExtractString(tool_call, 'function', 'arguments'),
                        JSONExtractRaw(tool_call, 'function', 'arguments')
                    )
                )
            ],
            tool_calls,
            arrayEnumerate(tool_calls)
        ))
    ) AS pieces
SELECT
    TraceId,
    SpanId,
    LogAttributes['gen_ai.system_instructions'] AS SystemInstructions,
    LogAttributes['gen_ai.input.messages'] AS InputMessages,
    LogAttributes['gen_ai.output.messages'] AS OutputMessages,
    firstNonDefault(
        JSONExtractString(Body, 'finish_reason'),
        JSONExtractString(LogAttributes['gen_ai.output.messages'], 1, 'finish_reason')
    ) AS FinishReason,
    if(event = 'gen_ai.client.inference.operation.details', [], pieces) AS IndexedMessages,
    Timestamp,
    Segment
FROM otel_logs
WHERE TraceId != '' AND SpanId != '' AND event IN (
    'gen_ai.client.inference.operation.details', 'gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message',
    'gen_ai.tool.message', 'gen_ai.choice'
)
