-- The journal as feedback_events shows it and feedback folds it: one row per submission, whichever of its carriers came,
-- however often. A rating that names its answer by response id gets the ids of the call once that has come. Calls are
-- looked up in arrays, since a join here would make every question read all texts of all ratings.
CREATE VIEW IF NOT EXISTS rating_events AS
WITH
    (
        SELECT (groupArray(ResponseKey), groupArray(Call))
        FROM (
            SELECT cityHash64(ResponseId) AS ResponseKey, min((TraceId, SpanId, SessionId, TraceKey, SpanKey)) AS Call
            FROM llm_call_spans
            WHERE ResponseId IN (SELECT ResponseId FROM rating_deliveries WHERE ResponseKey != 0)
            GROUP BY ResponseKey
        )
    ) AS answers,
    transform(ResponseKey, answers.1, arrayEnumerate(answers.1), toUInt32(0)) AS answer,
    answers.2[answer] AS call,
    answer != 0 AS IsFound
SELECT
    EventId,
    Time,
    ReceivedTime,
    Action,
    if(IsFound, call.1, submission.TraceId) AS TraceId,
    if(IsFound, call.2, submission.SpanId) AS SpanId,
    if(IsFound, firstNonDefault(submission.SessionId, call.3), submission.SessionId) AS SessionId,
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
    if(IsFound, sipHash128(call.4, call.5, WhoseKey), submission.RatingKey) AS RatingKey,
    if(IsFound, call.4, submission.TraceKey) AS TraceKey,
    if(IsFound, call.5, submission.SpanKey) AS SpanKey,
    IsFound,
    Place,
    Precedence
FROM rating_deliveries AS submission FINAL
