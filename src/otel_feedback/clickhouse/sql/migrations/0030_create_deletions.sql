-- What deletions under way are about, noted before the first row goes, so that one which is killed half-way is completed
-- by the next: nothing that finds the rest is lost with what was deleted. Mutations name the run that they belong to and
-- look up the ids here; an id of a person in a mutation's own text would stay on disk with it. A run's partition is
-- dropped when it has ended. Kind says what Id is: kept, trace, trace_without_spans, user, session, response, message,
-- carrier_trace; and with no Id ready, once all is noted that has expired, and erasing, before the first row goes.
CREATE TABLE IF NOT EXISTS deletions (
    Run String,
    Kind LowCardinality(String),
    Id String CODEC(ZSTD(1)),
    Time DateTime DEFAULT now()
)
ENGINE = MergeTree
PARTITION BY Run
ORDER BY (Run, Kind, Id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_free_disk_bytes_to_perform_insert = 16777216
