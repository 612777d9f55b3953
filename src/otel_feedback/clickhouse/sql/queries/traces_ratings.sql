-- Question: how were these traces rated, as a whole and span by span?
-- Parameters: {traces:Array(String)}; {limit:UInt32}.
-- Cost: reads the ratings' keys, and the texts of those traces' ratings.
SELECT
    $rating_columns
FROM feedback AS f
WHERE f.TraceId IN {traces:Array(String)} AND f.TraceId != ''
ORDER BY f.Time, f.FeedbackId
LIMIT {limit:UInt32}
