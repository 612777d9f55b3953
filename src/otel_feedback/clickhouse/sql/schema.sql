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
    `SpanAttributes` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
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
    `End` SimpleAggregateFunction(max, DateTime) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toStartOfWeek(Start)
ORDER BY TraceId
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;

CREATE MATERIALIZED VIEW otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts
(
    `TraceId` String,
    `Start` DateTime64(9),
    `End` DateTime64(9)
)
AS SELECT
    TraceId,
    min(Timestamp) AS Start,
    max(Timestamp) AS End
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
    `SystemInstructions` String CODEC(ZSTD(1)),
    `InputMessages` String CODEC(ZSTD(1)),
    `OutputMessages` String CODEC(ZSTD(1)),
    `PromptName` LowCardinality(String) CODEC(ZSTD(1)),
    `PromptVersion` LowCardinality(String) CODEC(ZSTD(1)),
    `StatusCode` LowCardinality(String) CODEC(ZSTD(1)),
    `ErrorType` LowCardinality(String) CODEC(ZSTD(1)),
    `Dialect` LowCardinality(String) CODEC(ZSTD(1)),
    `ScopeName` LowCardinality(String) CODEC(ZSTD(1)),
    `Segment` LowCardinality(String) CODEC(ZSTD(1)),
    INDEX session_id SessionId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX user_id UserId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX response_id ResponseId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toMonday(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), TraceId, SpanId)
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
    `PromptName` String,
    `PromptVersion` String,
    `StatusCode` LowCardinality(String),
    `ErrorType` String,
    `Dialect` String,
    `ScopeName` String,
    `Segment` LowCardinality(String)
)
AS SELECT
    Timestamp,
    Duration,
    TraceId,
    SpanId,
    ParentSpanId,
    ServiceName,
    if((SpanAttributes['session.id']) != '', SpanAttributes['session.id'], SpanAttributes['gen_ai.conversation.id']) AS SessionId,
    multiIf((SpanAttributes['user.id']) != '', SpanAttributes['user.id'], (SpanAttributes['enduser.pseudo.id']) != '', SpanAttributes['enduser.pseudo.id'], SpanAttributes['enduser.id']) AS UserId,
    SpanAttributes['gen_ai.operation.name'] AS Operation,
    SpanAttributes['gen_ai.provider.name'] AS Provider,
    SpanAttributes['gen_ai.request.model'] AS RequestModel,
    SpanAttributes['gen_ai.response.model'] AS ResponseModel,
    SpanAttributes['gen_ai.response.id'] AS ResponseId,
    toUInt64OrZero(SpanAttributes['gen_ai.usage.input_tokens']) AS InputTokens,
    toUInt64OrZero(SpanAttributes['gen_ai.usage.output_tokens']) AS OutputTokens,
    InputTokens + OutputTokens AS TotalTokens,
    toUInt64OrZero(SpanAttributes['gen_ai.usage.cache_read.input_tokens']) AS CacheReadTokens,
    toUInt64OrZero(if((SpanAttributes['gen_ai.usage.cache_creation.input_tokens']) != '', SpanAttributes['gen_ai.usage.cache_creation.input_tokens'], SpanAttributes['gen_ai.usage.cache_write.input_tokens'])) AS CacheWriteTokens,
    toUInt64OrZero(SpanAttributes['gen_ai.usage.reasoning.output_tokens']) AS ReasoningTokens,
    toUInt64(least(greatest(ifNotFinite(toFloat64OrZero(SpanAttributes['gen_ai.response.time_to_first_chunk']), 0), 0), 1000000000.) * 1000000000.) AS TimeToFirstChunk,
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
WHERE ((SpanAttributes['gen_ai.operation.name']) IN ('chat', 'text_completion', 'generate_content')) AND ((SpanAttributes['openinference.span.kind']) = '');

CREATE TABLE llm_call_messages
(
    `TraceId` String CODEC(ZSTD(1)),
    `SpanId` String CODEC(ZSTD(1)),
    `SystemInstructions` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `InputMessages` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `OutputMessages` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
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
    `Timestamp` DateTime64(9),
    `Segment` LowCardinality(String)
)
AS SELECT
    TraceId,
    SpanId,
    LogAttributes['gen_ai.system_instructions'] AS SystemInstructions,
    LogAttributes['gen_ai.input.messages'] AS InputMessages,
    LogAttributes['gen_ai.output.messages'] AS OutputMessages,
    Timestamp,
    Segment
