-- Generated: what the migrations make, as ClickHouse tells it. Nothing runs this file; it is for reading, and shows in
-- a diff what a migration changes. Why things are so is told in the migrations. Written by
--   OTEL_FEEDBACK_WRITE_SCHEMA=1 .venv/bin/pytest tests/integration/clickhouse/test_migrate.py -k schema_sql

CREATE TABLE schema_migrations
(
    `Version` UInt32,
    `Name` String,
    `Time` DateTime64(3) DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY Version
SETTINGS index_granularity = 8192;

CREATE TABLE otel_traces
(
    `Timestamp` DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    `TraceId` String CODEC(ZSTD(1)),
    `SpanId` String CODEC(ZSTD(1)),
    `ParentSpanId` String CODEC(ZSTD(1)),
    `TraceState` String CODEC(ZSTD(1)),
    `SpanName` LowCardinality(String) CODEC(ZSTD(1)),
    `SpanKind` LowCardinality(String) CODEC(ZSTD(1)),
    `ServiceName` LowCardinality(String) CODEC(ZSTD(1)),
    `ResourceAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `ScopeName` String CODEC(ZSTD(1)),
    `ScopeVersion` String CODEC(ZSTD(1)),
    `SpanAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    `Duration` UInt64 CODEC(T64, ZSTD(1)),
    `StatusCode` LowCardinality(String) CODEC(ZSTD(1)),
    `StatusMessage` String CODEC(ZSTD(1)),
    `Events.Timestamp` Array(DateTime64(9)) CODEC(ZSTD(1)),
    `Events.Name` Array(LowCardinality(String)) CODEC(ZSTD(1)),
    `Events.Attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    `Links.TraceId` Array(String) CODEC(ZSTD(1)),
    `Links.SpanId` Array(String) CODEC(ZSTD(1)),
    `Links.TraceState` Array(String) CODEC(ZSTD(1)),
    `Links.Attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    `Segment` LowCardinality(String) DEFAULT '' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), TraceId, SpanId)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;

CREATE TABLE otel_traces_trace_id_ts
(
    `TraceId` String CODEC(ZSTD(1)),
    `Start` SimpleAggregateFunction(min, DateTime) CODEC(ZSTD(1)),
    `End` SimpleAggregateFunction(max, DateTime) CODEC(ZSTD(1)),
    `FirstTime` SimpleAggregateFunction(min, Nullable(DateTime64(9))) CODEC(ZSTD(1)),
    `LastTime` SimpleAggregateFunction(max, Nullable(DateTime64(9))) CODEC(ZSTD(1)),
    `RootName` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `ServiceName` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `SessionId` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `UserId` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `HasError` SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    `TraceKey` SimpleAggregateFunction(max, UInt64) CODEC(NONE)
)
ENGINE = AggregatingMergeTree
PARTITION BY toStartOfWeek(Start)
ORDER BY TraceId
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;

CREATE MATERIALIZED VIEW otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts
(
    `TraceId` String,
    `Start` DateTime64(9),
    `End` DateTime64(9),
    `FirstTime` Nullable(DateTime64(9)),
    `LastTime` Nullable(DateTime64(9)),
    `RootName` String,
    `ServiceName` String,
    `SessionId` String,
    `UserId` String,
    `HasError` UInt8,
    `TraceKey` UInt64
)
AS WITH
    (startsWith(SpanName, 'user_feedback ') AND has(Events.Name, 'gen_ai.evaluation.result')) OR (SpanName = 'gen_ai.evaluation.result') AS is_carrier,
    9223372036854775807 - greatest(toUnixTimestamp64Nano(Timestamp), 0) AS most_nanoseconds,
    addNanoseconds(Timestamp, least(Duration, toUInt64(most_nanoseconds))) AS ended
SELECT
    TraceId,
    min(Timestamp) AS Start,
    max(Timestamp) AS End,
    minOrNullIf(Timestamp, NOT is_carrier) AS FirstTime,
    maxOrNullIf(ended, NOT is_carrier) AS LastTime,
    maxIf(toString(SpanName), (ParentSpanId = '') AND (NOT is_carrier)) AS RootName,
    maxIf(toString(ServiceName), (ParentSpanId = '') AND (NOT is_carrier)) AS ServiceName,
    maxIf(firstNonDefault(SpanAttributes['session.id'], SpanAttributes['gen_ai.conversation.id'], SpanAttributes['traceloop.association.properties.session_id'], SpanAttributes['traceloop.association.properties.conversation_id'], SpanAttributes['traceloop.association.properties.chat_id']), NOT is_carrier) AS SessionId,
    maxIf(firstNonDefault(SpanAttributes['user.id'], SpanAttributes['enduser.pseudo.id'], SpanAttributes['enduser.id'], SpanAttributes['traceloop.association.properties.user_id']), NOT is_carrier) AS UserId,
    maxIf(StatusCode = 'Error', NOT is_carrier) AS HasError,
    maxIf(cityHash64(TraceId), NOT is_carrier) AS TraceKey
FROM otel_traces
WHERE TraceId != ''
GROUP BY TraceId;

