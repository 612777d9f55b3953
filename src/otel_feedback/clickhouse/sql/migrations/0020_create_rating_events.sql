-- The journal as feedback_events shows it and feedback folds it: one row per submission, whichever of its carriers came,
-- however often. A rating that names its answer by response id gets the ids of the call once that has come. Calls are
-- looked up in arrays, since a join here would make every question read all texts of all ratings.
CREATE VIEW IF NOT EXISTS rating_events AS
WITH
    (
        SELECT (
            groupArray(ResponseKey),
            groupArray(Call.1), groupArray(Call.2), groupArray(Call.3), groupArray(Call.4), groupArray(Call.5)
        )
        FROM (
            SELECT cityHash64(ResponseId) AS ResponseKey, min((TraceId, SpanId, SessionId, TraceKey, SpanKey)) AS Call
            FROM llm_call_spans
            WHERE ResponseId IN (SELECT ResponseId FROM rating_deliveries WHERE ResponseKey != 0)
            GROUP BY ResponseKey
        )
    ) AS answers,
    transform(ResponseKey, answers.1, arrayEnumerate(answers.1), toUInt32(0)) != 0 AS IsFound
SELECT
    EventId,
    Time,
    ReceivedTime,
    Action,
    transform(ResponseKey, answers.1, answers.2, submission.TraceId) AS TraceId,
    transform(ResponseKey, answers.1, answers.3, submission.SpanId) AS SpanId,
    if(
        submission.SessionId = '', transform(ResponseKey, answers.1, answers.4, ''), submission.SessionId
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
    if(IsFound, sipHash128(TraceKey, SpanKey, WhoseKey), submission.RatingKey) AS RatingKey,
    transform(ResponseKey, answers.1, answers.5, submission.TraceKey) AS TraceKey,
    transform(ResponseKey, answers.1, answers.6, submission.SpanKey) AS SpanKey,
    IsFound,
    Place,
    Precedence
FROM rating_deliveries AS submission FINAL