FROM otel_logs
WHERE (EventName = 'gen_ai.client.inference.operation.details') AND (TraceId != '') AND (SpanId != '');

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
    `EventId` String MATERIALIZED if((Delivered['otel_feedback.id']) != '', Delivered['otel_feedback.id'], lower(hex(sipHash128(Time, TargetTraceId, TargetSpanId, toString(Delivered))))) CODEC(ZSTD(1)),
    `Action` LowCardinality(String) MATERIALIZED if((Delivered['otel_feedback.action']) = 'retract', 'retract', 'submit'),
    `ResponseId` String MATERIALIZED Delivered['gen_ai.response.id'] CODEC(ZSTD(1)),
    `SessionId` String MATERIALIZED if((Delivered['session.id']) != '', Delivered['session.id'], Delivered['gen_ai.conversation.id']) CODEC(ZSTD(1)),
    `Scope` LowCardinality(String) MATERIALIZED multiIf(((Delivered['otel_feedback.scope']) = 'session') AND (SessionId != ''), 'session', ((Delivered['otel_feedback.scope']) = 'trace') AND (TargetTraceId != ''), 'trace', (TargetSpanId != '') OR (ResponseId != ''), 'span', TargetTraceId != '', 'trace', 'session'),
    `TraceId` String MATERIALIZED if(Scope = 'session', '', TargetTraceId) CODEC(ZSTD(1)),
    `SpanId` String MATERIALIZED if(Scope = 'span', TargetSpanId, '') CODEC(ZSTD(1)),
    `Name` LowCardinality(String) MATERIALIZED Delivered['gen_ai.evaluation.name'],
    `Value` Nullable(Float64) MATERIALIZED if(isFinite(toFloat64OrNull(Delivered['gen_ai.evaluation.score.value'])), toFloat64OrNull(Delivered['gen_ai.evaluation.score.value']), NULL),
    `ScoreMin` Nullable(Float64) MATERIALIZED toFloat64OrNull(Delivered['otel_feedback.score.min']),
    `ScoreMax` Nullable(Float64) MATERIALIZED toFloat64OrNull(Delivered['otel_feedback.score.max']),
    `Label` LowCardinality(String) MATERIALIZED multiIf((lower(trimBoth(Delivered['gen_ai.evaluation.score.label'])) IN ('pass', 'positive')), 'positive', (lower(trimBoth(Delivered['gen_ai.evaluation.score.label'])) IN ('fail', 'negative')), 'negative', (Delivered['gen_ai.evaluation.score.label']) != '', Delivered['gen_ai.evaluation.score.label'], Value IS NULL, '', (ScoreMin IS NULL) AND (ScoreMax IS NULL), multiIf(Value = 1, 'positive', Value = 0, 'negative', ''), (ScoreMin IS NULL) OR (ScoreMax IS NULL) OR (ScoreMax <= ScoreMin), '', ((Value - ScoreMin) / (ScoreMax - ScoreMin)) <= (1 / 3), 'negative', ((Value - ScoreMin) / (ScoreMax - ScoreMin)) >= (2 / 3), 'positive', 'neutral'),
    `Comment` String MATERIALIZED Delivered['gen_ai.evaluation.explanation'] CODEC(ZSTD(1)),
    `Correction` String MATERIALIZED Delivered['otel_feedback.correction'] CODEC(ZSTD(1)),
    `Reasons` Array(String) MATERIALIZED JSONExtract(Delivered['otel_feedback.reasons'], 'Array(String)') CODEC(ZSTD(1)),
    `Source` LowCardinality(String) MATERIALIZED if((Delivered['otel_feedback.source']) != '', Delivered['otel_feedback.source'], 'end_user'),
    `RaterId` String MATERIALIZED multiIf((Delivered['enduser.pseudo.id']) != '', Delivered['enduser.pseudo.id'], (Delivered['enduser.id']) != '', Delivered['enduser.id'], Delivered['user.id']) CODEC(ZSTD(1)),
    `Via` LowCardinality(String) MATERIALIZED if((Delivered['otel_feedback.via']) != '', Delivered['otel_feedback.via'], Carrier),
    `Attributes` Map(LowCardinality(String), String) MATERIALIZED mapFilter((key, value) -> ((NOT startsWith(key, 'gen_ai.evaluation.')) AND (NOT startsWith(key, 'otel_feedback.')) AND (key NOT IN ('gen_ai.response.id', 'session.id', 'gen_ai.conversation.id', 'enduser.pseudo.id', 'enduser.id', 'user.id'))), Delivered) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (EventId, Carrier, TargetTraceId, TargetSpanId, Time)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;

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
    ((SpanAttributes['gen_ai.operation.name']) = '') AND (length(Links.TraceId) = 1) AS is_linked_carrier,
    startsWith(SpanName, 'user_feedback ') AS is_carrier
