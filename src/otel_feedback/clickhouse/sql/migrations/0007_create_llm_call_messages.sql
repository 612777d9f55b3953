-- Messages of LLM calls that came as log records: in a batch, an order and a connection of their own. llm_calls takes
-- from here what a span does not hold. Keyed by the span, so that a record that comes twice fills one row.
CREATE TABLE IF NOT EXISTS llm_call_messages (
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    SystemInstructions String CODEC(ZSTD(1)),
    InputMessages String CODEC(ZSTD(1)),
    OutputMessages String CODEC(ZSTD(1)),
    Timestamp DateTime64(9) CODEC(ZSTD(1)),
    Segment LowCardinality(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(Timestamp)
ORDER BY (TraceId, SpanId)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1
