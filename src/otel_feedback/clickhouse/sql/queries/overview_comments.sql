-- Question: what did people complain about last?
-- Parameters: {since:Int64} {until:Int64} Unix nanoseconds; {limit:UInt32}.
-- Cost: reads the ratings of the period.
SELECT
    f.FeedbackId AS FeedbackId,
    toUnixTimestamp64Nano(f.Time) AS TimeUnixNano,
    f.Name AS Name,
    f.Label AS Label,
    if(isFinite(f.Value), f.Value, NULL) AS Value,
    if(isFinite(f.ScoreMin), f.ScoreMin, NULL) AS ScoreMin,
    if(isFinite(f.ScoreMax), f.ScoreMax, NULL) AS ScoreMax,
    substringUTF8(f.Comment, 1, 20000) AS Comment,
    lengthUTF8(f.Comment) AS CommentLength,
    substringUTF8(f.Correction, 1, 20000) AS Correction,
    lengthUTF8(f.Correction) AS CorrectionLength,
    f.Reasons AS Reasons,
    f.Source AS Source,
    f.RaterId AS RaterId,
    f.Scope AS Scope,
    f.TraceId AS TraceId,
    f.SpanId AS SpanId,
    f.SessionId AS SessionId,
    f.ServiceName AS ServiceName,
    f.Changes AS Changes,
    f.State AS State
FROM feedback AS f
WHERE f.Time >= fromUnixTimestamp64Nano({since:Int64})
    AND f.Time < fromUnixTimestamp64Nano({until:Int64})
    AND f.Label = 'negative'
    AND f.Comment != ''
ORDER BY f.Time DESC, f.FeedbackId DESC
LIMIT {limit:UInt32}
