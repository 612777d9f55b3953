-- Question: what is there to put to use since then: calls, what users said of them, and what was read and judged?
-- Parameters: {since:DateTime('UTC')}.
-- Cost: one pass over all ratings without their texts, but for the corrections; one over the times of the period's calls.
WITH
    reviewed AS (
        SELECT TraceId, SpanId, if(TraceId = '', SessionId, '') AS Session
        FROM feedback
        WHERE Source = 'annotator'
    )
SELECT
    (SELECT count() FROM llm_call_spans WHERE Timestamp >= {since:DateTime('UTC')}) AS Calls,
    uniqExactIf((f.TraceId, f.SpanId), f.Source = 'end_user' AND f.TraceId != '') AS Rated,
    countIf(f.Source = 'end_user' AND f.Label = 'positive') AS Positive,
    countIf(f.Source = 'end_user' AND f.Label = 'negative') AS Negative,
    countIf(
        f.Source = 'end_user' AND f.Label = 'negative'
            AND (f.TraceId, f.SpanId, if(f.TraceId = '', f.SessionId, '')) NOT IN reviewed
    ) AS Unread,
    countIf(f.Source = 'end_user' AND f.Correction != '') AS Corrected,
    countIf(f.Source = 'evaluator') AS Judged
FROM feedback AS f
WHERE f.Time >= {since:DateTime('UTC')}
