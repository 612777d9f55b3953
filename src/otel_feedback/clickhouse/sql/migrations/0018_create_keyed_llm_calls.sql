-- What llm_calls shows, with the keys by which ratings find their calls: one row per LLM call, whatever its dialect. Messages
-- that a span does not hold are taken from the call's log records.
-- Prompt is the text of the last user message, Completion that of the first answer; text that is no JSON array stays as it is.
CREATE VIEW IF NOT EXISTS keyed_llm_calls AS
WITH
    -- Pieces of messages as IndexedMessages has them: (side, message, part, name, value), sorted. Part 0 is the message itself.
    spans AS (
        SELECT
            span.TraceKey AS TraceKey,
            span.SpanKey AS SpanKey,
            span.* EXCEPT (TraceKey, SpanKey, FinishReason, SystemInstructions, InputMessages, OutputMessages, IndexedMessages),
            firstNonDefault(span.FinishReason, logged.FinishReason) AS ToldReason,
            firstNonDefault(span.SystemInstructions, logged.SystemInstructions) AS SystemInstructions,
            firstNonDefault(span.InputMessages, logged.InputMessages) AS ToldInput,
            firstNonDefault(span.OutputMessages, logged.OutputMessages) AS ToldOutput,
            arraySort(arrayMap(
                (key, value) -> (
                    key[1],
                    leftPad(key[2], 64, '0'),
                    toUInt32(transform(key[3], ['contents', 'tool_calls'], [1, 65537], 0)) + toUInt16OrZero(key[4]),
                    key[-1],
                    value
                ),
                arrayMap(pair -> splitByChar('.', pair.1), firstNonDefault(span.IndexedMessages, logged.IndexedMessages) AS indexed),
                indexed.2
            )) AS Pieces
        FROM (
            SELECT
                * REPLACE (CAST(IndexedMessages, 'Array(Tuple(String, String))') AS IndexedMessages), TraceKey, SpanKey
            FROM llm_call_spans FINAL
        ) AS span
        LEFT ANY JOIN (
            SELECT
                cityHash64(TraceId) AS TraceKey, cityHash64(SpanId) AS SpanKey,
                FinishReason, SystemInstructions, InputMessages, OutputMessages, IndexedMessages
            FROM llm_call_messages FINAL
        ) AS logged
            ON logged.TraceKey = span.TraceKey AND logged.SpanKey = span.SpanKey
    ),
    (pieces, places) -> arraySplit((piece, step) -> step != 0, pieces, arrayDifference(arrayEnumerateDense(places))) AS split_by,
    pieces -> CAST(arrayMap(piece -> (piece.4, piece.5), pieces), 'Map(String, String)') AS named,
    -- What is said in one message: text, or a provider's own list of parts.
    text -> concat('{"type":"text","content":', toJSONString(text), '}') AS text_part,
    url -> concat('{"type":"uri","modality":"image","uri":', toJSONString(url), '}') AS image_part,
    provided AS (
        SELECT
            *,
            arrayMap(
                side -> arrayMap(
                    pieces -> (
                        named(arrayFilter(piece -> piece.3 = 0, pieces)) AS told,
                        JSONExtractArrayRaw(told['content']) AS told_parts,
                        arrayMap(
                            part -> (part[1].3 > 65536, named(part)),
                            split_by(arrayFilter(piece -> piece.3 != 0, pieces) AS further, further.3)
                        )
                    ),
                    split_by(arrayFilter(piece -> piece.1 = side, Pieces) AS of_side, of_side.2)
                ),
                ['input', 'output']
            ) AS Sides
        FROM spans
    ),
    assembled AS (
        SELECT
            * EXCEPT (Pieces, Sides),
            arrayMap(
                side -> arrayStringConcat(arrayMap(
                    (told, told_parts, parts) -> concat(
                        '{"role":', toJSONString(firstNonDefault(told['role'], if(told['user'] != '', 'user', ''))), ',"parts":[',
                        arrayStringConcat(
                            arrayConcat(
                                multiIf(
                                    firstNonDefault(told['content'], told['user']) = '', [],
                                    told['role'] = 'tool', [concat(
                                        '{"type":"tool_call_response"', if(
                                            told['tool_call_id'] = '',
                                            '',
                                            concat(',"id":', toJSONString(told['tool_call_id']))
                                        ),
                                        ',"response":', toJSONString(told['content']), '}'
                                    )],
                                    JSONExtractString(told_parts[1], 'type') = '', [
                                        text_part(firstNonDefault(told['content'], told['user']))
                                    ],
                                    arrayMap(
                                        part -> multiIf(
                                            JSONHas(part, 'text'), text_part(JSONExtractString(part, 'text')),
                                            JSONHas(part, 'image_url'), image_part(firstNonDefault(
                                                JSONExtractString(part, 'image_url', 'url'),
                                                JSONExtractString(part, 'image_url')
                                            )),
                                            part
                                        ),
                                        told_parts
                                    )
                                ),
                                arrayMap(
                                    (is_tool_call, part) -> multiIf(
                                        is_tool_call, concat(
                                            '{"type":"tool_call"',
                                            if(part['id'] = '', '', concat(',"id":', toJSONString(part['id']))),
                                            ',"name":', toJSONString(part['name']),
                                            multiIf(
                                                part['arguments'] = '', '',
                                                isValidJSON(part['arguments']), concat(',"arguments":', part['arguments']),
                                                concat(',"arguments":', toJSONString(part['arguments']))
                                            ),
                                            '}'
                                        ),
                                        part['url'] != '', image_part(part['url']),
                                        text_part(part['text'])
                                    ),
                                    parts.1,
                                    parts.2
                                )
                            ),
                            ','
                        ),
                        ']',
                        if(told['finish_reason'] = '', '', concat(',"finish_reason":', toJSONString(told['finish_reason']))),
                        '}'
                    ),
                    side.1,
                    side.2,
                    side.3
                ), ','),
                Sides
            ) AS Messages,
            if(Messages[1] != '', concat('[', Messages[1], ']'), ToldInput) AS InputMessages,
            if(Messages[2] != '', concat('[', Messages[2], ']'), ToldOutput) AS OutputMessages
        FROM provided
    ),
    'Array(Tuple(role String, content String, parts Array(Tuple(type String, content String, name String))))' AS messages,
    message -> if(
        empty(message.parts),
        message.content,
        arrayStringConcat(arrayMap(part -> part.content, arrayFilter(part -> part.type = 'text', message.parts)), '\n')
    ) AS text_of
SELECT
    Timestamp,
    Duration,
    TraceId,
    SpanId,
    ParentSpanId,
    ServiceName,
    SessionId,
    UserId,
    Operation,
    Provider,
    RequestModel,
    ResponseModel,
    ResponseId,
    InputTokens,
    OutputTokens,
    TotalTokens,
    CacheReadTokens,
    CacheWriteTokens,
    ReasoningTokens,
    TimeToFirstChunk,
    Temperature,
    MaxTokens,
    if(ToldReason = 'tool_call', 'tool_calls', ToldReason) AS FinishReason,
    SystemInstructions,
    InputMessages,
    OutputMessages,
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
    PromptName,
    PromptVersion,
    StatusCode,
    ErrorType,
    Dialect,
    ScopeName,
    TraceKey,
    SpanKey
FROM assembled
