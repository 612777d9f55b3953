-- Question: how many ratings were given in a period, by label and by state?
-- Parameters: {since:Int64} {until:Int64} Unix nanoseconds; {service:String} {model:String} {version:String} '' for any.
-- Cost: one pass over the ratings' narrow columns; with a model or a version also the narrow columns of the calls.
SELECT
    $ratings_by_label,
    countIf(f.Label = 'positive' AND f.Source = 'end_user') AS Satisfied,
    countIf(f.Label = 'negative' AND f.Source = 'end_user') AS Dissatisfied,
    countIf(f.State = 'waiting') AS Waiting,
    countIf(f.State = 'unmatched') AS Unmatched
FROM feedback AS f
WHERE
    $rated_in_period_as_chosen
