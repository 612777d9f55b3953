-- Question: how many ratings were given in a period, by label and by state?
-- Parameters: {since:Int64} {until:Int64} Unix nanoseconds.
-- Cost: one pass over the ratings' narrow columns.
SELECT
    count() AS EverRated,
    countIf(InPeriod) AS Ratings,
    countIf(InPeriod AND Label = 'positive') AS Positive,
    countIf(InPeriod AND Label = 'neutral') AS Neutral,
    countIf(InPeriod AND Label = 'negative') AS Negative,
    countIf(InPeriod AND State = 'waiting') AS Waiting,
    countIf(InPeriod AND State = 'unmatched') AS Unmatched
FROM (
    SELECT
        Label,
        State,
        Time >= fromUnixTimestamp64Nano({since:Int64}) AND Time < fromUnixTimestamp64Nano({until:Int64}) AS InPeriod
    FROM feedback
)
