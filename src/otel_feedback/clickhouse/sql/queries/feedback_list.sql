-- Question: which current ratings match the filters, newest first, from a cursor on?
-- Parameters: those of the fragment feedback_matches; {before_time:Int64} {before_id:String} the last row shown; {limit:UInt32}.
-- Cost: reads the ratings of the period; with a model, a prompt version or a user also the narrow columns of the calls. Without
--   filters the texts of the newest ratings alone are read; they are cut at 20,000 characters. Times are compared as numbers:
--   a cluster's shards could not read 1970 as ClickHouse sends it to them.
SELECT
    $rating_columns
FROM feedback AS f
WHERE (
        {before_time:Int64} = 9223372036854775807
        OR toUnixTimestamp64Nano(f.Time) <= {before_time:Int64}
            AND (toUnixTimestamp64Nano(f.Time), f.FeedbackId) < ({before_time:Int64}, {before_id:String})
    )
    AND $feedback_matches
ORDER BY f.Time DESC, f.FeedbackId DESC
LIMIT {limit:UInt32}
