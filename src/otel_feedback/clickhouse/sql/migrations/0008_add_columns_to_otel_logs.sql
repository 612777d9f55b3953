-- As for otel_traces.
ALTER TABLE otel_logs
    ADD COLUMN IF NOT EXISTS EventName String CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS Segment LowCardinality(String) DEFAULT '' CODEC(ZSTD(1)),
    MODIFY SETTING non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
        min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216
