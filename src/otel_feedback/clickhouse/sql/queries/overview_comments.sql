-- Question: what did people complain about last?
-- Parameters: {since:Int64} {until:Int64} Unix nanoseconds; {limit:UInt32}.
-- Cost: reads the ratings of the period.
SELECT
    $rating_columns
FROM feedback AS f
WHERE toUnixTimestamp64Nano(f.Time) >= {since:Int64}
    AND toUnixTimestamp64Nano(f.Time) < {until:Int64}
    AND f.Label = 'negative'
    AND f.Comment != ''
ORDER BY f.Time DESC, f.FeedbackId DESC
LIMIT {limit:UInt32}
