-- A table that a Collector made before is taken as it is, with what ours has beside its columns; nothing changes in one
-- of ours.
ALTER TABLE otel_traces
    ADD COLUMN IF NOT EXISTS Segment LowCardinality(String) DEFAULT '' CODEC(ZSTD(1)),
    MODIFY SETTING non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
        min_bytes_for_wide_part = 104857600, min_free_disk_bytes_to_perform_insert = 16777216
