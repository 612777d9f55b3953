-- Question: what is known of this session's calls as a whole?
-- Parameters: {session:String}.
-- Cost: aggregates the calls of one session.
SELECT
    s.SessionId AS SessionId,
    s.UserId AS UserId,
    toUnixTimestamp64Nano(s.FirstTime) AS FirstUnixNano,
    toUnixTimestamp64Nano(s.LastTime) AS LastUnixNano,
    s.Calls AS Calls,
    s.InputTokens AS InputTokens,
    s.OutputTokens AS OutputTokens,
    s.Errors AS Errors,
    if(s.Calls > 0, intDiv(s.Duration, s.Calls), 0) AS MeanDuration
FROM sessions AS s
WHERE s.SessionId = {session:String}
