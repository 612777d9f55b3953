-- Which migrations this database has. A version that two processes record at once counts once.
CREATE TABLE IF NOT EXISTS schema_migrations (
    Version UInt32,
    Name String,
    Time DateTime64(3) DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY Version
