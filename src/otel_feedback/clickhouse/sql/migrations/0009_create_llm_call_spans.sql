-- One row per delivered span that is an LLM call, in the columns of llm_calls, whatever its dialect. Each dialect has a
-- materialized view of its own that fills this table. A span that is delivered twice has one key and one partition, so
-- it is replaced by itself; of a span that speaks two dialects the row of the higher Rank stays. llm_calls reads the
-- table with FINAL, which is cheap while parts hardly overlap in time. A session's calls lie together, since the prompt of
-- each holds the earlier ones: that takes an eighth less disk. With FINAL, ClickHouse leaves the texts of other rows
-- unread for conditions on the sorting key alone, so a session's and a trace's id are in it.
-- TraceKey and SpanKey are the ids as numbers: joined by them, ratings find their calls three times as fast.
-- Messages are the conventions' JSON, or, where a dialect has one attribute for each piece of them, IndexedMessages, which
-- llm_calls puts together. Its keys are {input|output}.N.{role|content|tool_call_id|finish_reason},
-- ....N.contents.M.{type|text|url} and ....N.tool_calls.M.{id|name|arguments}.
CREATE TABLE IF NOT EXISTS llm_call_spans (
    Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    Duration UInt64 CODEC(T64, ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    SessionId String CODEC(ZSTD(1)),
    UserId String CODEC(ZSTD(1)),
    Operation LowCardinality(String) CODEC(ZSTD(1)),
    Provider LowCardinality(String) CODEC(ZSTD(1)),
    RequestModel LowCardinality(String) CODEC(ZSTD(1)),
    ResponseModel LowCardinality(String) CODEC(ZSTD(1)),
    ResponseId String CODEC(ZSTD(1)),
    InputTokens UInt64 CODEC(T64, ZSTD(1)),
    OutputTokens UInt64 CODEC(T64, ZSTD(1)),
    TotalTokens UInt64 CODEC(T64, ZSTD(1)),
    CacheReadTokens UInt64 CODEC(T64, ZSTD(1)),
    CacheWriteTokens UInt64 CODEC(T64, ZSTD(1)),
    ReasoningTokens UInt64 CODEC(T64, ZSTD(1)),
    TimeToFirstChunk UInt64 CODEC(T64, ZSTD(1)),
    Temperature Nullable(Float64) CODEC(ZSTD(1)),
    MaxTokens Nullable(UInt64) CODEC(ZSTD(1)),
    FinishReason LowCardinality(String) CODEC(ZSTD(1)),
    SystemInstructions String CODEC(ZSTD(3)),
    InputMessages String CODEC(ZSTD(3)),
    OutputMessages String CODEC(ZSTD(3)),
    IndexedMessages Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    PromptName LowCardinality(String) CODEC(ZSTD(1)),
    PromptVersion LowCardinality(String) CODEC(ZSTD(1)),
    StatusCode LowCardinality(String) CODEC(ZSTD(1)),
    ErrorType LowCardinality(String) CODEC(ZSTD(1)),
    Dialect LowCardinality(String) CODEC(ZSTD(1)),
    Rank UInt8 CODEC(ZSTD(1)),
    ScopeName LowCardinality(String) CODEC(ZSTD(1)),
    Segment LowCardinality(String) CODEC(ZSTD(1)),
    TraceKey UInt64 MATERIALIZED cityHash64(TraceId) CODEC(NONE),
    SpanKey UInt64 MATERIALIZED cityHash64(SpanId) CODEC(NONE),
    INDEX session_id SessionId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX user_id UserId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX response_id ResponseId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(Rank)
PARTITION BY toMonday(Timestamp)
ORDER BY (toStartOfHour(Timestamp), SessionId, Timestamp, TraceId, SpanId)
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216