CREATE TABLE otel_logs
(
    `Timestamp` DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    `TraceId` String CODEC(ZSTD(1)),
    `SpanId` String CODEC(ZSTD(1)),
    `TraceFlags` UInt8,
    `SeverityText` LowCardinality(String) CODEC(ZSTD(1)),
    `SeverityNumber` UInt8,
    `ServiceName` LowCardinality(String) CODEC(ZSTD(1)),
    `Body` String CODEC(ZSTD(1)),
    `ResourceSchemaUrl` LowCardinality(String) CODEC(ZSTD(1)),
    `ResourceAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `ScopeSchemaUrl` LowCardinality(String) CODEC(ZSTD(1)),
    `ScopeName` String CODEC(ZSTD(1)),
    `ScopeVersion` LowCardinality(String) CODEC(ZSTD(1)),
    `ScopeAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `LogAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `EventName` String CODEC(ZSTD(1)),
    `__otel_materialized_k8s.cluster.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.cluster.name'],
    `__otel_materialized_k8s.container.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.container.name'],
    `__otel_materialized_k8s.deployment.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.deployment.name'],
    `__otel_materialized_k8s.namespace.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.namespace.name'],
    `__otel_materialized_k8s.node.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.node.name'],
    `__otel_materialized_k8s.pod.name` LowCardinality(String) ALIAS ResourceAttributes['k8s.pod.name'],
    `__otel_materialized_k8s.pod.uid` LowCardinality(String) ALIAS ResourceAttributes['k8s.pod.uid'],
    `__otel_materialized_deployment.environment.name` LowCardinality(String) ALIAS ResourceAttributes['deployment.environment.name'],
    `Segment` LowCardinality(String) DEFAULT '' CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;

CREATE TABLE llm_call_spans
(
    `Timestamp` DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    `Duration` UInt64 CODEC(T64, ZSTD(1)),
    `TraceId` String CODEC(ZSTD(1)),
    `SpanId` String CODEC(ZSTD(1)),
    `ParentSpanId` String CODEC(ZSTD(1)),
    `ServiceName` LowCardinality(String) CODEC(ZSTD(1)),
    `SessionId` String CODEC(ZSTD(1)),
    `UserId` String CODEC(ZSTD(1)),
    `Operation` LowCardinality(String) CODEC(ZSTD(1)),
    `Provider` LowCardinality(String) CODEC(ZSTD(1)),
    `RequestModel` LowCardinality(String) CODEC(ZSTD(1)),
    `ResponseModel` LowCardinality(String) CODEC(ZSTD(1)),
    `ResponseId` String CODEC(ZSTD(1)),
    `InputTokens` UInt64 CODEC(T64, ZSTD(1)),
    `OutputTokens` UInt64 CODEC(T64, ZSTD(1)),
    `TotalTokens` UInt64 CODEC(T64, ZSTD(1)),
    `CacheReadTokens` UInt64 CODEC(T64, ZSTD(1)),
    `CacheWriteTokens` UInt64 CODEC(T64, ZSTD(1)),
    `ReasoningTokens` UInt64 CODEC(T64, ZSTD(1)),
    `TimeToFirstChunk` UInt64 CODEC(T64, ZSTD(1)),
    `Temperature` Nullable(Float64) CODEC(ZSTD(1)),
    `MaxTokens` Nullable(UInt64) CODEC(ZSTD(1)),
    `FinishReason` LowCardinality(String) CODEC(ZSTD(1)),
    `SystemInstructions` String CODEC(ZSTD(3)),
    `InputMessages` String CODEC(ZSTD(3)),
    `OutputMessages` String CODEC(ZSTD(3)),
    `IndexedMessages` Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    `PromptName` LowCardinality(String) CODEC(ZSTD(1)),
    `PromptVersion` LowCardinality(String) CODEC(ZSTD(1)),
    `StatusCode` LowCardinality(String) CODEC(ZSTD(1)),
    `ErrorType` LowCardinality(String) CODEC(ZSTD(1)),
    `Dialect` LowCardinality(String) CODEC(ZSTD(1)),
    `Rank` UInt8 CODEC(ZSTD(1)),
    `ScopeName` LowCardinality(String) CODEC(ZSTD(1)),
    `Segment` LowCardinality(String) CODEC(ZSTD(1)),
    `TraceKey` UInt64 MATERIALIZED cityHash64(TraceId) CODEC(NONE),
    `SpanKey` UInt64 MATERIALIZED cityHash64(SpanId) CODEC(NONE),
    INDEX session_id SessionId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX user_id UserId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX response_id ResponseId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(Rank)
PARTITION BY toMonday(Timestamp)
ORDER BY (toStartOfHour(Timestamp), SessionId, Timestamp, TraceId, SpanId)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;

CREATE MATERIALIZED VIEW llm_call_spans_genai_mv TO llm_call_spans
(
    `Timestamp` DateTime64(9),
    `Duration` UInt64,
    `TraceId` String,
    `SpanId` String,
    `ParentSpanId` String,
    `ServiceName` LowCardinality(String),
    `SessionId` String,
    `UserId` String,
    `Operation` String,
    `Provider` String,
    `RequestModel` String,
    `ResponseModel` String,
    `ResponseId` String,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `CacheReadTokens` UInt64,
    `CacheWriteTokens` UInt64,
    `ReasoningTokens` UInt64,
    `TimeToFirstChunk` UInt64,
    `Temperature` Nullable(Float64),
    `MaxTokens` Nullable(UInt64),
    `FinishReason` String,
    `SystemInstructions` String,
    `InputMessages` String,
    `OutputMessages` String,
    `IndexedMessages` Map(String, String),
    `PromptName` String,
    `PromptVersion` String,
    `StatusCode` LowCardinality(String),
    `ErrorType` String,
    `Dialect` String,
    `Rank` UInt8,
    `ScopeName` String,
    `Segment` LowCardinality(String)
)
AS WITH
    SpanAttributes['llm.request.type'] AS request_type,
    Events.Attributes[indexOf(Events.Name, 'gen_ai.client.inference.operation.details')] AS details,
    firstNonDefault(SpanAttributes['gen_ai.response.time_to_first_chunk'], SpanAttributes['llm.chat_completions.streaming_time_to_first_token']) AS seconds_to_first_chunk,
    indexOf(arrayMap(name -> (name IN ('gen_ai.content.completion.chunk', 'llm.content.completion.chunk')), Events.Name), 1) AS first_chunk
SELECT
    Timestamp,
    Duration,
    TraceId,
    SpanId,
    ParentSpanId,
    ServiceName,
    firstNonDefault(SpanAttributes['session.id'], SpanAttributes['gen_ai.conversation.id'], SpanAttributes['traceloop.association.properties.session_id'], SpanAttributes['traceloop.association.properties.conversation_id'], SpanAttributes['traceloop.association.properties.chat_id']) AS SessionId,
    firstNonDefault(SpanAttributes['user.id'], SpanAttributes['enduser.pseudo.id'], SpanAttributes['enduser.id'], SpanAttributes['traceloop.association.properties.user_id'], SpanAttributes['gen_ai.user'], SpanAttributes['llm.user']) AS UserId,
    multiIf((SpanAttributes['gen_ai.operation.name']) != '', SpanAttributes['gen_ai.operation.name'], request_type = 'completion', 'text_completion', request_type) AS Operation,
    lower(firstNonDefault(SpanAttributes['gen_ai.provider.name'], SpanAttributes['gen_ai.system'])) AS Provider,
    SpanAttributes['gen_ai.request.model'] AS RequestModel,
    SpanAttributes['gen_ai.response.model'] AS ResponseModel,
    SpanAttributes['gen_ai.response.id'] AS ResponseId,
    toUInt64OrZero(firstNonDefault(SpanAttributes['gen_ai.usage.input_tokens'], SpanAttributes['gen_ai.usage.prompt_tokens'])) AS InputTokens,
    toUInt64OrZero(firstNonDefault(SpanAttributes['gen_ai.usage.output_tokens'], SpanAttributes['gen_ai.usage.completion_tokens'])) AS OutputTokens,
    greatest(InputTokens + OutputTokens, toUInt64OrZero(firstNonDefault(SpanAttributes['gen_ai.usage.total_tokens'], SpanAttributes['llm.usage.total_tokens']))) AS TotalTokens,
    toUInt64OrZero(firstNonDefault(SpanAttributes['gen_ai.usage.cache_read.input_tokens'], SpanAttributes['gen_ai.usage.cache_read_input_tokens'])) AS CacheReadTokens,
    toUInt64OrZero(firstNonDefault(SpanAttributes['gen_ai.usage.cache_write.input_tokens'], SpanAttributes['gen_ai.usage.cache_creation.input_tokens'], SpanAttributes['gen_ai.usage.cache_creation_input_tokens'])) AS CacheWriteTokens,
    toUInt64OrZero(firstNonDefault(SpanAttributes['gen_ai.usage.reasoning.output_tokens'], SpanAttributes['gen_ai.usage.reasoning_tokens'], SpanAttributes['llm.usage.reasoning_tokens'])) AS ReasoningTokens,
    if((seconds_to_first_chunk = '') AND (first_chunk > 0), toUInt64(greatest(toUnixTimestamp64Nano(Events.Timestamp[first_chunk]) - toUnixTimestamp64Nano(Timestamp), 0)), toUInt64(least(greatest(ifNotFinite(toFloat64OrZero(seconds_to_first_chunk), 0), 0), 1000000000.) * 1000000000.)) AS TimeToFirstChunk,
    toFloat64OrNull(SpanAttributes['gen_ai.request.temperature']) AS Temperature,
    toUInt64OrNull(SpanAttributes['gen_ai.request.max_tokens']) AS MaxTokens,
    firstNonDefault(JSONExtract(SpanAttributes['gen_ai.response.finish_reasons'], 'Array(String)')[1], SpanAttributes['gen_ai.completion.0.finish_reason'], SpanAttributes['llm.response.finish_reason'], JSONExtractString(SpanAttributes['gen_ai.output.messages'], 1, 'finish_reason')) AS FinishReason,
    firstNonDefault(SpanAttributes['gen_ai.system_instructions'], details['gen_ai.system_instructions']) AS SystemInstructions,
    firstNonDefault(SpanAttributes['gen_ai.input.messages'], details['gen_ai.input.messages'], (Events.Attributes[indexOf(Events.Name, 'gen_ai.content.prompt')])['gen_ai.prompt'], SpanAttributes['gen_ai.prompt']) AS InputMessages,
    firstNonDefault(SpanAttributes['gen_ai.output.messages'], details['gen_ai.output.messages'], (Events.Attributes[indexOf(Events.Name, 'gen_ai.content.completion')])['gen_ai.completion'], SpanAttributes['gen_ai.completion']) AS OutputMessages,
    mapApply((key, value) -> (replaceOne(replaceOne(key, 'gen_ai.prompt.', 'input.'), 'gen_ai.completion.', 'output.'), value), mapFilter((key, value) -> match(key, '^gen_ai\\.(prompt|completion)\\.[0-9]'), SpanAttributes)) AS IndexedMessages,
    firstNonDefault(SpanAttributes['gen_ai.prompt.name'], SpanAttributes['traceloop.prompt.key']) AS PromptName,
    firstNonDefault(SpanAttributes['gen_ai.prompt.version'], SpanAttributes['traceloop.prompt.version']) AS PromptVersion,
    StatusCode,
    firstNonDefault(SpanAttributes['error.type'], (Events.Attributes[indexOf(Events.Name, 'exception')])['exception.type']) AS ErrorType,
    if((request_type != '') OR mapContains(SpanAttributes, 'gen_ai.usage.total_tokens') OR mapContains(SpanAttributes, 'gen_ai.is_streaming') OR mapContains(SpanAttributes, 'llm.is_streaming') OR mapContains(SpanAttributes, 'gen_ai.prompt.0.role'), 'traceloop', 'genai') AS Dialect,
    0 AS Rank,
    ScopeName,
    Segment
FROM otel_traces
WHERE ((SpanAttributes['gen_ai.operation.name']) IN ('chat', 'text_completion', 'generate_content')) OR (((SpanAttributes['gen_ai.operation.name']) = '') AND ((SpanAttributes['llm.request.type']) IN ('chat', 'completion')));

CREATE MATERIALIZED VIEW llm_call_spans_openinference_mv TO llm_call_spans
(
    `Timestamp` DateTime64(9),
    `Duration` UInt64,
    `TraceId` String,
    `SpanId` String,
    `ParentSpanId` String,
    `ServiceName` LowCardinality(String),
    `SessionId` String,
    `UserId` String,
    `Operation` String,
    `Provider` String,
    `RequestModel` String,
    `ResponseModel` String,
    `ResponseId` String,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `CacheReadTokens` UInt64,
    `CacheWriteTokens` UInt64,
    `ReasoningTokens` UInt64,
    `TimeToFirstChunk` UInt64,
    `Temperature` Nullable(Float64),
    `MaxTokens` Nullable(UInt64),
    `FinishReason` String,
    `SystemInstructions` String,
    `InputMessages` String,
    `OutputMessages` String,
    `IndexedMessages` Map(String, String),
    `PromptName` String,
    `PromptVersion` String,
    `StatusCode` LowCardinality(String),
    `ErrorType` String,
    `Dialect` String,
    `Rank` UInt8,
    `ScopeName` String,
    `Segment` LowCardinality(String)
)
AS WITH
    SpanAttributes['llm.invocation_parameters'] AS parameters
SELECT
    Timestamp,
    Duration,
    TraceId,
    SpanId,
    ParentSpanId,
    ServiceName,
    firstNonDefault(SpanAttributes['session.id'], SpanAttributes['gen_ai.conversation.id'], SpanAttributes['traceloop.association.properties.session_id'], SpanAttributes['traceloop.association.properties.conversation_id'], SpanAttributes['traceloop.association.properties.chat_id']) AS SessionId,
    firstNonDefault(SpanAttributes['user.id'], SpanAttributes['enduser.pseudo.id'], SpanAttributes['enduser.id']) AS UserId,
    firstNonDefault(SpanAttributes['gen_ai.operation.name'], 'chat') AS Operation,
    lower(firstNonDefault(SpanAttributes['llm.provider'], SpanAttributes['llm.system'])) AS Provider,
    firstNonDefault(JSONExtractString(parameters, 'model'), ResponseModel) AS RequestModel,
    SpanAttributes['llm.model_name'] AS ResponseModel,
    firstNonDefault(SpanAttributes['gen_ai.response.id'], JSONExtractString(SpanAttributes['output.value'], 'id')) AS ResponseId,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt']) AS InputTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.completion']) AS OutputTokens,
    greatest(InputTokens + OutputTokens, toUInt64OrZero(SpanAttributes['llm.token_count.total'])) AS TotalTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt_details.cache_read']) AS CacheReadTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt_details.cache_write']) AS CacheWriteTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.completion_details.reasoning']) AS ReasoningTokens,
    toUInt64(greatest(if(has(Events.Name, 'First Token Stream Event'), toUnixTimestamp64Nano(Events.Timestamp[indexOf(Events.Name, 'First Token Stream Event')]) - toUnixTimestamp64Nano(Timestamp), 0), 0)) AS TimeToFirstChunk,
    if(JSONHas(parameters, 'temperature'), JSONExtract(parameters, 'temperature', 'Nullable(Float64)'), NULL) AS Temperature,
    if(JSONHas(parameters, 'max_tokens'), JSONExtract(parameters, 'max_tokens', 'Nullable(UInt64)'), JSONExtract(parameters, 'max_completion_tokens', 'Nullable(UInt64)')) AS MaxTokens,
    SpanAttributes['llm.finish_reason'] AS FinishReason,
    '' AS SystemInstructions,
    if((SpanAttributes['input.value']) = '__REDACTED__', '', SpanAttributes['input.value']) AS InputMessages,
    if((SpanAttributes['output.value']) = '__REDACTED__', '', SpanAttributes['output.value']) AS OutputMessages,
    mapConcat(mapApply((key, value) -> (replaceOne(replaceOne(replaceOne(replaceOne(replaceRegexpAll(key, '^llm\\.|_messages|\\bmessage\\.|message_content\\.|tool_call\\.|function\\.|image\\.image\\.', ''), 'prompts.', 'input.'), 'prompt.text', 'content'), 'choices.', 'output.'), 'completion.text', 'content'), value), mapFilter((key, value) -> match(key, '^llm\\.(input_messages|output_messages|prompts|choices)\\.[0-9]'), SpanAttributes)), if((FinishReason != '') AND mapContains(SpanAttributes, 'llm.output_messages.0.message.role'), map('output.0.finish_reason', FinishReason), CAST(map(), 'Map(String, String)'))) AS IndexedMessages,
    SpanAttributes['llm.prompt_template.template'] AS PromptName,
    SpanAttributes['llm.prompt_template.version'] AS PromptVersion,
    StatusCode,
    firstNonDefault(SpanAttributes['error.type'], (Events.Attributes[indexOf(Events.Name, 'exception')])['exception.type']) AS ErrorType,
    'openinference' AS Dialect,
    1 AS Rank,
    ScopeName,
    Segment
