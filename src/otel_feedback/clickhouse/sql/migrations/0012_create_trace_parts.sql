-- What each INSERT knew of each trace, folded by functions to which a span that comes twice makes no difference.
-- Carriers of ratings are no part of the trace that they rate: a rating must not make its own trace look as if it came.
CREATE TABLE IF NOT EXISTS trace_parts (
    TraceId String CODEC(ZSTD(1)),
    FirstTime SimpleAggregateFunction(min, DateTime64(9)) CODEC(ZSTD(1)),
    LastTime SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1)),
    RootName SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    ServiceName SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    SessionId SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    UserId SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
    HasError SimpleAggregateFunction(max, UInt8)
)
ENGINE = AggregatingMergeTree
ORDER BY TraceId
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216
