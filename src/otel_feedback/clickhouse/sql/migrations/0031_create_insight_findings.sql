-- What `otel-feedback contrast` found, for pages and people to read: a row per finding and, at Position 0, one that tells
-- what was asked and of how many calls, so that a run that found nothing is told, too. QueryHash is of the statements with
-- their values, DataHash of the rows that they answered: a run over the same rows has the same findings. Values may be
-- terms of what people wrote; SessionIds and TraceIds are of the calls shown as examples, by which an erasure finds them.
CREATE TABLE IF NOT EXISTS insight_findings (
    Run String,
    Time DateTime('UTC') DEFAULT now(),
    Kind LowCardinality(String),
    Position UInt32,
    Dimension LowCardinality(String),
    Value String CODEC(ZSTD(1)),
    Detail String CODEC(ZSTD(1)),
    SessionIds Array(String) CODEC(ZSTD(1)),
    TraceIds Array(String) CODEC(ZSTD(1)),
    QueryHash String CODEC(ZSTD(1)),
    DataHash String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(Time)
ORDER BY (Time, Run, Position)
TTL Time + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_free_disk_bytes_to_perform_insert = 16777216
