-- Question: which current ratings that match the filters were stored after this moment, newest first?
-- Parameters: those of the fragment feedback_matches; {after:Int64} Unix nanoseconds; {limit:UInt32}.
-- Cost: as feedback_list. It goes by when a rating was stored, since one may come long after its click.
SELECT
    $rating_columns
FROM feedback AS f
WHERE toUnixTimestamp64Nano(f.ReceivedTime) > {after:Int64}
    AND $feedback_matches
ORDER BY f.Time DESC, f.FeedbackId DESC
LIMIT {limit:UInt32}
