-- Question: how many ratings were given in a period, by label and by state?
-- Parameters: {since:Int64} {until:Int64} Unix nanoseconds; {service:String} {model:String} {version:String} '' for any.
-- Cost: one pass over the ratings' narrow columns; with a model or a version also the narrow columns of the calls.
SELECT
    count() AS Ratings,
    countIf(f.Label = 'positive') AS Positive,
    countIf(f.Label = 'neutral') AS Neutral,
    countIf(f.Label = 'negative') AS Negative,
    countIf(f.Label = 'positive' AND f.Source = 'end_user') AS Satisfied,
    countIf(f.Label = 'negative' AND f.Source = 'end_user') AS Dissatisfied,
    countIf(f.State = 'waiting') AS Waiting,
    countIf(f.State = 'unmatched') AS Unmatched
FROM feedback AS f
WHERE
    $rated_as_chosen
    AND toUnixTimestamp64Nano(f.Time) >= {since:Int64}
    AND toUnixTimestamp64Nano(f.Time) < {until:Int64}
