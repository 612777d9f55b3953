-- Question: what is known of this user as a whole?
-- Parameters: {user:String}.
-- Cost: aggregates the calls and ratings of one user.
SELECT
    u.UserId AS UserId,
    toUnixTimestamp64Nano(u.FirstTime) AS FirstUnixNano,
    toUnixTimestamp64Nano(u.LastTime) AS LastUnixNano,
    u.Sessions AS Sessions,
    u.Calls AS Calls,
    u.TotalTokens AS TotalTokens,
    u.Errors AS Errors,
    u.Ratings AS Ratings,
    u.Positive AS Positive,
    u.Neutral AS Neutral,
    u.Negative AS Negative
FROM users AS u
WHERE u.UserId = {user:String}
