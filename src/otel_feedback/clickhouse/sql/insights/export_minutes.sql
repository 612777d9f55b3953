-- Question: how many ratings of calls are there of each minute of calls, so that they can be read in pages?
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings.
SELECT
    toUnixTimestamp(toStartOfMinute(Timestamp)) AS Minute,
    count() AS Ratings
FROM rated_llm_calls
WHERE Timestamp >= {since:DateTime('UTC')}
    AND Timestamp < {until:DateTime('UTC')}
    AND ({source:String} = '' OR Source = {source:String})
    AND ({service:String} = '' OR ServiceName = {service:String})
    AND ({name:String} = '' OR Name = {name:String})
GROUP BY Minute
ORDER BY Minute