SELECT
    event.1 AS Time,
    multiIf(is_linked_carrier, Links.TraceId[1], (NOT is_carrier) OR (ParentSpanId != ''), TraceId, '') AS TargetTraceId,
    multiIf(is_linked_carrier, Links.SpanId[1], NOT is_carrier, SpanId, ParentSpanId) AS TargetSpanId,
    ServiceName,
    'span_event' AS Carrier,
    Segment,
    event.3 AS Delivered
FROM otel_traces
ARRAY JOIN arrayFilter(event -> ((event.2) = 'gen_ai.evaluation.result'), arrayZip(Events.Timestamp, Events.Name, Events.Attributes)) AS event
WHERE has(Events.Name, 'gen_ai.evaluation.result');

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
WHERE EventName = 'gen_ai.evaluation.result';

CREATE TABLE trace_parts
(
    `TraceId` String CODEC(ZSTD(1)),
    `FirstTime` SimpleAggregateFunction(min, DateTime64(9)) CODEC(ZSTD(1)),
    `LastTime` SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1)),
    `RootName` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `ServiceName` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `SessionId` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `UserId` SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    `HasError` SimpleAggregateFunction(max, UInt8)
)
ENGINE = AggregatingMergeTree
ORDER BY TraceId
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216, index_granularity = 8192;

CREATE MATERIALIZED VIEW trace_parts_mv TO trace_parts
(
    `TraceId` String,
    `FirstTime` DateTime64(9),
    `LastTime` DateTime64(9),
    `RootName` String,
    `ServiceName` String,
    `SessionId` String,
    `UserId` String,
    `HasError` UInt8
)
AS WITH
    9223372036854775807 - greatest(toUnixTimestamp64Nano(Timestamp), 0) AS most_nanoseconds,
    addNanoseconds(Timestamp, least(Duration, toUInt64(most_nanoseconds))) AS ended
SELECT
    TraceId,
    min(Timestamp) AS FirstTime,
    max(ended) AS LastTime,
    maxIf(toString(SpanName), ParentSpanId = '') AS RootName,
    maxIf(toString(ServiceName), ParentSpanId = '') AS ServiceName,
    max(if((SpanAttributes['session.id']) != '', SpanAttributes['session.id'], SpanAttributes['gen_ai.conversation.id'])) AS SessionId,
    max(multiIf((SpanAttributes['user.id']) != '', SpanAttributes['user.id'], (SpanAttributes['enduser.pseudo.id']) != '', SpanAttributes['enduser.pseudo.id'], SpanAttributes['enduser.id'])) AS UserId,
    max(StatusCode = 'Error') AS HasError
FROM otel_traces
WHERE (TraceId != '') AND (NOT (startsWith(SpanName, 'user_feedback ') AND has(Events.Name, 'gen_ai.evaluation.result')))
GROUP BY TraceId;

CREATE TABLE service_settings
(
    `Name` String,
    `Value` String,
    `Time` DateTime64(9) DEFAULT now64(9)
)
ENGINE = ReplacingMergeTree(Time)
ORDER BY Name
SETTINGS index_granularity = 8192;

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
    `FinishReason` LowCardinality(String),
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
AS WITH
    'Array(Tuple(role String, content String, parts Array(Tuple(type String, content String, name String))))' AS messages,
    (message -> if(empty(message.parts), message.content, arrayStringConcat(arrayMap(part -> part.content, arrayFilter(part -> (part.type = 'text'), message.parts)), '\n'))) AS text_of
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
    if(JSONType(InputMessages) = 'Array', text_of(arrayLast(message -> (message.role = 'user'), JSONExtract(InputMessages, messages))), InputMessages) AS Prompt,
    if(JSONType(OutputMessages) = 'Array', text_of(JSONExtract(OutputMessages, messages)[1]), OutputMessages) AS Completion,
    arrayDistinct(arrayMap(part -> part.name, arrayFilter(part -> ((part.type = 'tool_call') AND (part.name != '')), arrayFlatten(arrayMap(message -> message.parts, JSONExtract(OutputMessages, messages)))))) AS Tools,
    span.PromptName AS PromptName,
    span.PromptVersion AS PromptVersion,
    span.StatusCode AS StatusCode,
    span.ErrorType AS ErrorType,
    span.Dialect AS Dialect,
    span.ScopeName AS ScopeName
