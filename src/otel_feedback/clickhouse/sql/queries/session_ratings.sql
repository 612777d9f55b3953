-- Question: how was this session rated, as a whole and answer by answer?
-- Parameters: {session:String}.
-- Cost: reads the ratings that name the session or one of its traces; at most 1,000.
SELECT
    $rating_columns
FROM feedback AS f
WHERE f.SessionId = {session:String}
    OR f.TraceId IN (SELECT TraceId FROM llm_calls WHERE SessionId = {session:String})
ORDER BY f.Time, f.FeedbackId
LIMIT 1000
