-- One row per session that has LLM calls: when, how many, tokens, errors, and every rating of the app's
-- users in it, whatever its scope.
-- Duration is the time that its calls took together. What claims to end beyond the year 2262 ends there: see otel_traces_trace_id_ts_mv.
CREATE VIEW IF NOT EXISTS sessions AS
SELECT
    call.SessionId AS SessionId,
    call.UserId AS UserId,
    call.FirstTime AS FirstTime,
    call.LastTime AS LastTime,
    call.Duration AS Duration,
    call.Traces AS Traces,
    call.Calls AS Calls,
    call.InputTokens AS InputTokens,
    call.OutputTokens AS OutputTokens,
    call.TotalTokens AS TotalTokens,
    call.Errors AS Errors,
    rating.Ratings AS Ratings,
    rating.Positive AS Positive,
    rating.Neutral AS Neutral,
    rating.Negative AS Negative
FROM (
    SELECT
        SessionId,
        argMaxIf(span.UserId, (span.Timestamp, span.UserId), span.UserId != '') AS UserId,
        min(span.Timestamp) AS FirstTime,
        max(addNanoseconds(
            span.Timestamp,
            least(span.Duration, toUInt64(9223372036854775807 - greatest(toUnixTimestamp64Nano(span.Timestamp), 0)))
        )) AS LastTime,
        sum(span.Duration) AS Duration,
        uniqExact(TraceKey) AS Traces,
        count() AS Calls,
        sum(span.InputTokens) AS InputTokens,
        sum(span.OutputTokens) AS OutputTokens,
        sum(span.TotalTokens) AS TotalTokens,
        countIf(StatusCode = 'Error') AS Errors
    FROM llm_call_spans AS span FINAL
    WHERE SessionId != ''
    GROUP BY SessionId
) AS call
LEFT JOIN (
    SELECT
        SessionId,
        count() AS Ratings,
        countIf(Label = 'positive') AS Positive,
        countIf(Label = 'neutral') AS Neutral,
        countIf(Label = 'negative') AS Negative
    FROM feedback
    WHERE SessionId != '' AND Source = 'end_user'
    GROUP BY SessionId
) AS rating ON rating.SessionId = call.SessionId
