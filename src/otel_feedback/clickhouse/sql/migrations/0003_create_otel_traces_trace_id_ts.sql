-- What each INSERT knew of each trace, folded by functions to which a span that comes twice makes no difference. Start
-- and End are the exporter's: a trace is looked up in its own time alone. The columns from FirstTime on are ours, and
-- leave out carriers of ratings: a rating must not make the trace that it rates look as if it had come.
-- TraceKey, by which ratings find their traces, is cityHash64(TraceId); 0 if only carriers have come.
CREATE TABLE IF NOT EXISTS otel_traces_trace_id_ts (
    TraceId String CODEC(ZSTD(1)),
    Start SimpleAggregateFunction(min, DateTime) CODEC(ZSTD(1)),
    End SimpleAggregateFunction(max, DateTime) CODEC(ZSTD(1)),
    FirstTime SimpleAggregateFunction(min, Nullable(DateTime64(9))) CODEC(ZSTD(1)),
    LastTime SimpleAggregateFunction(max, Nullable(DateTime64(9))) CODEC(ZSTD(1)),
    RootName SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    ServiceName SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    SessionId SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    UserId SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    HasError SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    TraceKey SimpleAggregateFunction(max, UInt64) CODEC(NONE)
)
ENGINE = AggregatingMergeTree
PARTITION BY toStartOfWeek(Start)
ORDER BY TraceId
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216
