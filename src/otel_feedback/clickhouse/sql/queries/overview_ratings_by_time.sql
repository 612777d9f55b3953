-- Question: how were ratings spread over a period, hour by hour or day by day?
-- Parameters: {since:Int64} {until:Int64} Unix nanoseconds; {step:UInt32} seconds of one bar.
-- Cost: one pass over the ratings' narrow columns.
SELECT
    intDiv(toUnixTimestamp64Second(Time), {step:UInt32}) * {step:UInt32} AS Start,
    count() AS Ratings,
    countIf(Label = 'positive') AS Positive,
    countIf(Label = 'neutral') AS Neutral,
    countIf(Label = 'negative') AS Negative
FROM feedback
WHERE toUnixTimestamp64Nano(Time) >= {since:Int64} AND toUnixTimestamp64Nano(Time) < {until:Int64}
GROUP BY Start
ORDER BY Start
