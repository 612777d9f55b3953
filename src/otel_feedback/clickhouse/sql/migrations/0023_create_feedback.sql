-- One row per current rating: see current_ratings.
CREATE VIEW IF NOT EXISTS feedback AS
SELECT * EXCEPT (TraceKey, SpanKey)
FROM current_ratings
