-- Question: how was this trace rated, as a whole and span by span?
-- Parameters: {trace:String}.
-- Cost: reads the ratings of one trace; at most 1,000.
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
WHERE f.TraceId = {trace:String}
ORDER BY f.Time, f.FeedbackId
LIMIT 1000
