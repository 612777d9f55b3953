-- As for otel_traces.
ALTER TABLE otel_traces_trace_id_ts
    ADD COLUMN IF NOT EXISTS FirstTime SimpleAggregateFunction(min, Nullable(DateTime64(9))) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS LastTime SimpleAggregateFunction(max, Nullable(DateTime64(9))) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS RootName SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS ServiceName SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS SessionId SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS UserId SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS HasError SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS TraceKey SimpleAggregateFunction(max, UInt64) CODEC(NONE),
    MODIFY SETTING non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
        min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216
