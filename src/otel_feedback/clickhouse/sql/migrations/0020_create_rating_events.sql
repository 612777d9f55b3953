-- The journal as feedback_events shows it and feedback folds it: one row per submission, whichever of its carriers came,
-- however often. A rating that names its answer by response id gets the ids of the call once that has come. These few are
-- looked up in arrays, since a join here would make every question read all texts of all ratings; Precedence tells submissions
-- apart. Where no rating names a response id no call is looked for.
CREATE VIEW IF NOT EXISTS rating_events AS
WITH
    (
        SELECT (
            groupArray(Precedence),
            groupArray(sipHash128(Call.4, Call.5, WhoseKey)),
            groupArray(Call.1), groupArray(Call.2), groupArray(Call.3), groupArray(Call.4), groupArray(Call.5)
        )
        FROM (SELECT ResponseKey, WhoseKey, Precedence FROM rating_deliveries FINAL WHERE ResponseKey != 0) AS unanswered
        INNER JOIN (
            SELECT cityHash64(ResponseId) AS ResponseKey, min((TraceId, SpanId, SessionId, TraceKey, SpanKey)) AS Call
            FROM llm_call_spans
            WHERE (SELECT max(ResponseKey) FROM rating_deliveries) != 0
                AND ResponseId IN (SELECT ResponseId FROM rating_deliveries WHERE ResponseKey != 0)
            GROUP BY ResponseKey
        ) AS answer
            ON answer.ResponseKey = unanswered.ResponseKey
    ) AS answered
SELECT
    EventId,
    Time,
    ReceivedTime,
    Action,
    transform(Precedence, answered.1, answered.3, submission.TraceId) AS TraceId,
    transform(Precedence, answered.1, answered.4, submission.SpanId) AS SpanId,
    if(
        submission.SessionId = '', transform(Precedence, answered.1, answered.5, ''), submission.SessionId
    ) AS SessionId,
    ResponseId,
    Scope,
    Name,
    Value,
    Label,
    Comment,
    Correction,
    Reasons,
    ScoreMin,
    ScoreMax,
    Source,
    RaterId,
    ServiceName,
    Attributes,
    Via,
    transform(Precedence, answered.1, answered.2, submission.RatingKey) AS RatingKey,
    transform(Precedence, answered.1, answered.6, submission.TraceKey) AS TraceKey,
    transform(Precedence, answered.1, answered.7, submission.SpanKey) AS SpanKey,
    has(answered.1, Precedence) AS IsFound,
    Place,
    Precedence
FROM rating_deliveries AS submission FINAL