FROM llm_call_spans AS span
FINAL
ANY LEFT JOIN
(
    SELECT
        TraceId,
        SpanId,
        SystemInstructions,
        InputMessages,
        OutputMessages
    FROM llm_call_messages
    FINAL
) AS logged ON (logged.TraceId = span.TraceId) AND (logged.SpanId = span.SpanId);

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
AS WITH
    submissions AS
    (
        SELECT
            EventId,
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
        FROM rating_deliveries
        ORDER BY
            EventId ASC,
            TraceId = '' ASC,
            SpanId = '' ASC,
            Carrier DESC,
            Time ASC,
            TraceId ASC,
            SpanId ASC,
            toString(Delivered) ASC,
            ReceivedTime ASC
        LIMIT 1 BY EventId
    ),
    calls AS
    (
        SELECT
            ResponseId,
            min((TraceId, SpanId)) AS Ids
        FROM llm_call_spans
        WHERE ResponseId IN (
            SELECT ResponseId
            FROM rating_deliveries
            WHERE (Scope = 'span') AND (SpanId = '') AND (ResponseId != '')
        )
        GROUP BY ResponseId
    ),
    resolved AS
    (
        SELECT
            submission.* EXCEPT (TraceId, SpanId),
            if((submission.Scope = 'span') AND (submission.SpanId = ''), call.Ids.1, submission.TraceId) AS TraceId,
            if((submission.Scope = 'span') AND (submission.SpanId = ''), call.Ids.2, submission.SpanId) AS SpanId
        FROM submissions AS submission
        ANY LEFT JOIN calls AS call ON call.ResponseId = submission.ResponseId
    )
SELECT
    EventId,
    lower(hex(sipHash128(Scope, multiIf(Scope = 'session', if(SessionId != '', SessionId, EventId), Scope = 'trace', TraceId, SpanId != '', concat(TraceId, '/', SpanId), ResponseId), Name, RaterId))) AS FeedbackId,
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
FROM resolved;

CREATE VIEW feedback
(
    `EventId` String,
    `FeedbackId` String,
    `Time` DateTime64(9),
    `ReceivedTime` DateTime64(9),
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
    `Changes` Int64,
    `State` String
)
AS WITH
    current AS
    (
        SELECT
            FeedbackId,
            argMax(EventId, (Time, EventId)) AS EventId,
            count() - 1 AS Changes
        FROM feedback_events
        GROUP BY FeedbackId
    ),
    arrived_traces AS
    (
        SELECT
            TraceId,
            max(SessionId) AS SessionId
        FROM trace_parts
        WHERE TraceId IN (
            SELECT TraceId
            FROM feedback_events
            WHERE TraceId != ''
        )
        GROUP BY TraceId
    ),
    arrived_sessions AS
    (
        SELECT DISTINCT SessionId
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
    event.EventId AS EventId,
    event.FeedbackId AS FeedbackId,
    event.Time AS Time,
    event.ReceivedTime AS ReceivedTime,
    event.TraceId AS TraceId,
    event.SpanId AS SpanId,
    if(event.SessionId != '', event.SessionId, arrived.SessionId) AS SessionId,
    event.ResponseId AS ResponseId,
    event.Scope AS Scope,
    event.Name AS Name,
    event.Value AS Value,
    event.Label AS Label,
    event.Comment AS Comment,
    event.Correction AS Correction,
    event.Reasons AS Reasons,
    event.ScoreMin AS ScoreMin,
    event.ScoreMax AS ScoreMax,
    event.Source AS Source,
    event.RaterId AS RaterId,
    event.ServiceName AS ServiceName,
    event.Attributes AS Attributes,
    event.Via AS Via,
    current.Changes AS Changes,
    multiIf((event.Scope = 'session') AND (event.SessionId IN (
        SELECT SessionId
        FROM arrived_sessions
    )), 'linked', (event.Scope != 'session') AND (arrived.TraceId != ''), 'linked', event.Time > (now64(9) - toIntervalSecond(unmatched_after_seconds)), 'waiting', 'unmatched') AS State
FROM feedback_events AS event
INNER JOIN current ON current.EventId = event.EventId
ANY LEFT JOIN arrived_traces AS arrived ON arrived.TraceId = event.TraceId
WHERE event.Action = 'submit';

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
    `FinishReason` LowCardinality(String),
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
    `Changes` Int64
)
AS WITH
    final_calls AS
    (
        SELECT
            TraceId,
            argMax(SpanId, (Timestamp, SpanId)) AS SpanId
        FROM llm_call_spans
        WHERE TraceId IN (
            SELECT TraceId
            FROM rating_deliveries
            WHERE Scope = 'trace'
        )
        GROUP BY TraceId
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
            rating.TraceId AS TraceId,
            if(rating.Scope = 'trace', final_call.SpanId, rating.SpanId) AS SpanId
        FROM feedback AS rating
        ANY LEFT JOIN final_calls AS final_call ON final_call.TraceId = rating.TraceId
        WHERE rating.Scope IN ('span', 'trace')
    )
