-- Question: what did people complain about last?
-- Parameters: {since:Int64} {until:Int64} Unix nanoseconds; {service:String} {model:String} {version:String} '' for any;
--   {limit:UInt32}.
-- Cost: reads the ratings of the period; with a model or a version also the narrow columns of the calls.
SELECT
    $rating_columns
FROM feedback AS f
WHERE
    $rated_as_chosen
    AND toUnixTimestamp64Nano(f.Time) >= {since:Int64}
    AND toUnixTimestamp64Nano(f.Time) < {until:Int64}
    AND f.Label = 'negative'
    AND f.Comment != ''
ORDER BY f.Time DESC, f.FeedbackId DESC
LIMIT {limit:UInt32}
