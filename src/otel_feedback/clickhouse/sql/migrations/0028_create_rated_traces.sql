-- Each current rating of a span or a whole trace beside its trace. What a trace is follows traces, but is found by numeric
-- keys and for rated traces alone, which is twice as fast; traces is for looking one up by its id.
CREATE VIEW IF NOT EXISTS rated_traces AS
WITH
    ratings AS (SELECT * FROM current_ratings WHERE TraceKey != 0),
    rated AS (SELECT TraceKey FROM rating_events WHERE TraceKey != 0)
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
    of_trace.Ratings AS Ratings,
    of_trace.Positive AS Positive,
    of_trace.Neutral AS Neutral,
    of_trace.Negative AS Negative,
    rating.FeedbackId AS FeedbackId,
    rating.Time AS RatingTime,
    rating.Name AS Name,
    rating.Value AS Value,
    rating.Label AS Label,
    rating.Comment AS Comment,
    rating.Correction AS Correction,
    rating.Reasons AS Reasons,
    rating.Scope AS Scope,
    rating.Source AS Source,
    rating.RaterId AS RaterId,
    rating.Changes AS Changes
FROM (
    SELECT
        TraceKey,
        any(of_insert.TraceId) AS TraceId,
        assumeNotNull(min(FirstTime)) AS FirstTime,
        assumeNotNull(max(LastTime)) AS LastTime,
        max(RootName) AS RootName,
        max(ServiceName) AS ServiceName,
        max(SessionId) AS SessionId,
        max(UserId) AS UserId,
        max(HasError) AS HasError
    FROM otel_traces_trace_id_ts AS of_insert
    WHERE TraceKey IN rated AND of_insert.FirstTime IS NOT NULL
    GROUP BY TraceKey
) AS part
INNER JOIN ratings AS rating ON rating.TraceKey = part.TraceKey
LEFT JOIN (
    SELECT
        TraceKey,
        count() AS Calls,
        sum(InputTokens) AS InputTokens,
        sum(OutputTokens) AS OutputTokens,
        sum(TotalTokens) AS TotalTokens,
        countIf(StatusCode = 'Error') AS Errors
    FROM llm_call_spans FINAL
    WHERE TraceKey IN rated
    GROUP BY TraceKey
) AS call ON call.TraceKey = part.TraceKey
LEFT JOIN (
    SELECT
        TraceKey,
        count() AS Ratings,
        countIf(Label = 'positive') AS Positive,
        countIf(Label = 'neutral') AS Neutral,
        countIf(Label = 'negative') AS Negative
    FROM ratings
    WHERE Source = 'end_user'
    GROUP BY TraceKey
) AS of_trace ON of_trace.TraceKey = part.TraceKey
