-- Question: how were ratings spread over a period, hour by hour or day by day?
-- Parameters: {since:Int64} {until:Int64} Unix nanoseconds; {step:UInt32} seconds of one bar; {service:String}
--   {model:String} {version:String} '' for any.
-- Cost: one pass over the ratings' narrow columns; with a model or a version also the narrow columns of the calls.
SELECT
    intDiv(toUnixTimestamp64Second(f.Time), {step:UInt32}) * {step:UInt32} AS Start,
    $ratings_by_label
FROM feedback AS f
WHERE
    $rated_in_period_as_chosen
GROUP BY Start
ORDER BY Start
