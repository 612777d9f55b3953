-- One row per person who called a model or rated an answer: sessions, calls, tokens, and the ratings that they gave.
CREATE VIEW IF NOT EXISTS users AS
SELECT
    UserId,
    min(FirstTime) AS FirstTime,
    max(LastTime) AS LastTime,
    sum(Duration) AS Duration,
    sum(Sessions) AS Sessions,
    sum(Calls) AS Calls,
    sum(InputTokens) AS InputTokens,
    sum(OutputTokens) AS OutputTokens,
    sum(TotalTokens) AS TotalTokens,
    sum(Errors) AS Errors,
    sum(Ratings) AS Ratings,
    sum(Positive) AS Positive,
    sum(Neutral) AS Neutral,
    sum(Negative) AS Negative
FROM (
    SELECT
        UserId,
        min(span.Timestamp) AS FirstTime,
        max(addNanoseconds(
            span.Timestamp,
            least(span.Duration, toUInt64(9223372036854775807 - greatest(toUnixTimestamp64Nano(span.Timestamp), 0)))
        )) AS LastTime,
        sum(span.Duration) AS Duration,
        uniqExactIf(SessionId, SessionId != '') AS Sessions,
        count() AS Calls,
        sum(span.InputTokens) AS InputTokens,
        sum(span.OutputTokens) AS OutputTokens,
        sum(span.TotalTokens) AS TotalTokens,
        countIf(StatusCode = 'Error') AS Errors,
        0 AS Ratings,
        0 AS Positive,
        0 AS Neutral,
        0 AS Negative
    FROM llm_call_spans AS span FINAL
    WHERE UserId != ''
    GROUP BY UserId
    UNION ALL
    SELECT
        RaterId,
        min(Time),
        max(Time),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        count(),
        countIf(Label = 'positive'),
        countIf(Label = 'neutral'),
        countIf(Label = 'negative')
    FROM feedback
    WHERE RaterId != '' AND Source = 'end_user'
    GROUP BY RaterId
)
GROUP BY UserId
