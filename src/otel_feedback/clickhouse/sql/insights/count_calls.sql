-- Question: how many calls of the period are rated, and how many are not?
-- Cost: one pass over the narrow columns of the period's calls, one over all ratings.
WITH $contrast_ratings
SELECT
    count() AS Calls,
    (SELECT count() FROM contrast_ratings) AS Rated,
    (SELECT countIf(Positive + Negative = 0) FROM contrast_ratings) AS Neither
FROM llm_calls
WHERE Timestamp >= {since:DateTime('UTC')}
    AND Timestamp < {until:DateTime('UTC')}
    AND ({service:String} = '' OR ServiceName = {service:String})
