-- Question: how was this trace rated, as a whole and span by span?
-- Parameters: {trace:String}.
-- Cost: reads the ratings of one trace; at most 1,000.
SELECT
    $rating_columns
FROM feedback AS f
WHERE f.TraceId = {trace:String}
ORDER BY f.Time, f.FeedbackId
LIMIT 1000
