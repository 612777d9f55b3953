-- Question: which users match the filters, last seen first, from a cursor on?
-- Parameters: {rated:String} '' or one of 'negative', 'any rating', 'not rated'; {text:String} '' for any; {since:Int64} {until:Int64} Unix nanoseconds; {before_time:Int64}
--   {before_id:String} the last row shown; {limit:UInt32}.
-- Cost: aggregates the narrow columns of the calls; reads no prompt.
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
WHERE u.LastTime >= fromUnixTimestamp64Nano({since:Int64})
    AND u.LastTime < fromUnixTimestamp64Nano({until:Int64})
    AND (toUnixTimestamp64Nano(u.LastTime), u.UserId) < ({before_time:Int64}, {before_id:String})
    AND ({text:String} = '' OR positionCaseInsensitiveUTF8(u.UserId, {text:String}) > 0)
    AND multiIf(
        {rated:String} = 'negative', u.Negative > 0,
        {rated:String} = 'any rating', u.Ratings > 0,
        {rated:String} = 'not rated', u.Ratings = 0,
        true
    )
ORDER BY u.LastTime DESC, u.UserId DESC
LIMIT {limit:UInt32}
