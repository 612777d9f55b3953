-- Question: did a release make people more or less satisfied, and answers slower or longer?
-- Parameters:
--   {release:DateTime('UTC')} the moment of the release, e.g. 2026-11-01T09:30
--   {days:UInt16} [7] days before it and after it that are compared, e.g. 14
--   {service:String} [] calls of this service only, e.g. shop-assistant
--   {name:String} [] ratings of this name only, e.g. thumbs
-- Cost: one pass over the narrow columns of the calls in both times, one over all ratings. Change tells how far
--   satisfaction rose, ChangeLow and ChangeHigh its 95 % interval (Newcombe's, of Wilson's): where it holds 0, that may
--   be chance.
WITH
    $wilson
SELECT
    Period,
    Calls,
    ResponseRate,
    Ratings,
    Positive,
    Negative,
    round(Share, 3) AS Satisfaction,
    round(Lowest, 3) AS Low,
    round(Highest, 3) AS High,
    round(Share - ShareBefore, 3) AS Change,
    round(Share - ShareBefore - sqrt(pow(Share - Lowest, 2) + pow(HighestBefore - ShareBefore, 2)), 3) AS ChangeLow,
    round(Share - ShareBefore + sqrt(pow(Highest - Share, 2) + pow(ShareBefore - LowestBefore, 2)), 3) AS ChangeHigh,
    MedianSeconds,
    MedianOutputTokens,
    ErrorRate
FROM (
    SELECT
        *,
        lagInFrame(Share) OVER releases AS ShareBefore,
        lagInFrame(Lowest) OVER releases AS LowestBefore,
        lagInFrame(Highest) OVER releases AS HighestBefore
    FROM (
        SELECT
            if(call.IsAfter, 'after', 'before') AS Period,
            call.IsAfter AS IsAfter,
            call.Calls AS Calls,
            round(rating.RatedCalls / call.Calls, 3) AS ResponseRate,
            rating.Ratings AS Ratings,
            rating.Positive AS Positive,
            rating.Negative AS Negative,
            share_of(rating.Positive, rating.Negative) AS Share,
            low_of(rating.Positive, rating.Negative) AS Lowest,
            high_of(rating.Positive, rating.Negative) AS Highest,
            call.MedianSeconds AS MedianSeconds,
            call.MedianOutputTokens AS MedianOutputTokens,
            call.ErrorRate AS ErrorRate
        FROM (
            SELECT
                Timestamp >= {release:DateTime('UTC')} AS IsAfter,
                count() AS Calls,
                round(quantileExact(0.5)(Duration) / 1e9, 3) AS MedianSeconds,
                quantileExact(0.5)(OutputTokens) AS MedianOutputTokens,
                round(avg(StatusCode = 'Error'), 3) AS ErrorRate
            FROM llm_calls
            WHERE Timestamp >= {release:DateTime('UTC')} - toIntervalDay({days:UInt16})
                AND Timestamp < {release:DateTime('UTC')} + toIntervalDay({days:UInt16})
                AND ({service:String} = '' OR ServiceName = {service:String})
            GROUP BY IsAfter
        ) AS call
        LEFT JOIN (
            SELECT
                Timestamp >= {release:DateTime('UTC')} AS IsAfter,
                $rating_counts
            FROM rated_llm_calls
            WHERE Timestamp >= {release:DateTime('UTC')} - toIntervalDay({days:UInt16})
                AND Timestamp < {release:DateTime('UTC')} + toIntervalDay({days:UInt16})
                AND Source = 'end_user'
                AND ({service:String} = '' OR ServiceName = {service:String})
                AND ({name:String} = '' OR Name = {name:String})
            GROUP BY IsAfter
        ) AS rating ON rating.IsAfter = call.IsAfter
    )
    WINDOW releases AS (ORDER BY IsAfter ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
ORDER BY IsAfter