SELECT
    call.*,
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
FROM llm_calls AS call
INNER JOIN ratings AS rating ON (rating.TraceId = call.TraceId) AND (rating.SpanId = call.SpanId)
WHERE call.TraceId IN (
    SELECT TraceId
    FROM feedback_events
    WHERE TraceId != ''
);

CREATE VIEW traces
(
    `TraceId` String,
    `FirstTime` SimpleAggregateFunction(min, DateTime64(9)),
    `LastTime` SimpleAggregateFunction(max, DateTime64(9)),
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
        min(FirstTime) AS FirstTime,
        max(LastTime) AS LastTime,
        max(RootName) AS RootName,
        max(ServiceName) AS ServiceName,
        max(SessionId) AS SessionId,
        max(UserId) AS UserId,
        max(HasError) AS HasError
    FROM trace_parts
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
    WHERE TraceId != ''
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
        uniqExact(TraceId) AS Traces,
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
    WHERE SessionId != ''
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
    WHERE RaterId != ''
    GROUP BY RaterId
)
GROUP BY UserId;

CREATE VIEW rated_traces
(
    `TraceId` String,
    `FirstTime` SimpleAggregateFunction(min, DateTime64(9)),
    `LastTime` SimpleAggregateFunction(max, DateTime64(9)),
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
    `Changes` Int64
)
AS SELECT
    trace.*,
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
FROM traces AS trace
INNER JOIN feedback AS rating ON rating.TraceId = trace.TraceId
WHERE rating.TraceId != '';

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
    `Changes` Int64
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
    `PromptName` String,
    `PromptVersion` String,
    `StatusCode` LowCardinality(String),
    `ErrorType` String,
    `Dialect` String,
    `ScopeName` String,
    `Segment` LowCardinality(String)
)
AS WITH
    (pairs, prefix) -> arraySort(numbered -> (numbered.1), arrayMap(pair -> (toUInt16OrZero(substringIndex(substring(pair.1, length(prefix) + 1), '.', 1)), substring(pair.1, (length(prefix) + 1) + position(substring(pair.1, length(prefix) + 1), '.')), pair.2), arrayFilter(pair -> startsWith(pair.1, prefix), pairs))) AS numbered_below,
    (all_numbered -> arraySplit((numbered, step) -> (step != 0), all_numbered, arrayDifference(all_numbered.1))) AS split_by_number,
    ((pairs, prefix) -> arrayMap(all_numbered -> arrayMap(numbered -> (numbered.2, numbered.3), all_numbered), split_by_number(numbered_below(pairs, prefix)))) AS groups,
    ((pairs, key) -> ((arrayFirst(pair -> ((pair.1) = key), pairs)).2)) AS value_of,
    (message -> arrayConcat(multiIf(value_of(message, 'message.content') = '', [], value_of(message, 'message.role') = 'tool', [concat('{"type":"tool_call_response","id":', toJSONString(value_of(message, 'message.tool_call_id')), ',"response":', toJSONString(value_of(message, 'message.content')), '}')], [concat('{"type":"text","content":', toJSONString(value_of(message, 'message.content')), '}')]), arrayMap(content -> if(value_of(content, 'message_content.image.image.url') != '', concat('{"type":"uri","modality":"image","uri":', toJSONString(value_of(content, 'message_content.image.image.url')), '}'), concat('{"type":"text","content":', toJSONString(value_of(content, 'message_content.text')), '}')), groups(message, 'message.contents.')), arrayMap(call -> concat('{"type":"tool_call","id":', toJSONString(value_of(call, 'tool_call.id')), ',"name":', toJSONString(value_of(call, 'tool_call.function.name')), ',"arguments":', if(isValidJSON(value_of(call, 'tool_call.function.arguments')), value_of(call, 'tool_call.function.arguments'), toJSONString(value_of(call, 'tool_call.function.arguments'))), '}'), groups(message, 'message.tool_calls.')))) AS parts,
    ((prefix, more) -> arrayStringConcat(arrayMap(message -> concat('{"role":', toJSONString(value_of(message, 'message.role')), ',"parts":[', arrayStringConcat(parts(message), ','), ']', more, '}'), groups(CAST(SpanAttributes, 'Array(Tuple(String, String))'), prefix)), ',')) AS messages,
    SpanAttributes['llm.invocation_parameters'] AS parameters,
    messages('llm.input_messages.', '') AS input_messages,
    messages('llm.output_messages.', if(FinishReason = '', '', concat(',"finish_reason":', toJSONString(FinishReason)))) AS output_messages
