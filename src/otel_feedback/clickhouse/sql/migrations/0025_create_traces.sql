-- One row per trace, carriers of ratings left out: when, how long, the LLM calls in it, and how the app's users
-- rated it: what annotators and evaluators say is in feedback beside theirs, by Source.
CREATE VIEW IF NOT EXISTS traces AS
SELECT
    part.TraceId AS TraceId,
    part.FirstTime AS FirstTime,
    part.LastTime AS LastTime,
    toUInt64(greatest(dateDiff('nanosecond', part.FirstTime, part.LastTime), 0)) AS Duration,
    part.RootName AS RootName,
    part.ServiceName AS ServiceName,
    part.SessionId AS SessionId,
    part.UserId AS UserId,
    call.Calls AS Calls,
    call.InputTokens AS InputTokens,
    call.OutputTokens AS OutputTokens,
    call.TotalTokens AS TotalTokens,
    greatest(call.Errors, part.HasError) AS Errors,
    rating.Ratings AS Ratings,
    rating.Positive AS Positive,
    rating.Neutral AS Neutral,
    rating.Negative AS Negative
FROM (
    SELECT
        TraceId,
        assumeNotNull(min(FirstTime)) AS FirstTime,
        assumeNotNull(max(LastTime)) AS LastTime,
        max(RootName) AS RootName,
        max(ServiceName) AS ServiceName,
        max(SessionId) AS SessionId,
        max(UserId) AS UserId,
        max(HasError) AS HasError
    FROM otel_traces_trace_id_ts AS of_insert
    WHERE of_insert.FirstTime IS NOT NULL
    GROUP BY TraceId
) AS part
LEFT JOIN (
    SELECT
        TraceId,
        count() AS Calls,
        sum(InputTokens) AS InputTokens,
        sum(OutputTokens) AS OutputTokens,
        sum(TotalTokens) AS TotalTokens,
        countIf(StatusCode = 'Error') AS Errors
    FROM llm_call_spans FINAL
    GROUP BY TraceId
) AS call ON call.TraceId = part.TraceId
LEFT JOIN (
    SELECT
        TraceId,
        count() AS Ratings,
        countIf(Label = 'positive') AS Positive,
        countIf(Label = 'neutral') AS Neutral,
        countIf(Label = 'negative') AS Negative
    FROM feedback
    WHERE TraceId != '' AND Source = 'end_user'
    GROUP BY TraceId
) AS rating ON rating.TraceId = part.TraceId
