-- The journal as feedback_events shows it and feedback folds it: one row per submission, whichever of its carriers came,
-- however often. A rating that names its answer by response id alone gets the ids of the call once that has come.
CREATE VIEW IF NOT EXISTS rating_events AS
WITH
    calls AS (
        SELECT ResponseId, min((TraceId, SpanId, SessionId)) AS Ids
        FROM llm_call_spans
        WHERE ResponseId IN (
            SELECT ResponseId FROM rating_deliveries WHERE Scope = 'span' AND SpanId = '' AND ResponseId != ''
        )
        GROUP BY ResponseId
    ),
    submission.Scope = 'span' AND submission.SpanId = '' AND call.ResponseId != '' AS is_found
SELECT
    submission.* EXCEPT (TraceId, SpanId, SessionId, RatingKey),
    if(is_found, call.Ids.1, submission.TraceId) AS TraceId,
    if(is_found, call.Ids.2, submission.SpanId) AS SpanId,
    if(is_found, firstNonDefault(submission.SessionId, call.Ids.3), submission.SessionId) AS SessionId,
    if(
        is_found,
        sipHash128('span', concat(call.Ids.1, '/', call.Ids.2), submission.Name, submission.RaterId),
        submission.RatingKey
    ) AS RatingKey,
    is_found AS IsFound
FROM (
    SELECT
        EventId, Time, ReceivedTime, Action, TraceId, SpanId, SessionId, ResponseId, Scope, Name, Value, Label, Comment,
        Correction, Reasons, ScoreMin, ScoreMax, Source, RaterId, ServiceName, Attributes, Via, RatingKey, TraceKey, Place,
        Precedence
    FROM rating_deliveries FINAL
) AS submission
LEFT ANY JOIN calls AS call ON call.ResponseId = submission.ResponseId