FROM otel_traces
WHERE (SpanAttributes['openinference.span.kind']) = 'LLM';

CREATE TABLE llm_call_messages
(
    `TraceId` String CODEC(ZSTD(1)),
    `SpanId` String CODEC(ZSTD(1)),
    `SystemInstructions` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `InputMessages` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `OutputMessages` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `FinishReason` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `IndexedMessages` SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(
        String,
        String))) CODEC(ZSTD(1)),
    `Timestamp` SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1)),
    `Segment` SimpleAggregateFunction(max, String) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (TraceId, SpanId)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;

CREATE MATERIALIZED VIEW llm_call_messages_genai_mv TO llm_call_messages
(
    `TraceId` String,
    `SpanId` String,
    `SystemInstructions` String,
    `InputMessages` String,
    `OutputMessages` String,
    `FinishReason` String,
    `IndexedMessages` Array(Tuple(
        String,
        String)),
    `Timestamp` DateTime64(9),
    `Segment` LowCardinality(String)
)
AS WITH
    if(EventName != '', EventName, LogAttributes['event.name']) AS event,
    event = 'gen_ai.choice' AS is_answer,
    if(JSONHas(Body, 'message'), JSONExtractRaw(Body, 'message'), Body) AS message,
    concat(if(is_answer, 'output.', 'input.'), if(is_answer, leftPad(toString(JSONExtractUInt(Body, 'index')), 20, '0'), ''), leftPad(toString(greatest(toUnixTimestamp64Nano(Timestamp), 0)), 20, '0'), '_', hex(sipHash64(event, Body)), '.') AS prefix,
    firstNonDefault(JSONExtractString(message, 'role'), transform(event, ['gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.tool.message'], ['system', 'user', 'tool'], 'assistant')) AS role,
    firstNonDefault(JSONExtractString(message, 'content'), if((JSONType(message, 'content') IN ('Array', 'Object')), JSONExtractRaw(message, 'content'), '')) AS content,
    arrayConcat(JSONExtractArrayRaw(message, 'tool_calls'), if(is_answer, JSONExtractArrayRaw(Body, 'tool_calls'), [])) AS tool_calls,
    arrayConcat([(concat(prefix, 'role'), role), (concat(prefix, 'content'), content), (concat(prefix, 'tool_call_id'), JSONExtractString(message, 'id')), (concat(prefix, 'finish_reason'), JSONExtractString(Body, 'finish_reason'))], arrayFlatten(arrayMap((tool_call, number) -> [(concat(prefix, 'tool_calls.', toString(number), '.id'), JSONExtractString(tool_call, 'id')), (concat(prefix, 'tool_calls.', toString(number), '.name'), JSONExtractString(tool_call, 'function', 'name')), (concat(prefix, 'tool_calls.', toString(number), '.arguments'), firstNonDefault(JSONExtractString(tool_call, 'function', 'arguments'), JSONExtractRaw(tool_call, 'function', 'arguments')))], tool_calls, arrayEnumerate(tool_calls)))) AS pieces
SELECT
    TraceId,
    SpanId,
    LogAttributes['gen_ai.system_instructions'] AS SystemInstructions,
    LogAttributes['gen_ai.input.messages'] AS InputMessages,
    LogAttributes['gen_ai.output.messages'] AS OutputMessages,
    firstNonDefault(JSONExtractString(Body, 'finish_reason'), JSONExtractString(LogAttributes['gen_ai.output.messages'], 1, 'finish_reason')) AS FinishReason,
    if(event = 'gen_ai.client.inference.operation.details', [], pieces) AS IndexedMessages,
    Timestamp,
    Segment
FROM otel_logs
WHERE (TraceId != '') AND (SpanId != '') AND (event IN ('gen_ai.client.inference.operation.details', 'gen_ai.system.message', 'gen_ai.user.message', 'gen_ai.assistant.message', 'gen_ai.tool.message', 'gen_ai.choice'));

