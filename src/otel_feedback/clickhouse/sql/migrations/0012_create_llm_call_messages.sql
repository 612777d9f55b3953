-- Messages of LLM calls that came as log records: in a batch, an order and a connection of their own, all in one record
-- or one record each. llm_calls takes from here what a span does not hold. Keyed by the span; functions to which order
-- and repeats make no difference fold what came for it. IndexedMessages are as in llm_call_spans, numbered by time.
CREATE TABLE IF NOT EXISTS llm_call_messages (
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    SystemInstructions SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    InputMessages SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    OutputMessages SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    FinishReason SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    IndexedMessages SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(String, String))) CODEC(ZSTD(1)),
    Timestamp SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1)),
    Segment SimpleAggregateFunction(max, String) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (TraceId, SpanId)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216