SELECT
    Timestamp,
    Duration,
    TraceId,
    SpanId,
    ParentSpanId,
    ServiceName,
    if((SpanAttributes['session.id']) != '', SpanAttributes['session.id'], SpanAttributes['gen_ai.conversation.id']) AS SessionId,
    multiIf((SpanAttributes['user.id']) != '', SpanAttributes['user.id'], (SpanAttributes['enduser.pseudo.id']) != '', SpanAttributes['enduser.pseudo.id'], SpanAttributes['enduser.id']) AS UserId,
    if((SpanAttributes['gen_ai.operation.name']) != '', SpanAttributes['gen_ai.operation.name'], 'chat') AS Operation,
    if((SpanAttributes['llm.provider']) != '', SpanAttributes['llm.provider'], SpanAttributes['llm.system']) AS Provider,
    if(JSONExtractString(parameters, 'model') != '', JSONExtractString(parameters, 'model'), ResponseModel) AS RequestModel,
    SpanAttributes['llm.model_name'] AS ResponseModel,
    if((SpanAttributes['gen_ai.response.id']) != '', SpanAttributes['gen_ai.response.id'], JSONExtractString(SpanAttributes['output.value'], 'id')) AS ResponseId,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt']) AS InputTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.completion']) AS OutputTokens,
    if((SpanAttributes['llm.token_count.total']) != '', toUInt64OrZero(SpanAttributes['llm.token_count.total']), InputTokens + OutputTokens) AS TotalTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt_details.cache_read']) AS CacheReadTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.prompt_details.cache_write']) AS CacheWriteTokens,
    toUInt64OrZero(SpanAttributes['llm.token_count.completion_details.reasoning']) AS ReasoningTokens,
    toUInt64(greatest(if(has(Events.Name, 'First Token Stream Event'), toUnixTimestamp64Nano(Events.Timestamp[indexOf(Events.Name, 'First Token Stream Event')]) - toUnixTimestamp64Nano(Timestamp), 0), 0)) AS TimeToFirstChunk,
    if(JSONHas(parameters, 'temperature'), JSONExtract(parameters, 'temperature', 'Nullable(Float64)'), NULL) AS Temperature,
    if(JSONHas(parameters, 'max_tokens'), JSONExtract(parameters, 'max_tokens', 'Nullable(UInt64)'), JSONExtract(parameters, 'max_completion_tokens', 'Nullable(UInt64)')) AS MaxTokens,
    SpanAttributes['llm.finish_reason'] AS FinishReason,
    '' AS SystemInstructions,
    if(input_messages != '', concat('[', input_messages, ']'), SpanAttributes['input.value']) AS InputMessages,
    if(output_messages != '', concat('[', output_messages, ']'), SpanAttributes['output.value']) AS OutputMessages,
    SpanAttributes['llm.prompt_template.template'] AS PromptName,
    SpanAttributes['llm.prompt_template.version'] AS PromptVersion,
    StatusCode,
    if((SpanAttributes['error.type']) != '', SpanAttributes['error.type'], (Events.Attributes[indexOf(Events.Name, 'exception')])['exception.type']) AS ErrorType,
    'openinference' AS Dialect,
    ScopeName,
    Segment
FROM otel_traces
WHERE (SpanAttributes['openinference.span.kind']) = 'LLM';