CREATE TABLE rating_deliveries
(
    `Time` DateTime64(9) CODEC(ZSTD(1)),
    `ReceivedTime` DateTime64(9) DEFAULT now64(9) CODEC(ZSTD(1)),
    `TargetTraceId` String CODEC(ZSTD(1)),
    `TargetSpanId` String CODEC(ZSTD(1)),
    `ServiceName` LowCardinality(String),
    `Carrier` LowCardinality(String),
    `Segment` LowCardinality(String),
    `Delivered` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `EventId` String MATERIALIZED firstNonDefault(Delivered['otel_feedback.id'], Delivered['microsoft.gen_ai.human_evaluation.id'], Delivered['microsoft.human_evaluation.id'], lower(concat(hex(toUnixTimestamp64Nano(Time)), hex(sipHash128(Time, TargetTraceId, TargetSpanId, toString(Delivered)))))) CODEC(ZSTD(1)),
    `Action` LowCardinality(String) MATERIALIZED if((Delivered['otel_feedback.action']) = 'retract', 'retract', 'submit'),
    `ResponseId` String MATERIALIZED Delivered['gen_ai.response.id'] CODEC(ZSTD(1)),
    `SessionId` String MATERIALIZED firstNonDefault(Delivered['session.id'], Delivered['gen_ai.conversation.id']) CODEC(ZSTD(1)),
    `Scope` LowCardinality(String) MATERIALIZED multiIf(((Delivered['otel_feedback.scope']) = 'session') AND (SessionId != ''), 'session', ((Delivered['otel_feedback.scope']) = 'trace') AND (TargetTraceId != ''), 'trace', (TargetSpanId != '') OR (ResponseId != ''), 'span', TargetTraceId != '', 'trace', 'session'),
    `TraceId` String MATERIALIZED if(Scope = 'session', '', TargetTraceId) CODEC(ZSTD(1)),
    `SpanId` String MATERIALIZED if(Scope = 'span', TargetSpanId, '') CODEC(ZSTD(1)),
    `Name` LowCardinality(String) MATERIALIZED Delivered['gen_ai.evaluation.name'],
    `Value` Nullable(Float64) MATERIALIZED if(isFinite(toFloat64OrNull(firstNonDefault(Delivered['gen_ai.evaluation.score.value'], Delivered['gen_ai.evaluation.score'])) AS told_value), told_value, NULL),
    `ScoreMin` Nullable(Float64) MATERIALIZED coalesce(toFloat64OrNull(Delivered['otel_feedback.score.min']), JSONExtract(Delivered['internal_properties'], 'gen_ai.evaluation.min_value', 'Nullable(Float64)'), toFloat64OrNull(Delivered['internal_properties.gen_ai.evaluation.min_value'])),
    `ScoreMax` Nullable(Float64) MATERIALIZED coalesce(toFloat64OrNull(Delivered['otel_feedback.score.max']), JSONExtract(Delivered['internal_properties'], 'gen_ai.evaluation.max_value', 'Nullable(Float64)'), toFloat64OrNull(Delivered['internal_properties.gen_ai.evaluation.max_value'])),
    `Label` LowCardinality(String) MATERIALIZED multiIf((lower(trimBoth(Delivered['gen_ai.evaluation.score.label'])) IN ('pass', 'positive')), 'positive', (lower(trimBoth(Delivered['gen_ai.evaluation.score.label'])) IN ('fail', 'negative')), 'negative', (Delivered['gen_ai.evaluation.score.label']) != '', Delivered['gen_ai.evaluation.score.label'], Value IS NULL, '', (ScoreMin IS NULL) AND (ScoreMax IS NULL), multiIf(Value = 1, 'positive', Value = 0, 'negative', ''), (ScoreMin IS NULL) OR (ScoreMax IS NULL) OR (ScoreMax <= ScoreMin), '', ((Value - ScoreMin) / (ScoreMax - ScoreMin)) <= (1 / 3), 'negative', ((Value - ScoreMin) / (ScoreMax - ScoreMin)) >= (2 / 3), 'positive', 'neutral'),
    `Comment` String MATERIALIZED Delivered['gen_ai.evaluation.explanation'] CODEC(ZSTD(1)),
    `Correction` String MATERIALIZED Delivered['otel_feedback.correction'] CODEC(ZSTD(1)),
    `Reasons` Array(String) MATERIALIZED JSONExtract(Delivered['otel_feedback.reasons'], 'Array(String)') CODEC(ZSTD(1)),
    `Source` LowCardinality(String) MATERIALIZED firstNonDefault(Delivered['otel_feedback.source'], transform(firstNonDefault(Delivered['microsoft.gen_ai.human_evaluation.source'], JSONExtractString(Delivered['internal_properties'], 'microsoft.human_evaluation.source'), Delivered['internal_properties.microsoft.human_evaluation.source']), ['builder', 'expert'], ['annotator', 'annotator']), if(((Delivered['microsoft.gen_ai.evaluation.actor.type']) IN ('', 'human')) AND ((Delivered['internal_properties']) = ''), 'end_user', 'evaluator')),
    `RaterId` String MATERIALIZED firstNonDefault(Delivered['enduser.pseudo.id'], Delivered['enduser.id'], Delivered['user.id']) CODEC(ZSTD(1)),
    `Via` LowCardinality(String) MATERIALIZED firstNonDefault(Delivered['otel_feedback.via'], toString(Carrier)),
    `Attributes` Map(LowCardinality(String), String) MATERIALIZED mapFilter((key, value) -> ((NOT startsWith(key, 'gen_ai.evaluation.')) AND (NOT startsWith(key, 'otel_feedback.')) AND (key NOT IN ('gen_ai.response.id', 'session.id', 'gen_ai.conversation.id', 'enduser.pseudo.id', 'enduser.id', 'user.id'))), Delivered) CODEC(ZSTD(1)),
    `TraceKey` UInt64 MATERIALIZED if(TraceId = '', 0, cityHash64(TraceId)) CODEC(NONE),
    `SpanKey` UInt64 MATERIALIZED if(SpanId = '', 0, cityHash64(SpanId)) CODEC(NONE),
    `ResponseKey` UInt64 MATERIALIZED if((Scope = 'span') AND ((SpanId = '') OR ((Delivered['microsoft.custom_event.name']) != '')) AND (ResponseId != ''), cityHash64(ResponseId), 0) CODEC(ZSTD(1)),
    `WhoseKey` UInt64 MATERIALIZED sipHash64(Name, RaterId) CODEC(NONE),
    `RatingKey` FixedString(16) MATERIALIZED multiIf(Scope = 'session', sipHash128(if(SessionId != '', SessionId, EventId), WhoseKey), TraceKey != 0, sipHash128(TraceKey, SpanKey, WhoseKey), sipHash128(ResponseId, WhoseKey)) CODEC(NONE),
    `Place` String MATERIALIZED concat(reverse(reinterpretAsFixedString(toUInt64(greatest(toUnixTimestamp64Nano(Time), 0)))), EventId) CODEC(LZ4),
    `Precedence` UInt64 MATERIALIZED bitOr(bitShiftLeft(toUInt64((((TraceId != '') * 4) + ((SpanId != '') * 2)) + (Carrier != 'log')), 61), bitShiftRight(sipHash64(EventId, Time, TargetTraceId, TargetSpanId, toString(Delivered)), 3)) CODEC(NONE),
    INDEX time Time TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(Precedence)
ORDER BY EventId
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216, min_age_to_force_merge_seconds = 600, index_granularity = 8192;

CREATE MATERIALIZED VIEW rating_deliveries_from_spans_mv TO rating_deliveries
(
    `Time` DateTime64(9),
    `TargetTraceId` String,
    `TargetSpanId` String,
    `ServiceName` LowCardinality(String),
    `Carrier` String,
    `Segment` LowCardinality(String),
    `Delivered` Map(String, String)
)
AS WITH
    startsWith(SpanName, 'user_feedback ') OR (SpanName = 'gen_ai.evaluation.result') AS is_carrier,
    ((SpanAttributes['openinference.span.kind']) IN ('', 'EVALUATOR')) AND ((SpanAttributes['gen_ai.operation.name']) IN ('', 'evaluation')) AND (length(Links.TraceId) = 1) AS is_linked_carrier,
    arrayFilter(event -> ((event.2) = 'gen_ai.evaluation.result'), arrayZip(Events.Timestamp, Events.Name, Events.Attributes)) AS events,
    arrayFilter(prefix -> (firstNonDefault(SpanAttributes[concat(prefix, 'score')], SpanAttributes[concat(prefix, 'label')]) != ''), arrayDistinct(arrayMap(key -> extract(key, '^((?:trace\\.|session\\.)?(?:annotations\\.\\d+\\.annotation|evaluations\\.\\d+\\.evaluation|annotation|evaluation)\\.)name$'), mapKeys(SpanAttributes)))) AS annotations,
    arrayMap(prefix -> mapFilter((key, value) -> (value != ''), map('gen_ai.evaluation.name', SpanAttributes[concat(prefix, 'name')], 'gen_ai.evaluation.score.value', SpanAttributes[concat(prefix, 'score')], 'gen_ai.evaluation.score.label', SpanAttributes[concat(prefix, 'label')], 'gen_ai.evaluation.explanation', SpanAttributes[concat(prefix, 'explanation')], 'enduser.pseudo.id', SpanAttributes[concat(prefix, 'identifier')], 'otel_feedback.source', transform(SpanAttributes[concat(prefix, 'annotator_kind')], ['HUMAN', 'LLM', 'CODE'], ['', 'evaluator', 'evaluator']), 'otel_feedback.scope', multiIf(startsWith(prefix, 'trace.'), 'trace', startsWith(prefix, 'session.'), 'session', ''), 'session.id', if(startsWith(prefix, 'session.'), SpanAttributes['session.id'], ''), 'metadata', SpanAttributes[concat(prefix, 'metadata')])), annotations) AS annotated
SELECT
    rating.1 AS Time,
    multiIf(is_linked_carrier, Links.TraceId[1], (NOT is_carrier) OR (ParentSpanId != ''), TraceId, '') AS TargetTraceId,
    multiIf(is_linked_carrier, Links.SpanId[1], NOT is_carrier, SpanId, ParentSpanId) AS TargetSpanId,
    ServiceName,
    rating.2 AS Carrier,
    Segment,
    rating.3 AS Delivered
FROM otel_traces
ARRAY JOIN arrayConcat(arrayMap(event -> (event.1, 'span_event', event.3), events), if(empty(events) AND ((SpanAttributes['gen_ai.evaluation.name']) != ''), [(Timestamp, 'span', SpanAttributes)], []), arrayMap(annotation -> (Timestamp, 'span', annotation), annotated)) AS rating
WHERE has(Events.Name, 'gen_ai.evaluation.result') OR arrayExists(key -> (key IN ('gen_ai.evaluation.name', 'annotation.name', 'evaluation.name', 'annotations.0.annotation.name', 'evaluations.0.evaluation.name', 'trace.annotations.0.annotation.name', 'trace.evaluations.0.evaluation.name', 'session.annotations.0.annotation.name', 'session.evaluations.0.evaluation.name')), mapKeys(SpanAttributes));

CREATE MATERIALIZED VIEW rating_deliveries_from_logs_mv TO rating_deliveries
(
    `Time` DateTime64(9),
    `TargetTraceId` String,
    `TargetSpanId` String,
    `ServiceName` LowCardinality(String),
    `Carrier` String,
    `Segment` LowCardinality(String),
    `Delivered` Map(LowCardinality(String), String)
)
AS SELECT
    Timestamp AS Time,
    TraceId AS TargetTraceId,
    SpanId AS TargetSpanId,
    ServiceName,
    'log' AS Carrier,
    Segment,
    LogAttributes AS Delivered
FROM otel_logs
WHERE 'gen_ai.evaluation.result' IN (EventName, LogAttributes['event.name'], LogAttributes['microsoft.custom_event.name']);

CREATE TABLE service_settings
(
    `Name` String,
    `Value` String,
    `Time` DateTime64(9) DEFAULT now64(9)
)
ENGINE = ReplacingMergeTree(Time)
ORDER BY Name
SETTINGS index_granularity = 8192;

CREATE VIEW keyed_llm_calls
(
    `Timestamp` DateTime64(9),
    `Duration` UInt64,
    `TraceId` String,
    `SpanId` String,
    `ParentSpanId` String,
    `ServiceName` LowCardinality(String),
    `SessionId` String,
    `UserId` String,
    `Operation` LowCardinality(String),
    `Provider` LowCardinality(String),
    `RequestModel` LowCardinality(String),
    `ResponseModel` LowCardinality(String),
    `ResponseId` String,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `CacheReadTokens` UInt64,
    `CacheWriteTokens` UInt64,
    `ReasoningTokens` UInt64,
    `TimeToFirstChunk` UInt64,
    `Temperature` Nullable(Float64),
    `MaxTokens` Nullable(UInt64),
    `FinishReason` String,
    `SystemInstructions` String,
    `InputMessages` String,
    `OutputMessages` String,
    `Prompt` String,
    `Completion` String,
    `Tools` Array(String),
    `PromptName` LowCardinality(String),
    `PromptVersion` LowCardinality(String),
    `StatusCode` LowCardinality(String),
    `ErrorType` LowCardinality(String),
    `Dialect` LowCardinality(String),
    `ScopeName` LowCardinality(String),
    `TraceKey` UInt64,
    `SpanKey` UInt64
)
AS WITH
    spans AS
    (
        SELECT
            span.TraceKey AS TraceKey,
            span.SpanKey AS SpanKey,
            span.* EXCEPT (TraceKey, SpanKey, FinishReason, SystemInstructions, InputMessages, OutputMessages, IndexedMessages),
            firstNonDefault(span.FinishReason, logged.FinishReason) AS ToldReason,
            firstNonDefault(span.SystemInstructions, logged.SystemInstructions) AS SystemInstructions,
            firstNonDefault(span.InputMessages, logged.InputMessages) AS ToldInput,
            firstNonDefault(span.OutputMessages, logged.OutputMessages) AS ToldOutput,
            arraySort(arrayMap((key, value) -> (key[1], leftPad(key[2], 64, '0'), toUInt32(transform(key[3], ['contents', 'tool_calls'], [1, 65537], 0)) + toUInt16OrZero(key[4]), key[-1], value), arrayMap(pair -> splitByChar('.', pair.1), firstNonDefault(span.IndexedMessages, logged.IndexedMessages) AS indexed), indexed.2)) AS Pieces
        FROM
        (
            SELECT
                * REPLACE (CAST(IndexedMessages, 'Array(Tuple(String, String))') AS IndexedMessages),
                TraceKey,
                SpanKey
            FROM llm_call_spans
            FINAL
        ) AS span
        ANY LEFT JOIN
        (
            SELECT
                cityHash64(TraceId) AS TraceKey,
                cityHash64(SpanId) AS SpanKey,
                FinishReason,
                SystemInstructions,
                InputMessages,
                OutputMessages,
                IndexedMessages
            FROM llm_call_messages
            FINAL
        ) AS logged ON (logged.TraceKey = span.TraceKey) AND (logged.SpanKey = span.SpanKey)
    ),
    ((pieces, places) -> arraySplit((piece, step) -> (step != 0), pieces, arrayDifference(arrayEnumerateDense(places)))) AS split_by,
    (pieces -> CAST(arrayMap(piece -> (piece.4, piece.5), pieces), 'Map(String, String)')) AS named,
    (text -> concat('{"type":"text","content":', toJSONString(text), '}')) AS text_part,
    (url -> concat('{"type":"uri","modality":"image","uri":', toJSONString(url), '}')) AS image_part,
    provided AS
    (
        SELECT
            *,
            arrayMap(side -> arrayMap(pieces -> (named(arrayFilter(piece -> ((piece.3) = 0), pieces)) AS told, JSONExtractArrayRaw(told['content']) AS told_parts, arrayMap(part -> (((part[1]).3) > 65536, named(part)), split_by(arrayFilter(piece -> ((piece.3) != 0), pieces) AS further, further.3))), split_by(arrayFilter(piece -> ((piece.1) = side), Pieces) AS of_side, of_side.2)), ['input', 'output']) AS Sides
        FROM spans
    ),
    assembled AS
    (
        SELECT
            * EXCEPT (Pieces, Sides),
            arrayMap(side -> arrayStringConcat(arrayMap((told, told_parts, parts) -> concat('{"role":', toJSONString(firstNonDefault(told['role'], if((told['user']) != '', 'user', ''))), ',"parts":[', arrayStringConcat(arrayConcat(multiIf(firstNonDefault(told['content'], told['user']) = '', [], (told['role']) = 'tool', [concat('{"type":"tool_call_response"', if((told['tool_call_id']) = '', '', concat(',"id":', toJSONString(told['tool_call_id']))), ',"response":', toJSONString(told['content']), '}')], JSONExtractString(told_parts[1], 'type') = '', [text_part(firstNonDefault(told['content'], told['user']))], arrayMap(part -> multiIf(JSONHas(part, 'text'), text_part(JSONExtractString(part, 'text')), JSONHas(part, 'image_url'), image_part(firstNonDefault(JSONExtractString(part, 'image_url', 'url'), JSONExtractString(part, 'image_url'))), part), told_parts)), arrayMap((is_tool_call, part) -> multiIf(is_tool_call, concat('{"type":"tool_call"', if((part['id']) = '', '', concat(',"id":', toJSONString(part['id']))), ',"name":', toJSONString(part['name']), multiIf((part['arguments']) = '', '', isValidJSON(part['arguments']), concat(',"arguments":', part['arguments']), concat(',"arguments":', toJSONString(part['arguments']))), '}'), (part['url']) != '', image_part(part['url']), text_part(part['text'])), parts.1, parts.2)), ','), ']', if((told['finish_reason']) = '', '', concat(',"finish_reason":', toJSONString(told['finish_reason']))), '}'), side.1, side.2, side.3), ','), Sides) AS Messages,
            if((Messages[1]) != '', concat('[', Messages[1], ']'), ToldInput) AS InputMessages,
            if((Messages[2]) != '', concat('[', Messages[2], ']'), ToldOutput) AS OutputMessages
        FROM provided
    ),
    'Array(Tuple(role String, content String, parts Array(Tuple(type String, content String, name String))))' AS messages,
    (message -> if(empty(message.parts), message.content, arrayStringConcat(arrayMap(part -> part.content, arrayFilter(part -> (part.type = 'text'), message.parts)), '\n'))) AS text_of
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
    if(JSONType(InputMessages) = 'Array', text_of(arrayLast(message -> (message.role = 'user'), JSONExtract(InputMessages, messages))), InputMessages) AS Prompt,
    if(JSONType(OutputMessages) = 'Array', text_of(JSONExtract(OutputMessages, messages)[1]), OutputMessages) AS Completion,
    arrayDistinct(arrayMap(part -> part.name, arrayFilter(part -> ((part.type = 'tool_call') AND (part.name != '')), arrayFlatten(arrayMap(message -> message.parts, JSONExtract(OutputMessages, messages)))))) AS Tools,
    PromptName,
    PromptVersion,
    StatusCode,
    ErrorType,
    Dialect,
    ScopeName,
    TraceKey,
    SpanKey
FROM assembled;

CREATE VIEW llm_calls
(
    `Timestamp` DateTime64(9),
    `Duration` UInt64,
    `TraceId` String,
    `SpanId` String,
    `ParentSpanId` String,
    `ServiceName` LowCardinality(String),
    `SessionId` String,
    `UserId` String,
    `Operation` LowCardinality(String),
    `Provider` LowCardinality(String),
    `RequestModel` LowCardinality(String),
    `ResponseModel` LowCardinality(String),
    `ResponseId` String,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `CacheReadTokens` UInt64,
    `CacheWriteTokens` UInt64,
    `ReasoningTokens` UInt64,
    `TimeToFirstChunk` UInt64,
    `Temperature` Nullable(Float64),
    `MaxTokens` Nullable(UInt64),
    `FinishReason` String,
    `SystemInstructions` String,
    `InputMessages` String,
    `OutputMessages` String,
    `Prompt` String,
    `Completion` String,
    `Tools` Array(String),
    `PromptName` LowCardinality(String),
    `PromptVersion` LowCardinality(String),
    `StatusCode` LowCardinality(String),
    `ErrorType` LowCardinality(String),
    `Dialect` LowCardinality(String),
    `ScopeName` LowCardinality(String)
)
AS SELECT * EXCEPT (TraceKey, SpanKey)
FROM keyed_llm_calls;

CREATE VIEW rating_events
(
    `EventId` String,
    `Time` DateTime64(9),
    `ReceivedTime` DateTime64(9),
    `Action` LowCardinality(String),
    `TraceId` String,
    `SpanId` String,
    `SessionId` String,
    `ResponseId` String,
    `Scope` LowCardinality(String),
    `Name` LowCardinality(String),
    `Value` Nullable(Float64),
    `Label` LowCardinality(String),
    `Comment` String,
    `Correction` String,
    `Reasons` Array(String),
    `ScoreMin` Nullable(Float64),
    `ScoreMax` Nullable(Float64),
    `Source` LowCardinality(String),
    `RaterId` String,
    `ServiceName` LowCardinality(String),
    `Attributes` Map(LowCardinality(String), String),
    `Via` LowCardinality(String),
    `RatingKey` FixedString(16),
    `TraceKey` UInt64,
    `SpanKey` UInt64,
    `IsFound` UInt8,
    `Place` String,
    `Precedence` UInt64
)
AS WITH
    (
        SELECT (groupArray(Precedence), groupArray(sipHash128(Call.4, Call.5, WhoseKey)), groupArray(Call.1), groupArray(Call.2), groupArray(Call.3), groupArray(Call.4), groupArray(Call.5))
        FROM
        (
            SELECT
                ResponseKey,
                WhoseKey,
                Precedence
            FROM rating_deliveries
            FINAL
            WHERE ResponseKey != 0
        ) AS unanswered
        INNER JOIN
        (
            SELECT
                cityHash64(ResponseId) AS ResponseKey,
                min((TraceId, SpanId, SessionId, TraceKey, SpanKey)) AS Call
            FROM llm_call_spans
            WHERE ((
                SELECT max(ResponseKey)
                FROM rating_deliveries
            ) != 0) AND (ResponseId IN (
                SELECT ResponseId
                FROM rating_deliveries
                WHERE ResponseKey != 0
            ))
            GROUP BY ResponseKey
        ) AS answer ON answer.ResponseKey = unanswered.ResponseKey
    ) AS answered
SELECT
    EventId,
    Time,
    ReceivedTime,
    Action,
    transform(Precedence, answered.1, answered.3, submission.TraceId) AS TraceId,
    transform(Precedence, answered.1, answered.4, submission.SpanId) AS SpanId,
    if(submission.SessionId = '', transform(Precedence, answered.1, answered.5, ''), submission.SessionId) AS SessionId,
    ResponseId,
    Scope,
    Name,
    Value,
    Label,
    Comment,
    Correction,
    Reasons,
    ScoreMin,
    ScoreMax,
    Source,
    RaterId,
    ServiceName,
    Attributes,
    Via,
    transform(Precedence, answered.1, answered.2, submission.RatingKey) AS RatingKey,
    transform(Precedence, answered.1, answered.6, submission.TraceKey) AS TraceKey,
    transform(Precedence, answered.1, answered.7, submission.SpanKey) AS SpanKey,
    has(answered.1, Precedence) AS IsFound,
    Place,
    Precedence
FROM rating_deliveries AS submission
FINAL;

CREATE VIEW feedback_events
(
    `EventId` String,
    `FeedbackId` String,
    `Time` DateTime64(9),
    `ReceivedTime` DateTime64(9),
    `Action` LowCardinality(String),
    `TraceId` String,
    `SpanId` String,
    `SessionId` String,
    `ResponseId` String,
    `Scope` LowCardinality(String),
    `Name` LowCardinality(String),
    `Value` Nullable(Float64),
    `Label` LowCardinality(String),
    `Comment` String,
    `Correction` String,
    `Reasons` Array(String),
    `ScoreMin` Nullable(Float64),
    `ScoreMax` Nullable(Float64),
    `Source` LowCardinality(String),
    `RaterId` String,
    `ServiceName` LowCardinality(String),
    `Attributes` Map(LowCardinality(String), String),
    `Via` LowCardinality(String)
)
AS SELECT
    EventId,
    lower(hex(RatingKey)) AS FeedbackId,
    Time,
    ReceivedTime,
    Action,
    TraceId,
    SpanId,
    SessionId,
    ResponseId,
    Scope,
    Name,
    Value,
    Label,
    Comment,
    Correction,
    Reasons,
    ScoreMin,
    ScoreMax,
    Source,
    RaterId,
    ServiceName,
    Attributes,
    Via
FROM rating_events;

CREATE VIEW current_ratings
(
    `EventId` String,
    `FeedbackId` String,
    `Time` DateTime64(9),
    `ReceivedTime` DateTime64(9),
    `TraceId` String,
    `SpanId` String,
    `SessionId` SimpleAggregateFunction(max, String),
    `ResponseId` String,
    `Scope` LowCardinality(String),
    `Name` LowCardinality(String),
    `Value` Nullable(Float64),
    `Label` LowCardinality(String),
    `Comment` String,
    `Correction` String,
    `Reasons` Array(String),
    `ScoreMin` Nullable(Float64),
    `ScoreMax` Nullable(Float64),
    `Source` LowCardinality(String),
    `RaterId` String,
    `ServiceName` LowCardinality(String),
    `Attributes` Map(LowCardinality(String), String),
    `Via` LowCardinality(String),
    `Changes` UInt64,
    `State` String,
    `TraceKey` UInt64,
    `SpanKey` UInt64
)
AS WITH
    (
        SELECT (groupArray(RatingNumber), groupArray(Newest), groupArray(Changes))
        FROM
        (
            SELECT
                reinterpretAsUInt64(RatingKey) AS RatingNumber,
                argMax(Precedence, Place) AS Newest,
                toUInt64(count() - 1) AS Changes
            FROM rating_events
            GROUP BY RatingNumber
            HAVING Changes > 0
        )
    ) AS changed,
    arrived_traces AS
    (
        SELECT TraceKey
        FROM otel_traces_trace_id_ts
        WHERE (TraceKey != 0) AND (TraceKey IN (
            SELECT TraceKey
            FROM rating_deliveries
        ))
    ),
    (
        SELECT (groupArray(TraceKey), groupArray(SessionId))
        FROM
        (
            SELECT
                TraceKey,
                max(SessionId) AS SessionId
            FROM otel_traces_trace_id_ts
            WHERE (TraceKey != 0) AND (TraceKey IN (
                SELECT TraceKey
                FROM rating_deliveries
                WHERE SessionId = ''
            ))
            GROUP BY TraceKey
            HAVING SessionId != ''
        )
    ) AS sessions_of_traces,
    arrived_sessions AS
    (
        SELECT SessionId
        FROM llm_call_spans
        WHERE SessionId IN (
            SELECT SessionId
            FROM rating_deliveries
            WHERE (Scope = 'session') AND (SessionId != '')
        )
    ),
    (
        SELECT max(toUInt32OrZero(Value))
        FROM service_settings
        FINAL
        WHERE Name = 'unmatched_after_seconds'
    ) AS unmatched_after_seconds
SELECT
    EventId,
    lower(hex(RatingKey)) AS FeedbackId,
    Time,
    ReceivedTime,
    TraceId,
    SpanId,
    if((event.SessionId = '') AND (TraceKey != 0), transform(TraceKey, sessions_of_traces.1, sessions_of_traces.2, ''), event.SessionId) AS SessionId,
    ResponseId,
    Scope,
    Name,
    Value,
    Label,
    Comment,
    Correction,
    Reasons,
    ScoreMin,
    ScoreMax,
    Source,
    RaterId,
    ServiceName,
    Attributes,
    Via,
    transform(reinterpretAsUInt64(RatingKey), changed.1, changed.3, toUInt64(0)) AS Changes,
    multiIf((Scope = 'session') AND (event.SessionId IN (arrived_sessions)), 'linked', (Scope != 'session') AND (IsFound OR (TraceKey IN (arrived_traces))), 'linked', Time > (now64(9) - toIntervalSecond(unmatched_after_seconds)), 'waiting', 'unmatched') AS State,
    TraceKey,
    SpanKey
FROM rating_events AS event
WHERE (Action = 'submit') AND (transform(reinterpretAsUInt64(RatingKey), changed.1, changed.2, Precedence) = Precedence);

CREATE VIEW feedback
(
    `EventId` String,
    `FeedbackId` String,
    `Time` DateTime64(9),
    `ReceivedTime` DateTime64(9),
    `TraceId` String,
    `SpanId` String,
    `SessionId` SimpleAggregateFunction(max, String),
    `ResponseId` String,
    `Scope` LowCardinality(String),
    `Name` LowCardinality(String),
    `Value` Nullable(Float64),
    `Label` LowCardinality(String),
    `Comment` String,
    `Correction` String,
    `Reasons` Array(String),
    `ScoreMin` Nullable(Float64),
    `ScoreMax` Nullable(Float64),
    `Source` LowCardinality(String),
    `RaterId` String,
    `ServiceName` LowCardinality(String),
    `Attributes` Map(LowCardinality(String), String),
    `Via` LowCardinality(String),
    `Changes` UInt64,
    `State` String
)
AS SELECT * EXCEPT (TraceKey, SpanKey)
FROM current_ratings;

CREATE VIEW rated_llm_calls
(
    `Timestamp` DateTime64(9),
    `Duration` UInt64,
    `TraceId` String,
    `SpanId` String,
    `ParentSpanId` String,
    `ServiceName` LowCardinality(String),
    `SessionId` String,
    `UserId` String,
    `Operation` LowCardinality(String),
    `Provider` LowCardinality(String),
    `RequestModel` LowCardinality(String),
    `ResponseModel` LowCardinality(String),
    `ResponseId` String,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `CacheReadTokens` UInt64,
    `CacheWriteTokens` UInt64,
    `ReasoningTokens` UInt64,
    `TimeToFirstChunk` UInt64,
    `Temperature` Nullable(Float64),
    `MaxTokens` Nullable(UInt64),
    `FinishReason` String,
    `SystemInstructions` String,
    `InputMessages` String,
    `OutputMessages` String,
    `Prompt` String,
    `Completion` String,
    `Tools` Array(String),
    `PromptName` LowCardinality(String),
    `PromptVersion` LowCardinality(String),
    `StatusCode` LowCardinality(String),
    `ErrorType` LowCardinality(String),
    `Dialect` LowCardinality(String),
    `ScopeName` LowCardinality(String),
    `FeedbackId` String,
    `RatingTime` DateTime64(9),
    `Name` LowCardinality(String),
    `Value` Nullable(Float64),
    `Label` LowCardinality(String),
    `Comment` String,
    `Correction` String,
    `Reasons` Array(String),
    `ScoreMin` Nullable(Float64),
    `ScoreMax` Nullable(Float64),
    `Scope` LowCardinality(String),
    `Source` LowCardinality(String),
    `RaterId` String,
    `Changes` UInt64
)
AS WITH
    final_calls AS
    (
        SELECT
            TraceKey,
            argMax(SpanKey, (Timestamp, SpanId)) AS SpanKey
        FROM llm_call_spans
        WHERE TraceKey IN (
            SELECT TraceKey
            FROM rating_deliveries
            WHERE Scope = 'trace'
        )
        GROUP BY TraceKey
    ),
    ratings AS
    (
        SELECT
            rating.FeedbackId,
            rating.Time,
            rating.Name,
            rating.Value,
            rating.Label,
            rating.Comment,
            rating.Correction,
            rating.Reasons,
            rating.ScoreMin,
            rating.ScoreMax,
            rating.Scope,
            rating.Source,
            rating.RaterId,
            rating.Changes,
            rating.TraceKey AS TraceKey,
            if(rating.Scope = 'trace', final_call.SpanKey, rating.SpanKey) AS SpanKey
        FROM current_ratings AS rating
        ANY LEFT JOIN final_calls AS final_call ON final_call.TraceKey = rating.TraceKey
        WHERE rating.Scope IN ('span', 'trace')
    )
SELECT
    call.* EXCEPT (TraceKey, SpanKey),
    rating.FeedbackId AS FeedbackId,
    rating.Time AS RatingTime,
    rating.Name AS Name,
    rating.Value AS Value,
    rating.Label AS Label,
    rating.Comment AS Comment,
    rating.Correction AS Correction,
    rating.Reasons AS Reasons,
    rating.ScoreMin AS ScoreMin,
    rating.ScoreMax AS ScoreMax,
    rating.Scope AS Scope,
    rating.Source AS Source,
    rating.RaterId AS RaterId,
    rating.Changes AS Changes
FROM keyed_llm_calls AS call
INNER JOIN ratings AS rating ON (rating.TraceKey = call.TraceKey) AND (rating.SpanKey = call.SpanKey);

CREATE VIEW traces
(
    `TraceId` String,
    `FirstTime` DateTime64(9),
    `LastTime` DateTime64(9),
    `Duration` UInt64,
    `RootName` SimpleAggregateFunction(max, String),
    `ServiceName` SimpleAggregateFunction(max, String),
    `SessionId` SimpleAggregateFunction(max, String),
    `UserId` SimpleAggregateFunction(max, String),
    `Calls` UInt64,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `Errors` UInt64,
    `Ratings` UInt64,
    `Positive` UInt64,
    `Neutral` UInt64,
    `Negative` UInt64
)
AS SELECT
    part.TraceId AS TraceId,
    part.FirstTime AS FirstTime,
    part.LastTime AS LastTime,
    toUInt64(greatest(dateDiff('nanosecond', part.FirstTime, part.LastTime), 0)) AS Duration,
    part.RootName AS RootName,
    part.ServiceName AS ServiceName,
    part.SessionId AS SessionId,
    part.UserId AS UserId,
    call.Calls AS Calls,
    call.InputTokens AS InputTokens,
    call.OutputTokens AS OutputTokens,
    call.TotalTokens AS TotalTokens,
    greatest(call.Errors, part.HasError) AS Errors,
    rating.Ratings AS Ratings,
    rating.Positive AS Positive,
    rating.Neutral AS Neutral,
    rating.Negative AS Negative
FROM
(
    SELECT
        TraceId,
        assumeNotNull(min(FirstTime)) AS FirstTime,
        assumeNotNull(max(LastTime)) AS LastTime,
        max(RootName) AS RootName,
        max(ServiceName) AS ServiceName,
        max(SessionId) AS SessionId,
        max(UserId) AS UserId,
        max(HasError) AS HasError
    FROM otel_traces_trace_id_ts AS of_insert
    WHERE of_insert.FirstTime IS NOT NULL
    GROUP BY TraceId
) AS part
LEFT JOIN
(
    SELECT
        TraceId,
        count() AS Calls,
        sum(InputTokens) AS InputTokens,
        sum(OutputTokens) AS OutputTokens,
        sum(TotalTokens) AS TotalTokens,
        countIf(StatusCode = 'Error') AS Errors
    FROM llm_call_spans
    FINAL
    GROUP BY TraceId
) AS call ON call.TraceId = part.TraceId
LEFT JOIN
(
    SELECT
        TraceId,
        count() AS Ratings,
        countIf(Label = 'positive') AS Positive,
        countIf(Label = 'neutral') AS Neutral,
        countIf(Label = 'negative') AS Negative
    FROM feedback
    WHERE (TraceId != '') AND (Source = 'end_user')
    GROUP BY TraceId
) AS rating ON rating.TraceId = part.TraceId;

CREATE VIEW sessions
(
    `SessionId` String,
    `UserId` String,
    `FirstTime` DateTime64(9),
    `LastTime` DateTime64(9),
    `Duration` UInt64,
    `Traces` UInt64,
    `Calls` UInt64,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `Errors` UInt64,
    `Ratings` UInt64,
    `Positive` UInt64,
    `Neutral` UInt64,
    `Negative` UInt64
)
AS SELECT
    call.SessionId AS SessionId,
    call.UserId AS UserId,
    call.FirstTime AS FirstTime,
    call.LastTime AS LastTime,
    call.Duration AS Duration,
    call.Traces AS Traces,
    call.Calls AS Calls,
    call.InputTokens AS InputTokens,
    call.OutputTokens AS OutputTokens,
    call.TotalTokens AS TotalTokens,
    call.Errors AS Errors,
    rating.Ratings AS Ratings,
    rating.Positive AS Positive,
    rating.Neutral AS Neutral,
    rating.Negative AS Negative
FROM
(
    SELECT
        SessionId,
        argMaxIf(span.UserId, (span.Timestamp, span.UserId), span.UserId != '') AS UserId,
        min(span.Timestamp) AS FirstTime,
        max(addNanoseconds(span.Timestamp, least(span.Duration, toUInt64(9223372036854775807 - greatest(toUnixTimestamp64Nano(span.Timestamp), 0))))) AS LastTime,
        sum(span.Duration) AS Duration,
        uniqExact(TraceKey) AS Traces,
        count() AS Calls,
        sum(span.InputTokens) AS InputTokens,
        sum(span.OutputTokens) AS OutputTokens,
        sum(span.TotalTokens) AS TotalTokens,
        countIf(StatusCode = 'Error') AS Errors
    FROM llm_call_spans AS span
    FINAL
    WHERE SessionId != ''
    GROUP BY SessionId
) AS call
LEFT JOIN
(
    SELECT
        SessionId,
        count() AS Ratings,
        countIf(Label = 'positive') AS Positive,
        countIf(Label = 'neutral') AS Neutral,
        countIf(Label = 'negative') AS Negative
    FROM feedback
    WHERE (SessionId != '') AND (Source = 'end_user')
    GROUP BY SessionId
) AS rating ON rating.SessionId = call.SessionId;

CREATE VIEW users
(
    `UserId` String,
    `FirstTime` DateTime64(9),
    `LastTime` DateTime64(9),
    `Duration` UInt64,
    `Sessions` UInt64,
    `Calls` UInt64,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `Errors` UInt64,
    `Ratings` UInt64,
    `Positive` UInt64,
    `Neutral` UInt64,
    `Negative` UInt64
)
AS SELECT
    UserId,
    min(FirstTime) AS FirstTime,
    max(LastTime) AS LastTime,
    sum(Duration) AS Duration,
    sum(Sessions) AS Sessions,
    sum(Calls) AS Calls,
    sum(InputTokens) AS InputTokens,
    sum(OutputTokens) AS OutputTokens,
    sum(TotalTokens) AS TotalTokens,
    sum(Errors) AS Errors,
    sum(Ratings) AS Ratings,
    sum(Positive) AS Positive,
    sum(Neutral) AS Neutral,
    sum(Negative) AS Negative
FROM
(
    SELECT
        UserId,
        min(span.Timestamp) AS FirstTime,
        max(addNanoseconds(span.Timestamp, least(span.Duration, toUInt64(9223372036854775807 - greatest(toUnixTimestamp64Nano(span.Timestamp), 0))))) AS LastTime,
        sum(span.Duration) AS Duration,
        uniqExactIf(SessionId, SessionId != '') AS Sessions,
        count() AS Calls,
        sum(span.InputTokens) AS InputTokens,
        sum(span.OutputTokens) AS OutputTokens,
        sum(span.TotalTokens) AS TotalTokens,
        countIf(StatusCode = 'Error') AS Errors,
        0 AS Ratings,
        0 AS Positive,
        0 AS Neutral,
        0 AS Negative
    FROM llm_call_spans AS span
    FINAL
    WHERE UserId != ''
    GROUP BY UserId
    UNION ALL
    SELECT
        RaterId,
        min(Time),
        max(Time),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        count(),
        countIf(Label = 'positive'),
        countIf(Label = 'neutral'),
        countIf(Label = 'negative')
    FROM feedback
    WHERE (RaterId != '') AND (Source = 'end_user')
    GROUP BY RaterId
)
GROUP BY UserId;

CREATE VIEW rated_traces
(
    `TraceId` String,
    `FirstTime` DateTime64(9),
    `LastTime` DateTime64(9),
    `Duration` UInt64,
    `RootName` SimpleAggregateFunction(max, String),
    `ServiceName` SimpleAggregateFunction(max, String),
    `SessionId` SimpleAggregateFunction(max, String),
    `UserId` SimpleAggregateFunction(max, String),
    `Calls` UInt64,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `Errors` UInt64,
    `Ratings` UInt64,
    `Positive` UInt64,
    `Neutral` UInt64,
    `Negative` UInt64,
    `FeedbackId` String,
    `RatingTime` DateTime64(9),
    `Name` LowCardinality(String),
    `Value` Nullable(Float64),
    `Label` LowCardinality(String),
    `Comment` String,
    `Correction` String,
    `Reasons` Array(String),
    `Scope` LowCardinality(String),
    `Source` LowCardinality(String),
    `RaterId` String,
    `Changes` UInt64
)
AS WITH
    ratings AS
    (
        SELECT *
        FROM current_ratings
        WHERE TraceKey != 0
    ),
    rated AS
    (
        SELECT TraceKey
        FROM rating_events
        WHERE TraceKey != 0
    )
SELECT
    part.TraceId AS TraceId,
    part.FirstTime AS FirstTime,
    part.LastTime AS LastTime,
    toUInt64(greatest(dateDiff('nanosecond', part.FirstTime, part.LastTime), 0)) AS Duration,
    part.RootName AS RootName,
    part.ServiceName AS ServiceName,
    part.SessionId AS SessionId,
    part.UserId AS UserId,
    call.Calls AS Calls,
    call.InputTokens AS InputTokens,
    call.OutputTokens AS OutputTokens,
    call.TotalTokens AS TotalTokens,
    greatest(call.Errors, part.HasError) AS Errors,
    of_trace.Ratings AS Ratings,
    of_trace.Positive AS Positive,
    of_trace.Neutral AS Neutral,
    of_trace.Negative AS Negative,
    rating.FeedbackId AS FeedbackId,
    rating.Time AS RatingTime,
    rating.Name AS Name,
    rating.Value AS Value,
    rating.Label AS Label,
    rating.Comment AS Comment,
    rating.Correction AS Correction,
    rating.Reasons AS Reasons,
    rating.Scope AS Scope,
    rating.Source AS Source,
    rating.RaterId AS RaterId,
    rating.Changes AS Changes
FROM
(
    SELECT
        TraceKey,
        any(of_insert.TraceId) AS TraceId,
        assumeNotNull(min(FirstTime)) AS FirstTime,
        assumeNotNull(max(LastTime)) AS LastTime,
        max(RootName) AS RootName,
        max(ServiceName) AS ServiceName,
        max(SessionId) AS SessionId,
        max(UserId) AS UserId,
        max(HasError) AS HasError
    FROM otel_traces_trace_id_ts AS of_insert
    WHERE (TraceKey IN (rated)) AND (of_insert.FirstTime IS NOT NULL)
    GROUP BY TraceKey
) AS part
INNER JOIN ratings AS rating ON rating.TraceKey = part.TraceKey
LEFT JOIN
(
    SELECT
        TraceKey,
        count() AS Calls,
        sum(InputTokens) AS InputTokens,
        sum(OutputTokens) AS OutputTokens,
        sum(TotalTokens) AS TotalTokens,
        countIf(StatusCode = 'Error') AS Errors
    FROM llm_call_spans
    FINAL
    WHERE TraceKey IN (rated)
    GROUP BY TraceKey
) AS call ON call.TraceKey = part.TraceKey
LEFT JOIN
(
    SELECT
        TraceKey,
        count() AS Ratings,
        countIf(Label = 'positive') AS Positive,
        countIf(Label = 'neutral') AS Neutral,
        countIf(Label = 'negative') AS Negative
    FROM ratings
    WHERE Source = 'end_user'
    GROUP BY TraceKey
) AS of_trace ON of_trace.TraceKey = part.TraceKey;

CREATE VIEW rated_sessions
(
    `SessionId` String,
    `UserId` String,
    `FirstTime` DateTime64(9),
    `LastTime` DateTime64(9),
    `Duration` UInt64,
    `Traces` UInt64,
    `Calls` UInt64,
    `InputTokens` UInt64,
    `OutputTokens` UInt64,
    `TotalTokens` UInt64,
    `Errors` UInt64,
    `Ratings` UInt64,
    `Positive` UInt64,
    `Neutral` UInt64,
    `Negative` UInt64,
    `FeedbackId` String,
    `RatingTime` DateTime64(9),
    `Name` LowCardinality(String),
    `Value` Nullable(Float64),
    `Label` LowCardinality(String),
    `Comment` String,
    `Correction` String,
    `Reasons` Array(String),
    `Scope` LowCardinality(String),
    `Source` LowCardinality(String),
    `RaterId` String,
    `Changes` UInt64
)
AS SELECT
    session.*,
    rating.FeedbackId AS FeedbackId,
    rating.Time AS RatingTime,
    rating.Name AS Name,
    rating.Value AS Value,
    rating.Label AS Label,
    rating.Comment AS Comment,
    rating.Correction AS Correction,
    rating.Reasons AS Reasons,
    rating.Scope AS Scope,
    rating.Source AS Source,
    rating.RaterId AS RaterId,
    rating.Changes AS Changes
FROM sessions AS session
INNER JOIN feedback AS rating ON rating.SessionId = session.SessionId
WHERE rating.SessionId != '';

CREATE TABLE deletions
(
    `Run` String,
    `Kind` LowCardinality(String),
    `Id` String CODEC(ZSTD(1)),
    `Time` DateTime DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY Run
ORDER BY (Run, Kind, Id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;

CREATE TABLE insight_findings
(
    `Run` String,
    `Time` DateTime('UTC') DEFAULT now(),
    `Kind` LowCardinality(String),
    `Position` UInt32,
    `Dimension` LowCardinality(String),
    `Value` String CODEC(ZSTD(1)),
    `Detail` String CODEC(ZSTD(1)),
    `SessionIds` Array(String) CODEC(ZSTD(1)),
    `TraceIds` Array(String) CODEC(ZSTD(1)),
    `QueryHash` String CODEC(ZSTD(1)),
    `DataHash` String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(Time)
ORDER BY (Time, Run, Position)
TTL Time + toIntervalDay(400)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;
